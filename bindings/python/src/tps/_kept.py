"""The token that Python has seen, with the library's number for it, so that a token at hand costs no new text."""

from __future__ import annotations

import weakref
from collections.abc import Callable

from ._backend import NoNumber, Numbered, Word
from ._secret import Redacted


class KeptToken(Redacted):
    """Shows nothing of its token. A number is never used again, so while the library has it, the token is right.

    `word.value == number`, or else `ask(address) == number`: the token may be given out. Written out where it is asked,
    since each call of a Python function costs more than the answer.
    """

    __slots__ = ("__weakref__", "_backend", "address", "ask", "number", "token", "word")

    address: int
    ask: Callable[[int], int]
    #: -1 once the token may not be given out any more.
    number: int
    token: str
    word: Word

    def __init__(self, backend: Numbered, number: int, token: str) -> None:
        # The word and the address are the library's as long as that is.
        self._backend = backend
        self.address, self.ask, self.word = backend.address, backend.ask, backend.word
        self.number = number
        self.token = token
        _ALL.add(self)


_ALL: weakref.WeakSet[KeptToken] = weakref.WeakSet()

#: What a client has before its first token.
NONE = KeptToken(NoNumber(), -1, "")


def forget_all() -> None:
    """Lets every client ask for its token anew."""
    for kept in list(_ALL):
        kept.number = -1
