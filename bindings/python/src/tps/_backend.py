"""What does a client's work: the library's client, or a fake in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ._secret import Secret


class Word(Protocol):
    """A number in the library's memory."""

    @property
    def value(self) -> int:
        """The number now."""
        ...


class Numbered(Protocol):
    """What has a number for the token at hand."""

    @property
    def address(self) -> int:
        """For `ask`."""
        ...

    @property
    def ask(self) -> Callable[[int], int]:
        """Gives the number of the token at hand, 0 if there is none."""
        ...

    @property
    def word(self) -> Word:
        """Holds the same number while that can be read without a call, else 0."""
        ...


class Backend(Numbered, Protocol):
    """See `_native.Handle`, which is the real one."""

    def wait(self, milliseconds: int) -> bool:
        """Sees to it that a token is at hand; whether there is one."""
        ...

    def token(self) -> str:
        """For when `wait` was true."""
        ...

    def invalidate(self, token: Secret[str]) -> None:
        """Says that the server has rejected this token."""
        ...

    def logout(self, milliseconds: int) -> bool:
        """Starts a logout or joins the one under way; whether it is done."""
        ...

    def stats(self) -> str:
        """JSON."""
        ...


class _Zero:
    value = 0


class NoNumber:
    """For what gives out each token without a number."""

    address = 0
    word: Word = _Zero()

    @staticmethod
    def ask(address: int) -> int:
        """No token is at hand."""
        return 0
