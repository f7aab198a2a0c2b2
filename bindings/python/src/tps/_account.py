"""Whose token it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from ._arguments import CheckedArguments
from ._backend import Backend
from ._errors import ClosedError
from ._events import Events, checked_logger
from ._secret import Redacted
from ._settings import Settings

if TYPE_CHECKING:
    from ._native import Handle


class Substitute(Protocol):
    """What serves all clients instead of the library, see `tps.testing.fake`."""

    def backend_for(self, arguments: CheckedArguments | None) -> Backend:
        """Checks the arguments as the library does; None where the library had them before."""
        ...


class Account(Redacted):
    """What a client was given, until the library has it, and what Python needs of it later."""

    __slots__ = ("_arguments", "_handle", "events", "identity", "settings")

    substitute: ClassVar[Substitute | None] = None

    settings: Settings
    events: Events
    #: The same for accounts that share a token.
    identity: int

    def __init__(self, given: dict[str, Any]) -> None:
        """Takes the keywords of `Client` and empties them. Raises InvalidArgumentError."""
        logger = given.pop("logger", None)
        self._arguments: CheckedArguments | None = CheckedArguments(given)
        self._handle: Handle | None = None
        self.settings = self._arguments.settings
        self.identity = self._arguments.identity
        self.events = Events(self, checked_logger(logger))

    @property
    def complete(self) -> bool:
        """Whether there are all credentials."""
        return self._arguments is None or self._arguments.complete

    def open(self) -> Backend:
        """What does the work: the library's client, made at the first call, or a substitute in its place.

        Raises InvalidArgumentError if a credential is missing, and LibraryError.
        """
        substitute, arguments = Account.substitute, self._arguments
        if substitute is not None:
            return substitute.backend_for(arguments)
        # Two threads may be here at once: both get the same client of the library.
        if arguments is not None:
            arguments.require_credentials()
            # Loads the library.
            from . import _native

            self._handle = _native.open_client(arguments)
            # The library has them now.
            self._arguments = None
        handle = self._handle
        if handle is None:
            raise ClosedError("the client is closed; make a new one")
        return handle

    def close(self) -> None:
        """Lets go of the library."""
        self._handle = None
