"""What the HTTP libraries' responses share, wherever they put it."""

from __future__ import annotations

import contextlib
import io
import urllib.error
from collections.abc import Iterator, Mapping
from inspect import iscoroutinefunction
from typing import Any, NamedTuple

# More is read for nobody: what rejects a token is a line.
LONGEST = 64 * 1024

# What may reject a token; other answers are not looked into.
STATUSES = (401, 403)

_DEPTH = 5


class Answer(NamedTuple):
    """Of requests, httpx, aiohttp, urllib, urllib3, http.client, httplib2, and whatever looks like them."""

    status: int
    headers: Mapping[str, str] | None
    body: object

    @classmethod
    def of(cls, response: Any) -> Answer | None:
        """None if it is no response."""
        # As httplib2 and (status, headers, body) have it.
        if isinstance(response, tuple) and len(response) in (2, 3):
            return cls._of_tuple(response)
        status = _status(response)
        if status is None:
            return None
        headers = _headers(response)
        return cls(status, headers, _body(response, headers) if status in STATUSES else None)

    @classmethod
    async def of_async(cls, response: Any) -> Answer | None:
        """The same for a response whose body may still have to be awaited."""
        if _status(response) in STATUSES and _short(_headers(response)):
            for name in ("aread", "read"):
                read = getattr(response, name, None)
                if iscoroutinefunction(read):
                    # Released already, or read by somebody: what is known of it has to do.
                    with contextlib.suppress(Exception):
                        await read()
                    break
        return cls.of(response)

    @classmethod
    def carried(cls, error: BaseException) -> Iterator[Answer]:
        """Those that an exception or its causes carry."""
        cause: BaseException | None = error
        for _ in range(_DEPTH):
            if cause is None:
                return
            for candidate in (getattr(cause, "response", None), cause):
                answer = cls.of(candidate)
                if answer:
                    yield answer
                    break
            cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)

    @classmethod
    def _of_tuple(cls, response: tuple[Any, ...]) -> Answer | None:
        first, *others = response
        if isinstance(first, int) and len(others) == 2 and isinstance(others[0], Mapping):
            return cls(first, others[0], others[1])
        status = _status(first)
        if status is None:
            return None
        return cls(status, first if isinstance(first, Mapping) else _headers(first), others[0])


def _status(response: Any) -> int | None:
    for name in ("status_code", "status", "code"):
        try:
            value = getattr(response, name, None)
        except Exception:
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            return int(value)
    return None


def _headers(response: Any) -> Mapping[str, str] | None:
    headers = getattr(response, "headers", None)
    return headers if hasattr(headers, "items") else None


def _short(headers: Mapping[str, str] | None) -> bool:
    length = next((str(value) for name, value in (headers or {}).items() if name.lower() == "content-length"), "")
    return length.isdigit() and int(length) <= LONGEST


def _body(response: Any, headers: Mapping[str, str] | None) -> object:
    """Only what can be read without taking it from the caller."""
    try:
        if isinstance(response, urllib.error.HTTPError):
            return _of_http_error(response) if _short(headers) else None
        # http.client, whose body is read once.
        if hasattr(response, "peek"):
            return response.peek(LONGEST)
        # What requests has is False until its body is read.
        if getattr(response, "_content", None) is False and not _short(headers):
            return None
        for name in ("content", "data", "_body", "body", "text"):
            body = getattr(response, name, None)
            if isinstance(body, (bytes, str, Mapping)):
                return body
    except Exception:
        # A stream that somebody has begun to read, or something else by that name.
        pass
    return None


def _of_http_error(error: urllib.error.HTTPError) -> bytes:
    """Reads the body, and puts it back for the caller."""
    body = error.fp.read() if error.fp else b""
    vars(error).pop("read", None)
    error.fp = error.file = io.BytesIO(body)
    return body
