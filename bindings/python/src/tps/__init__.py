"""One TPStreams API token for every thread and process: made once, reused until it expires or is rejected.

client = tps.login(username="hari@example.com", password="welcome", organization_id="auhf2k")
client.token          # "1e14238b…"
client.authorization  # "Token 1e14238b…"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ._client import Client
from ._errors import (
    ClosedError,
    CredentialsError,
    Error,
    InternalError,
    InvalidArgumentError,
    LibraryError,
    LoginBudgetError,
    NetworkError,
    OutcomeUnknownError,
    ServerError,
    ThrottledError,
    TimeoutError,
    TLSError,
    TokenLimitError,
    TokenRejected,
    UnexpectedResponseError,
)
from ._types import Arguments, Event, EventKind, Options, Stats
from ._version import VERSION as __version__

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = [
    "Arguments",
    "Client",
    "ClosedError",
    "CredentialsError",
    "Error",
    "Event",
    "EventKind",
    "InternalError",
    "InvalidArgumentError",
    "LibraryError",
    "LoginBudgetError",
    "NetworkError",
    "Options",
    "OutcomeUnknownError",
    "ServerError",
    "Stats",
    "TLSError",
    "ThrottledError",
    "TimeoutError",
    "TokenLimitError",
    "TokenRejected",
    "UnexpectedResponseError",
    "__version__",
    "from_env",
    "load",
    "login",
]

# Tracebacks, logs and pickles say where a caller finds them.
for _exported in (Client, Error, *Error.__subclasses__()):
    _exported.__module__ = __name__


def login(**given: Unpack[Arguments]) -> Client:
    """Makes a client that holds a valid token: from memory, else from the store, else by logging in.

    Takes what `Client` takes. Raises Error, one subclass for each reason.
    """
    client = Client._made(cast("dict[str, Any]", given))
    client.token  # noqa: B018
    return client


def from_env(*, lazy: bool = False, **options: Unpack[Options]) -> Client:
    """The same with all credentials from the environment.

    They are `TPS_USERNAME`, `TPS_PASSWORD`, `TPS_ORGANIZATION_ID`, and where it is set `TPS_TOKEN`, a token of this
    account. They are read together, and here alone: none can be given.

    lazy: the first `token` logs in, and tells what is missing, instead of this call.

    Raises InvalidArgumentError, which names the variable that is missing, and Error, one subclass for each reason.
    """
    client = Client._from_environment(options)
    if not lazy:
        client.token  # noqa: B018
    return client


def load() -> str:
    """Loads the library now, for programs that want to know at their start that it is there. Sends nothing.

    Returns the library's version. Raises LibraryError, which says what to do.
    """
    from . import _native

    return _native.VERSION
