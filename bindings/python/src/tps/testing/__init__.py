"""For the tests of programs that use this package. Needs neither the library nor a network.

    with tps.testing.fake(token="t"):      # every client of the process
        ...
    client = tps.testing.FakeClient(token="t")  # one client alone

pytest has the fixture `fake_tps`.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from .. import _kept
from .._account import Account, Substitute
from .._client import Client
from .._errors import Error, InvalidArgumentError
from .._secret import Secret
from .._settings import DEFAULT_BASE_URL
from ._checks import base_url_fault, options_fault
from ._script import Script

if TYPE_CHECKING:
    from typing_extensions import Self

    from .._arguments import CheckedArguments
    from .._types import Stats

__all__ = ["Fake", "FakeClient", "fake"]


class FakeClient(Client):
    """A client that follows a script. It is a `Client` in every respect: its tokens go into requests."""

    __slots__ = ()

    def __init__(
        self,
        *,
        token: str | None = None,
        tokens: Sequence[str | Error] | None = None,
        error: Error | None = None,
        base_url: str = DEFAULT_BASE_URL,
        organization_id: str = "fake",
    ) -> None:
        """Takes one of these three.

        token: what `token` returns, whatever is reported.
        tokens: what it returns or raises, one after another: a token serves until it is reported by `invalidate` or
        revoked by `logout`, an error is raised once; the last one stays.
        error: what it raises each time.

        Raises TypeError unless there is one, and InvalidArgumentError for a token or a base URL that the real one
        refuses.
        """
        steps = _steps(token, tokens, error)
        del token, tokens
        fault = base_url_fault(base_url)
        if fault:
            raise InvalidArgumentError(fault)
        script = Script(steps, base_url)
        self._begin({"base_url": base_url, "organization_id": organization_id})
        self._account = _FakeAccount(self._account, script)


class _FakeAccount(Account):
    """Nobody's token."""

    __slots__ = ("_script",)

    def __init__(self, account: Account, script: Script) -> None:
        self.settings, self.events, self.identity = account.settings, account.events, account.identity
        self._script = script

    @property
    def complete(self) -> bool:
        return True

    def open(self) -> Script:
        return self._script

    def close(self) -> None:
        pass


class Fake:
    """What `fake` began. It ends with `stop`, or with the block of `with`."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._before = Account.substitute
        _substitute(_Fakes(script))

    def stop(self) -> None:
        """What held before holds again."""
        _substitute(self._before)

    @property
    def stats(self) -> Stats:
        """The counts of all clients together: `logins`, `invalidations` and so on, as `Client.stats`."""
        return self._script._report()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


class _Fakes:
    """Serves all clients of the process."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def backend_for(self, arguments: CheckedArguments | None) -> Script:
        if arguments is not None:
            arguments.require_credentials()
            fault = options_fault(arguments.strings()[3])
            if fault:
                raise InvalidArgumentError(fault)
        return self._script


def fake(*, token: str | None = None, tokens: Sequence[str | Error] | None = None, error: Error | None = None) -> Fake:
    """From now on no client of this process touches the library or the network: all give these tokens.

    That holds for clients that are there already and for new ones. Arguments are checked as before.

    Takes one of `token`, `tokens` and `error`, as `FakeClient` does, or none: `"fake-token"`. Returns what ends it.

    Raises TypeError for more than one, and InvalidArgumentError for a token that the real one refuses.
    """
    if token is None and tokens is None and error is None:
        token = "fake-token"
    steps = _steps(token, tokens, error)
    del token, tokens
    return Fake(Script(steps, DEFAULT_BASE_URL))


def _substitute(substitute: Substitute | None) -> None:
    Account.substitute = substitute
    # What clients have at hand, they would give without asking.
    _kept.forget_all()


def _steps(
    token: str | None, tokens: Sequence[str | Error] | None, error: Error | None
) -> Secret[Sequence[str | Error]]:
    """Empty unless there is one of them. What is wrong is told where no variable holds a token."""
    given: list[Sequence[str | Error]] = [
        *([[token]] if token is not None else []),
        *([tuple(tokens)] if tokens is not None else []),
        *([[error]] if error is not None else []),
    ]
    return Secret(given[0] if len(given) == 1 else ())
