"""Arguments, stats and events, as a type checker sees them."""

from __future__ import annotations

import os
from datetime import timedelta
from logging import Logger, LoggerAdapter
from typing import Any, Literal, TypedDict


class Options(TypedDict, total=False):
    """Options of `login`, `Client` and `from_env`. None means not given."""

    #: `https://app.tpstreams.com`; `http://` only to a loopback host; else `TPS_BASE_URL`.
    base_url: str | None
    #: `"auto"`, `"memory"`, `"file:DIR"`, `"redis://…"`, `"rediss://…"` and more; else `TPS_CACHE`.
    cache: str | None
    #: Seconds for a whole call, 15.
    timeout: float | timedelta | None
    #: The same in milliseconds.
    timeout_ms: int | None
    #: Seconds for connecting, TLS included, 3.
    connect_timeout: float | timedelta | None
    #: The same in milliseconds.
    connect_timeout_ms: int | None
    #: PEM file trusted besides the system's certificates; else `TPS_CA_FILE`.
    ca_file: str | os.PathLike[str] | None
    #: A URL (http, https, socks5), or `"none"`; else the usual variables, `HTTPS_PROXY` first.
    proxy: str | None
    #: How many seconds before it expires a token is renewed while it is used; 0: only once it has expired.
    refresh_ahead: int | Literal["auto"] | None
    #: How many logins may replace tokens before they expire in a day, for all processes together, 10; 0: no limit.
    logins_per_day: int | None
    #: Put before the library's own `User-Agent`.
    user_agent: str | None
    #: Where events are written; else `logging.getLogger("tps")`.
    logger: Logger | LoggerAdapter[Any] | None


class _WithToken(Options, total=False):
    #: A token of this account that you hold already.
    token: str | None


class Arguments(_WithToken):
    """Credentials and options of `login` and `Client`. The first token refuses a missing credential."""

    #: An e-mail address.
    username: str | None
    password: str | None
    organization_id: str | None


#: What kind of event it is. Newer libraries may have more.
EventKind = Literal[
    "login",
    "adopted",
    "renewal",
    "rejected",
    "false_alarm",
    "hold_off",
    "budget",
    "degraded",
    "recovered",
    "logout",
]


class _InLogs(TypedDict, total=False):
    #: In log records alone.
    organization_id: str | None


class Event(_InLogs):
    """An event of the library's, in `stats` and in log records (`record.tps`)."""

    #: Counts up.
    number: int
    #: ISO 8601.
    time: str
    kind: EventKind
    reason: str | None
    #: Milliseconds.
    duration: int | None
    #: In `stats` the library's number, in log records the status of the error's class.
    status: int | str | None
    message: str | None


class StoreStats(TypedDict):
    """Where the token is kept."""

    kind: str
    place: str | None
    degraded: bool
    why_not: str | None
    #: False where the token goes when the process or its service stops; None before the first use.
    lasting: bool | None


class TokenStats(TypedDict):
    """The token, without the token."""

    #: The first 12 hexadecimal digits of its SHA-256.
    fingerprint: str
    obtained_at: str | None
    expires_at: str | None


class HoldOffStats(TypedDict):
    """Why nothing is sent now, and for how long."""

    status: int
    retry_after_ms: int
    message: str


class LoginsByReason(TypedDict):
    """How many logins there were, and why."""

    first: int
    ended: int
    renewed: int
    rejected: int


class Stats(TypedDict):
    """What the library did and holds, without secrets. Counts are since the process began. Newer libraries add more."""

    version: str
    base_url: str
    store: StoreStats
    token: TokenStats | None
    hold_off: HoldOffStats | None
    hits: int
    adopted: int
    logins: int
    logins_by_reason: LoginsByReason
    logins_failed: int
    waits: int
    invalidations: int
    #: Of the invalidations, tokens that are valid all the same.
    false_alarms: int
    #: How many logins may follow one another now.
    login_budget_left: int | None
    #: The last 32.
    events: list[Event]
