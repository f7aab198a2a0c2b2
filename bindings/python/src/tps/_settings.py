"""What of the arguments counts in Python too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ._origin import Origin

DEFAULT_BASE_URL = "https://app.tpstreams.com"
_DEFAULT_TIMEOUT_MS = 15_000


class Settings(NamedTuple):
    """Whose token it is, where it goes, and how long a call may wait for it."""

    organization_id: str | None
    base_url: str
    cache: str
    timeout_ms: int

    @classmethod
    def of(cls, options: Mapping[str, Any], organization_id: str | None) -> Settings:
        timeout_ms = options.get("timeout_ms")
        return cls(
            organization_id,
            str(options.get("base_url", DEFAULT_BASE_URL)),
            str(options.get("cache", "auto")),
            # Another type is refused by the library.
            timeout_ms if isinstance(timeout_ms, int) else _DEFAULT_TIMEOUT_MS,
        )

    @property
    def origin(self) -> Origin | None:
        """That of `base_url`."""
        return Origin.of(self.base_url)
