"""What the library refuses, for fakes, which have no library. Each function says what is wrong, and shows no value."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

_MILLISECONDS = range(1, 3_600_001)
_LONGEST_TOKEN = 4096
_CACHES = re.compile(r"(?:auto\Z|memory\Z|file:|rediss?(?:\+sentinel|\+cluster)?://|redis\+unix://)")
_LOOPBACK = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|::1)\Z", re.IGNORECASE)
_PRINTABLE = re.compile(r"[ -~]{1,200}\Z")


def options_fault(text: bytes) -> str | None:
    """Of the options as the library gets them, JSON."""
    for name, value in json.loads(text).items():
        check = _OPTIONS.get(name)
        if check is None:
            return f"there is no option {name}; there are {', '.join(_OPTIONS)}"
        fault = check(name, value)
        if fault:
            return fault
    return None


def token_fault(name: str, value: object) -> str | None:
    """Of a token, which has to fit into a header."""
    if not isinstance(value, str):
        return f"{name} must be a string"
    if not value:
        fault = "is empty"
    elif value == "null":
        fault = "is the word null"
    elif len(value.encode()) > _LONGEST_TOKEN:
        fault = f"is longer than {_LONGEST_TOKEN} bytes"
    elif not re.fullmatch(r"[!-~]+", value):
        fault = "has white space, control characters or letters outside ASCII"
    else:
        return None
    return f"{name} {fault}; give the token alone, without the word Token"


def base_url_fault(value: object) -> str | None:
    """Of the option `base_url`."""
    try:
        url = urlsplit(value) if isinstance(value, str) else None
    except ValueError:
        url = None
    if url is None or url.scheme not in ("http", "https") or not url.hostname:
        return "option base_url must be a URL like https://app.tpstreams.com"
    if "@" in url.netloc or url.query or url.fragment:
        return "option base_url has user information, a query or a fragment"
    if url.scheme == "http" and not _LOOPBACK.match(url.hostname):
        return "option base_url would send the password in clear: use https"
    return None


def _text(name: str, value: object) -> str | None:
    return None if isinstance(value, str) else f"option {name} must be a string"


def _cache(name: str, value: object) -> str | None:
    return _text(name, value) or (None if _CACHES.match(str(value)) else "option cache is none that there is")


def _ca_file(name: str, value: object) -> str | None:
    return _text(name, value) or (None if os.path.isfile(str(value)) else "option ca_file: there is no such file")


def _user_agent(name: str, value: object) -> str | None:
    fits = isinstance(value, str) and _PRINTABLE.match(value)
    return None if fits else "option user_agent must be 1 to 200 printable ASCII characters"


def _number(allowed: range, word: str | None = None) -> Callable[[str, Any], str | None]:
    def check(name: str, value: Any) -> str | None:
        if (word is not None and value == word) or (type(value) is int and value in allowed):
            return None
        return f"option {name} must be a whole number from {allowed[0]} to {allowed[-1]}"

    return check


_OPTIONS: dict[str, Callable[[str, Any], str | None]] = {
    "base_url": lambda _, value: base_url_fault(value),
    "cache": _cache,
    "timeout_ms": _number(_MILLISECONDS),
    "connect_timeout_ms": _number(_MILLISECONDS),
    "ca_file": _ca_file,
    "proxy": _text,
    "refresh_ahead": _number(range(86_401), "auto"),
    "logins_per_day": _number(range(1_000_001)),
    "token": lambda _, value: token_fault("option token", value),
    "lazy": lambda _, __: None,
    "user_agent": _user_agent,
}
