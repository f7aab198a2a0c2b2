"""Passes the library's events on to `logging`, each one once in a process."""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from ._errors import InvalidArgumentError, error_class
from ._types import Event

if TYPE_CHECKING:
    from ._origin import Origin
    from ._settings import Settings

LOGGER = logging.getLogger("tps")
LOGGER.addHandler(logging.NullHandler())

# How loud each kind is. One that this package does not know is INFO.
_LEVELS = {
    "adopted": logging.DEBUG,
    "rejected": logging.WARNING,
    "hold_off": logging.WARNING,
    "budget": logging.ERROR,
    "degraded": logging.WARNING,
}

# The number of the last event that was passed on, by whose it is.
_seen: dict[int, int] = {}
_lock = threading.Lock()


def _begin_anew() -> None:
    global _lock
    # Another thread of the parent may have had it.
    _lock = threading.Lock()
    # The library counts each process's events for itself.
    _seen.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


def checked_logger(logger: Any) -> logging.Logger | logging.LoggerAdapter[Any]:
    """The value of the option `logger`. Raises InvalidArgumentError."""
    if logger is None:
        return LOGGER
    if isinstance(logger, (logging.Logger, logging.LoggerAdapter)):
        return logger
    raise InvalidArgumentError(f"logger must be a logging.Logger or None, not {type(logger).__name__}")


class Owner(Protocol):
    """Whose events they are, see `Account`."""

    #: The same for those who share a token.
    identity: int
    settings: Settings


class Events:
    """Those of one account."""

    def __init__(self, account: Owner, logger: logging.Logger | logging.LoggerAdapter[Any]) -> None:
        self._account = account
        self._logger = logger
        self._origins: set[Origin | None] = set()

    def pass_on(self, last: Callable[[], list[Event]]) -> None:
        """What goes wrong where they go to does not concern who asks for a token."""
        if not self._logger.isEnabledFor(logging.ERROR):
            return
        try:
            for event in self._unseen(last):
                level = _LEVELS.get(event["kind"], logging.INFO)
                self._logger.log(level, "%s", _Text(event), extra={"tps": event})
        except Exception as error:
            warnings.warn(f"tps: an event could not be passed on: {type(error).__name__}", RuntimeWarning, stacklevel=4)

    def other_origin(self, origin: Origin | None) -> None:
        """Says once that a request goes elsewhere, without the token: `localhost` is not `127.0.0.1`."""
        if origin in self._origins:
            return
        self._origins.add(origin)
        self._logger.warning(
            "TPS: requests to %s carry no token: it belongs to %s (base_url)", origin, self._account.settings.origin
        )

    def _unseen(self, last: Callable[[], list[Event]]) -> list[Event]:
        # A signal handler may find the lock taken by what it interrupts: a later call tells.
        lock = _lock
        if not lock.acquire(blocking=False):
            return []
        try:
            events = last()
            newest = events[-1]["number"] if events else 0
            seen = _seen.get(self._account.identity, 0)
            _seen[self._account.identity] = newest
        finally:
            lock.release()
        return [self._payload(event) for event in events if event["number"] > seen]

    def _payload(self, event: Event) -> Event:
        status = event["status"]
        payload = event.copy()
        payload["status"] = error_class(status).status if isinstance(status, int) else status
        payload["organization_id"] = self._account.settings.organization_id
        return payload


class _Text:
    """An event's line in a log, written where somebody reads it."""

    def __init__(self, event: Event) -> None:
        self._event = event

    def __str__(self) -> str:
        event = self._event
        details = [f"organization={event.get('organization_id')}"]
        if event["reason"]:
            details.append(f"reason={event['reason']}")
        if event["status"]:
            details.append(f"status={event['status']}")
        if event["duration"] is not None:
            details.append(f"{event['duration']} ms")
        message = f": {event['message']}" if event["message"] else ""
        return f"TPS: {event['kind']} ({', '.join(details)}){message}"
