"""Waits for the library in slices, so that Python can act in between: Ctrl-C, signal handlers, an event loop."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

# How long one call into the library keeps the thread waiting.
_SLICE_MS = 50

# On an event loop nothing waits inside the library. The pauses between two looks, in seconds.
_FIRST_PAUSE = 0.001
_LONGEST_PAUSE = 0.02

# Whose `sleep` takes the place of Python's: other green threads would stand still in a call that waits.
_GREEN = ("gevent.hub", "eventlet.greenthread")


def until_done(limit_ms: int, step: Callable[[int], bool]) -> bool:
    """Calls `step` with the milliseconds that it may wait until it says True; False when the time is over."""
    deadline = time.monotonic() + limit_ms / 1000
    pause = _FIRST_PAUSE
    while True:
        green = time.sleep.__module__ in _GREEN
        left = deadline - time.monotonic()
        if step(0 if green else max(0, min(_SLICE_MS, int(left * 1000)))):
            return True
        if time.monotonic() >= deadline:
            return False
        if green:
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)


async def until_done_async(
    limit_ms: int, step: Callable[[int], bool], sleep: Callable[[float], Awaitable[None]]
) -> bool:
    """The same on an event loop, which goes on meanwhile."""
    deadline = time.monotonic() + limit_ms / 1000
    pause = _FIRST_PAUSE
    while not step(0):
        if time.monotonic() >= deadline:
            return False
        await sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
    return True
