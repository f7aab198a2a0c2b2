"""What the authorizations of HTTP libraries use of `Client`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ._account import Account


class TokenSource(Protocol):
    """See `Client`."""

    @property
    def token(self) -> str:
        """The valid token."""
        ...

    def invalidate(self, token: str) -> None:
        """Says that the server has rejected this token."""
        ...

    @property
    def _account(self) -> Account:
        """Whose token it is, and where its server is."""
        ...

    async def _token_on_loop(self, sleep: Callable[[float], Awaitable[None]]) -> str:
        """The valid token, for an event loop that sleeps so."""
        ...
