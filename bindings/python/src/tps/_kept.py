"""The token that Python has seen, with the library's number for it, so that a token at hand costs no new text."""

from __future__ import annotations

import time
import weakref

from ._backend import NoNumber, Numbered, Word
from ._secret import Redacted

#: For so many seconds holds what the library said of a token that expires.
_TICK = 1 / 16


class KeptToken(Redacted):
    """Shows nothing of its token. A number is never used again, so while the library has it, the token is right.

    `word.value == number`, or `since <= time.time() < until`, or else `asked()`: the token may be given out. Written
    out where it is asked, since each call of a Python function costs more than the answer.
    """

    __slots__ = ("__weakref__", "_address", "_ask", "_backend", "number", "since", "token", "until", "word")

    #: -1 once the token may not be given out any more.
    number: int
    #: Between these two, in seconds since the epoch, the library need not be asked. A clock that was set is outside.
    since: float
    until: float
    token: str
    word: Word

    def __init__(self, backend: Numbered, number: int, token: str) -> None:
        # The word and the address are the library's as long as that is.
        self._backend = backend
        self._address, self._ask, self.word = backend.address, backend.ask, backend.word
        self.number = number
        self.since = self.until = 0.0
        self.token = token
        _ALL.add(weakref.ref(self, _ALL.discard))

    def asked(self) -> bool:
        """Whether the library still has it."""
        now = time.time()
        if self._ask(self._address) != self.number:
            return False
        self.since, self.until = now, now + _TICK
        # Another thread may have reported the token in between, before there was anything to forget.
        if self._ask(self._address) != self.number:
            self.until = 0.0
            return False
        return True


# A plain set, which is copied at one go whatever other threads do.
_ALL: set[weakref.ref[KeptToken]] = set()

#: What a client has before its first token.
NONE = KeptToken(NoNumber(), -1, "")


def _alive() -> list[KeptToken]:
    return [kept for reference in _ALL.copy() if (kept := reference())]


def ask_anew() -> None:
    """Lets every client ask the library whether it still has the client's token."""
    for kept in _alive():
        kept.until = 0.0


def forget_all() -> None:
    """Lets every client ask for its token anew."""
    for kept in _alive():
        kept.number, kept.until = -1, 0.0
