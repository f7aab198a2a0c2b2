"""What this package raises: one class for each status."""

from __future__ import annotations

import builtins
from typing import Any, ClassVar


class Error(Exception):
    """Everything that this package raises. The message is one line and holds no secret."""

    #: What kind of fault it is, the same for every error of a class. A library newer than this package may report a
    #: kind that has no class here: `"unknown"`.
    status: ClassVar[str] = "unknown"

    #: The HTTP status of the answer that caused it; None where there was none.
    http_status: int | None

    #: Seconds for which nothing will be sent; 0.0: a call may try at once.
    retry_after: float

    def __init__(self, message: str = "", *, http_status: int | None = None, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.retry_after = retry_after

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args, {"http_status": self.http_status, "retry_after": self.retry_after}


class InvalidArgumentError(Error, ValueError):
    """An argument or option is missing, empty, unknown or of the wrong type; the message names it. Nothing was sent."""

    status = "invalid_argument"


class CredentialsError(Error):
    """The server refused username, password or organization."""

    status = "credentials"


class TokenLimitError(Error):
    """The organization holds as many tokens as it may."""

    status = "token_limit"


class ThrottledError(Error):
    """The server asks to wait; see `retry_after`."""

    status = "throttled"


class NetworkError(Error):
    """The server could not be reached: name resolution, connection, proxy."""

    status = "network"


class TLSError(Error):
    """The server's certificate is not trusted, or TLS failed otherwise."""

    status = "tls"


class TimeoutError(Error, builtins.TimeoutError):
    """The time was over first (option `timeout`)."""

    status = "timeout"


class ServerError(Error):
    """The server answered with a status of 500 or more."""

    status = "server"


class UnexpectedResponseError(Error):
    """The server answered something else than it promises: a redirect, no JSON, another 4xx."""

    status = "unexpected_response"


class OutcomeUnknownError(Error):
    """The login was sent and its answer was lost: a token may have been made."""

    status = "outcome_unknown"


class LoginBudgetError(Error):
    """Too many logins already; see the option `logins_per_day` and `retry_after`."""

    status = "login_budget"


class InternalError(Error):
    """A bug in the library."""

    status = "internal"


class TokenRejected(Error):
    """For the function given to `Client.with_token` to raise: the server has rejected the token that it was given."""

    status = "token_rejected"


class ClosedError(Error):
    """The client was closed, see `Client.close`."""

    status = "closed"


class LibraryError(Error):
    """The library libtps cannot be found, loaded or used here; the message says what to do."""

    status = "library"


# The numbers of enum tps_status.
_NUMBERS: dict[int, type[Error]] = {
    1: InvalidArgumentError,
    2: CredentialsError,
    3: TokenLimitError,
    4: ThrottledError,
    5: NetworkError,
    6: TLSError,
    7: TimeoutError,
    8: ServerError,
    9: UnexpectedResponseError,
    10: OutcomeUnknownError,
    11: LoginBudgetError,
    12: InternalError,
}


def error_class(number: int) -> type[Error]:
    """The class for a number of the library's."""
    return _NUMBERS.get(number, Error)
