"""Where a token may be sent."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}

# What parsers of URLs read differently: such a URL has no origin here, and gets no token.
_AMBIGUOUS = re.compile(r"[\\\s\x00-\x1f]")


class Origin(NamedTuple):
    """Scheme, host and port: what decides where a token may be sent."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin | None:
        """The origin of a URL; None if it is none of HTTP with a host."""
        if _AMBIGUOUS.search(url):
            return None
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            return None
        if not host or parts.scheme not in _PORTS:
            return None
        return cls(parts.scheme, host, _PORTS[parts.scheme] if port is None else port)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"
