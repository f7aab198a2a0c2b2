"""A request's body that is read from streams."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class SentBody:
    """The streams' positions before they were sent: one is used up then, and has to be back in its place."""

    def __init__(self, streams: Iterable[Any]) -> None:
        self._streams = [(stream, _position(stream)) for stream in streams]

    def rewind(self) -> bool:
        """Whether the whole body can be sent again."""
        return all(_move(stream, position) for stream, position in self._streams)


def _position(stream: Any) -> int | None:
    """None for a stream that cannot tell, a pipe say: what was read of it before is not known."""
    try:
        return int(stream.tell())
    except (AttributeError, OSError, TypeError, ValueError):
        return None


def _move(stream: Any, position: int | None) -> bool:
    if position is None:
        return False
    try:
        stream.seek(position)
    except (AttributeError, OSError, TypeError, ValueError):
        return False
    return True
