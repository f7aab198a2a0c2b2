"""Tokens and errors in the order in which a fake gives them out."""

from __future__ import annotations

import copy
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Sequence

from .._backend import NoNumber
from .._errors import Error, InvalidArgumentError
from .._secret import Redacted, Secret
from .._types import Stats
from .._version import VERSION
from ._checks import token_fault


class Script(NoNumber, Redacted):
    """Does a client's work in the library's place: a token serves until it is reported or revoked."""

    def __init__(self, steps: Secret[Sequence[str | Error]], base_url: str) -> None:
        """Raises TypeError for no steps, and InvalidArgumentError for a token that the real one refuses."""
        if not steps.expose():
            raise TypeError("give one of token=, tokens= and error=")
        tokens = (step for step in steps.expose() if not isinstance(step, Error))
        fault = next(filter(None, (token_fault("token", token) for token in tokens)), None)
        if fault:
            raise InvalidArgumentError(fault)
        self._steps = steps
        self._last = len(steps.expose()) - 1
        self._position = 0
        self._base_url = base_url
        self._counters: Counter[str] = Counter()
        self._reason: str | None = "first"
        self._lock = threading.Lock()

    def wait(self, milliseconds: int) -> bool:
        return True

    def token(self) -> str:
        with self._lock:
            step = self._steps.expose()[self._position]
            if isinstance(step, str):
                self._counters[self._reason or "hits"] += 1
                self._reason = None
                return step
            self._counters["logins_failed"] += 1
            self._move_on(self._reason)
        raise copy.copy(step)

    def invalidate(self, token: Secret[str]) -> None:
        if not token.expose():
            raise InvalidArgumentError("token is empty; pass the one that the server rejected")
        with self._lock:
            if token.expose() != self._steps.expose()[self._position]:
                return
            self._counters["invalidations"] += 1
            if not self._move_on("rejected"):
                self._counters["false_alarms"] += 1

    def logout(self, milliseconds: int) -> bool:
        with self._lock:
            self._move_on("first")
        return True

    def stats(self) -> str:
        with self._lock:
            return json.dumps(self._report())

    def _report(self) -> Stats:
        counters = self._counters
        reasons = ("first", "ended", "renewed", "rejected")
        return {
            "version": VERSION,
            "base_url": self._base_url,
            "store": {"kind": "fake", "place": None, "degraded": False, "why_not": None, "lasting": False},
            "token": None
            if self._reason
            else {"fingerprint": self._fingerprint(), "obtained_at": None, "expires_at": None},
            "hold_off": None,
            "hits": counters["hits"],
            "adopted": 0,
            "logins": sum(counters[reason] for reason in reasons),
            "logins_by_reason": {
                "first": counters["first"],
                "ended": 0,
                "renewed": 0,
                "rejected": counters["rejected"],
            },
            "logins_failed": counters["logins_failed"],
            "waits": 0,
            "invalidations": counters["invalidations"],
            "false_alarms": counters["false_alarms"],
            "login_budget_left": None,
            "events": [],
        }

    def _fingerprint(self) -> str:
        step = self._steps.expose()[self._position]
        return hashlib.sha256(str(step).encode()).hexdigest()[:12]

    def _move_on(self, reason: str | None) -> bool:
        """Whether there is something to move on to."""
        if self._position == self._last:
            return False
        self._position += 1
        self._reason = reason
        return True
