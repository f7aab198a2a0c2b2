"""For httpx. Loaded only by `Client.httpx_auth`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Any

import anyio
import httpx

from ._answer import STATUSES, Answer
from ._origin import Origin
from ._rejection import rejects
from ._secret import HeaderText, Redacted, Secret
from ._sent_body import SentBody

if TYPE_CHECKING:
    from ._source import TokenSource

_HEADER = "Authorization"


class HTTPXAuth(Redacted, httpx.Auth):
    """Sets the header of requests to the client's own origin. A rejected token is replaced, once."""

    def __init__(self, client: TokenSource) -> None:
        self._client = client

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if not self._own(request):
            yield request
            return
        sent, body = Secret(self._client.token), _sent_body(request)
        response = yield _authorized(request, sent)
        if response.status_code not in STATUSES or not _carried(response, sent):
            return
        response.read()
        if self._report(response, sent) and body.rewind():
            yield _authorized(response.request, Secret(self._client.token))

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        if not self._own(request):
            yield request
            return
        # Other event loops than asyncio's have their own.
        sent, body = Secret(await self._client._token_on_loop(anyio.sleep)), _sent_body(request)
        response = yield _authorized(request, sent)
        if response.status_code not in STATUSES or not _carried(response, sent):
            return
        await response.aread()
        if self._report(response, sent) and body.rewind():
            yield _authorized(response.request, Secret(await self._client._token_on_loop(anyio.sleep)))

    def _own(self, request: httpx.Request) -> bool:
        origin = Origin.of(str(request.url))
        account = self._client._account
        if origin is not None and origin == account.settings.origin:
            return True
        account.events.other_origin(origin)
        return False

    def _report(self, response: httpx.Response, sent: Secret[str]) -> bool:
        if not rejects(Answer.of(response)):
            return False
        self._client.invalidate(sent.expose())
        return True


def _authorized(request: httpx.Request, token: Secret[str]) -> httpx.Request:
    request.headers[_HEADER] = HeaderText.of(token.expose())
    return request


def _carried(response: httpx.Response, token: Secret[str]) -> bool:
    """Whether the request that was answered had the token: the last one of a chain of redirects may not."""
    return bool(response.request.headers.get(_HEADER) == f"Token {token.expose()}")


def _sent_body(request: httpx.Request) -> SentBody:
    """The streams of a request. httpx sends a form's files from their start, and other files from their position."""
    if hasattr(request, "_content") or isinstance(request.stream, httpx.ByteStream):
        return SentBody([])
    fields = getattr(request.stream, "fields", None)
    if fields is None:
        return SentBody([getattr(request.stream, "_stream", None)])
    files = [getattr(field, "file", b"") for field in fields]
    return SentBody(_AtStart(file) for file in files if not isinstance(file, (str, bytes)))


class _AtStart:
    """A file that is sent from its start, wherever its position is."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def tell(self) -> int:
        self._file.tell()
        return 0

    def seek(self, position: int) -> None:
        self._file.seek(position)
