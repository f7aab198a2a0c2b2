"""What holds or leads to a secret."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NoReturn, SupportsIndex, TypeVar

T = TypeVar("T")


class Redacted:
    """Shows nothing of itself, and cannot be pickled. A copy is the object itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.{type(self).__qualname__} [redacted]>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(
            f"{type(self).__qualname__} cannot be pickled: it leads to a secret. Make a new one where it is needed"
        )

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self


class Secret(Redacted, Generic[T]):
    """A value that no `repr`, pickle or list of a frame's variables shows: it is in a closure."""

    __slots__ = ("expose",)

    #: Gives the value.
    expose: Callable[[], T]

    def __init__(self, value: T) -> None:
        self.expose = lambda: value


class HeaderText(str):
    """A header's value with a token in it. HTTP libraries keep headers in variables, which tracebacks may show."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'Token [redacted]'"

    @classmethod
    def of(cls, token: str) -> HeaderText:
        return cls(f"Token {token}")
