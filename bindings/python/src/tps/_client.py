"""The client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from inspect import isawaitable, iscoroutine
from time import time
from typing import TYPE_CHECKING, Any, TypeVar, cast

from . import _environment, _kept, _waiting
from ._account import Account
from ._answer import Answer
from ._arguments import text_fault
from ._backend import Backend
from ._errors import ClosedError, Error, InvalidArgumentError, TimeoutError
from ._rejection import raised, rejects
from ._secret import Redacted, Secret
from ._types import Arguments, Options, Stats

if TYPE_CHECKING:
    import httpx
    import requests.auth
    from typing_extensions import Self, Unpack

T = TypeVar("T")


class Client(Redacted):
    """One set of credentials and the token that belongs to them.

    Any number of threads may use one client at once. Clients with the same credentials share one token, so it does not
    matter whether a client is kept or made anew. It cannot be pickled: make one where it is needed.
    """

    __slots__ = ("__weakref__", "_account", "_closed", "_kept")

    def __init__(self, **given: Unpack[Arguments]) -> None:
        """Makes a client without any I/O; the first `token` logs in.

        Credentials are never taken from the environment, see `tps.from_env`. The first `token` refuses one that is
        missing, None or empty, so that a program starts without them. Everything else that is wrong is refused at
        once.

        Raises InvalidArgumentError, which names the argument, and LibraryError if the library cannot be loaded.
        """
        self._begin(cast("dict[str, Any]", given))

    @classmethod
    def _made(cls, given: dict[str, Any]) -> Self:
        """From keywords, which are emptied: a copy would stay in the caller's frame, and tracebacks may show it."""
        client = cls.__new__(cls)
        client._begin(given)
        return client

    @classmethod
    def _from_environment(cls, options: Options) -> Self:
        given = cast("dict[str, Any]", options)
        crossing = [name for name in _environment.CREDENTIALS if name in given]
        if crossing:
            given.clear()
            raise InvalidArgumentError(
                f"from_env takes all credentials from the environment: {', '.join(crossing)} cannot be given; "
                "tps.login() takes all as arguments"
            )
        given.update(_environment.credentials())
        return cls._made(given)

    def _begin(self, given: dict[str, Any]) -> None:
        self._closed = False
        self._kept = _kept.NONE
        self._account = Account(given)
        if self._account.complete:
            self._account.open()

    @property
    def token(self) -> str:
        """The valid token.

        At hand it costs no I/O; the library is asked 16 times a second whether one that expires still serves. Else this
        takes the one that is stored, logs in, or waits for the thread or process that is logging in. Signal handlers
        and Ctrl-C act within 50 ms; a login under way goes on and serves the next call. On an event loop use
        `await client.atoken()`.

        Raises Error, one subclass for each reason.
        """
        kept = self._kept
        if kept.word.value == kept.number or kept.since <= time() < kept.until or kept.asked():
            return kept.token
        return self._wait_for_token()

    @property
    def authorization(self) -> str:
        """The value for the header `Authorization`: `"Token …"`. Raises as `token`."""
        return f"Token {self.token}"

    async def atoken(self) -> str:
        """The valid token, as `token`; the event loop of asyncio goes on meanwhile."""
        return await self._token_on_loop(asyncio.sleep)

    def with_token(self, call: Callable[[str], T]) -> T:
        """For any HTTP library: calls `call` with the token, and if the server has rejected it with another one, once.

        The function says so by what it returns or raises: a response, or an exception that carries one, with a status
        of 401 (or of 403, if its body says `Invalid token.`), or `TokenRejected`. A 401 that names another reason,
        missing credentials say, is no rejection. Returns what the function returned last.

            client.with_token(lambda token: urlopen(Request(url, headers={"Authorization": f"Token {token}"})))

        Raises as `token`, and what the function raises.
        """
        sent = Secret(self.token)
        try:
            outcome = call(sent.expose())
            if isawaitable(outcome):
                if iscoroutine(outcome):
                    outcome.close()
                raise TypeError("with_token takes a function that is not async: use `await client.awith_token(…)`")
            if not rejects(Answer.of(outcome)):
                return outcome
        except Exception as error:
            if not raised(error):
                raise
        self.invalidate(sent.expose())
        return call(self.token)

    async def awith_token(self, call: Callable[[str], Awaitable[T]]) -> T:
        """The same for an async function, aiohttp's for example."""
        sent = Secret(await self.atoken())
        try:
            outcome = await call(sent.expose())
            if not rejects(await Answer.of_async(outcome)):
                return outcome
        except Exception as error:
            if not raised(error):
                raise
        self.invalidate(sent.expose())
        return await call(await self.atoken())

    def requests_auth(self) -> requests.auth.AuthBase:
        """For requests: `requests.get(url, auth=client.requests_auth())`, or `session.auth`.

        Sets the header where a request goes to the client's own `base_url` (scheme, host and port), and nowhere else.
        If the server rejects the token, that is reported and the request sent once more with another one, unless its
        body is read from a stream that cannot go back. Every other answer is handed on.
        """
        from ._requests import RequestsAuth

        return RequestsAuth(self)

    def httpx_auth(self) -> httpx.Auth:
        """For `httpx.Client(auth=…)` and `httpx.AsyncClient(auth=…)`: as `requests_auth`."""
        from ._httpx import HTTPXAuth

        return HTTPXAuth(self)

    def invalidate(self, token: str) -> None:
        """Says that the server answered 401 to this very token.

        Does nothing if the token has been replaced already, so any number of threads may report the same one. Otherwise
        the next `token` takes what another process has stored, or asks the server, and logs in if the token is gone
        indeed; one that the server takes after all stays. Sends nothing itself.

        Raises InvalidArgumentError if it is no str or empty.
        """
        secret, fault = Secret(token), text_fault("token", token)
        # No variable of this frame holds it.
        del token
        if fault:
            raise InvalidArgumentError(fault)
        self._open().invalidate(secret)
        _kept.ask_anew()

    def logout(self) -> None:
        """Revokes the token at the server and forgets it. The client stays usable and would log in anew.

        Signal handlers and Ctrl-C act within 50 ms; the logout goes on, and another call waits for it further.

        Raises Error, one subclass for each reason.
        """
        backend = self._open()
        try:
            done = _waiting.until_done(self._timeout_ms, backend.logout)
        except Error:
            self._pass_on_events()
            raise
        self._logged_out(done)

    async def alogout(self) -> None:
        """The same; the event loop of asyncio goes on meanwhile."""
        backend = self._open()
        try:
            done = await _waiting.until_done_async(self._timeout_ms, backend.logout, asyncio.sleep)
        except Error:
            self._pass_on_events()
            raise
        self._logged_out(done)

    @property
    def stats(self) -> Stats:
        """What the library did and holds, without secrets; see `tps.Stats`."""
        return cast("Stats", json.loads(self._open().stats()))

    def close(self) -> None:
        """Lets go of the library. Nobody has to call it: the end of the last reference does the same.

        The token stays with the process and in the store, for other clients.
        """
        self._closed = True
        self._kept = _kept.NONE
        self._account.close()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def __repr__(self) -> str:
        name = f"{type(self).__module__}.{type(self).__qualname__}"
        # Arguments may have been refused: a traceback shows what was not made.
        account: Account | None = getattr(self, "_account", None)
        return f"<{name} organization_id={account.settings.organization_id!r}>" if account else f"<{name}>"

    @property
    def _timeout_ms(self) -> int:
        return self._account.settings.timeout_ms

    def _open(self) -> Backend:
        if self._closed:
            raise ClosedError("the client is closed; make a new one")
        return self._account.open()

    def _wait_for_token(self) -> str:
        self._open()
        try:
            done = _waiting.until_done(self._timeout_ms, lambda milliseconds: self._open().wait(milliseconds))
            return self._given(done)
        finally:
            self._pass_on_events()

    async def _token_on_loop(self, sleep: Callable[[float], Awaitable[None]]) -> str:
        kept = self._kept
        if kept.word.value == kept.number or kept.since <= time() < kept.until or kept.asked():
            return kept.token
        self._open()
        try:
            done = await _waiting.until_done_async(self._timeout_ms, lambda _: self._open().wait(0), sleep)
            return self._given(done)
        finally:
            self._pass_on_events()

    def _given(self, done: bool) -> str:
        """The token that is at hand. The number is asked before and after: a token between two may belong to either."""
        if not done:
            raise TimeoutError(
                f"no token within {self._timeout_ms} ms (timeout); a login under way goes on and serves a later call"
            )
        backend = self._open()
        number = backend.ask(backend.address)
        token = backend.token()
        if number and number == backend.ask(backend.address):
            self._kept = _kept.KeptToken(backend, number, token)
        return token

    def _logged_out(self, done: bool) -> None:
        self._pass_on_events()
        if not done:
            raise TimeoutError(f"not logged out within {self._timeout_ms} ms (timeout); it goes on")
        self._kept = _kept.NONE
        _kept.ask_anew()

    def _pass_on_events(self) -> None:
        if not self._closed:
            self._account.events.pass_on(lambda: self.stats["events"])
