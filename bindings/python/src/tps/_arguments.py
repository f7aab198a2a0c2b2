"""Credentials and options as the library takes them, checked as far as Python can.

A function that raises here has no secret in its local variables: error reporters send them. So a check returns what
is wrong, and its caller raises.
"""

from __future__ import annotations

import json
import math
import os
from datetime import timedelta
from typing import Any

from . import _environment
from ._errors import InvalidArgumentError
from ._secret import Redacted, Secret
from ._settings import Settings

CREDENTIALS = ("username", "password", "organization_id")

# Options in seconds, and those in milliseconds that they stand for.
_SECONDS = {"timeout": "timeout_ms", "connect_timeout": "connect_timeout_ms"}


class CheckedArguments(Redacted):
    """What a client was given."""

    __slots__ = ("_missing", "_strings", "settings")

    settings: Settings

    def __init__(self, given: dict[str, Any]) -> None:
        """Takes the keywords of `Client` and empties them, so that the caller's frame does not show them.

        Raises InvalidArgumentError, which names the argument. `require_credentials` refuses a missing credential.
        """
        fault = self._take(given)
        if fault:
            raise InvalidArgumentError(fault)

    @property
    def complete(self) -> bool:
        """Whether there are all credentials."""
        return self._missing is None

    def require_credentials(self) -> None:
        """Raises InvalidArgumentError, which names the credential that is missing."""
        if self._missing:
            raise InvalidArgumentError(
                f"{self._missing} is missing or empty: give {self._missing}= with the other credentials, or set "
                f"{_environment.variable(self._missing)} with the others and take all of them by tps.from_env()"
            )

    def strings(self) -> tuple[bytes, bytes, bytes, bytes]:
        """Username, password, organization, and options as JSON."""
        return self._strings.expose()

    @property
    def identity(self) -> int:
        """The same for those who share a token in the library."""
        return hash((self.strings()[:3], self.settings.base_url, self.settings.cache))

    def _take(self, given: dict[str, Any]) -> str | None:
        arguments = dict(given)
        given.clear()
        if "lazy" in arguments:
            return "lazy is not an option here: tps.Client() is lazy, tps.login() is not"
        credentials = {name: arguments.pop(name, None) for name in CREDENTIALS}
        options = _environment.options() | {name: value for name, value in arguments.items() if value is not None}
        fault = _convert(credentials) or _in_milliseconds(options) or _convert(options)
        if fault:
            return fault
        self._missing = next((name for name in CREDENTIALS if not credentials[name]), None)
        self.settings = Settings.of(options, credentials["organization_id"])
        return self._write(credentials, options)

    def _write(self, credentials: dict[str, Any], options: dict[str, Any]) -> str | None:
        try:
            text = json.dumps(options | {"lazy": True}, allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError):
            return "an option cannot be written as JSON"
        username, password, organization_id = ((credentials[name] or "").encode() for name in CREDENTIALS)
        self._strings = Secret((username, password, organization_id, text))
        return None


def text_fault(name: str, value: object) -> str | None:
    """What is wrong with a text for the library: it takes UTF-8 without NUL."""
    if not isinstance(value, str):
        return f"{name} must be a str, not {type(value).__name__}"
    try:
        value.encode()
    except UnicodeEncodeError:
        return f"{name} cannot be written as UTF-8"
    return f"{name} contains a NUL character" if "\0" in value else None


def _convert(values: dict[str, Any]) -> str | None:
    """Puts plain texts in the place of paths and checks all texts."""
    for name, value in values.items():
        if isinstance(value, os.PathLike):
            value = values[name] = os.fspath(value)
        if isinstance(value, (str, bytes)) or (name in CREDENTIALS and value is not None):
            fault = text_fault(name, value)
            if fault:
                return fault
    return None


def _in_milliseconds(options: dict[str, Any]) -> str | None:
    for name, milliseconds in _SECONDS.items():
        if name not in options:
            continue
        if milliseconds in options:
            return f"give {name} in seconds or {milliseconds}, not both"
        seconds = options.pop(name)
        if isinstance(seconds, timedelta):
            seconds = seconds.total_seconds()
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds < math.inf:
            return f"{name} must be a number of seconds above 0"
        options[milliseconds] = math.ceil(seconds * 1000)
    return None
