"""For requests. Loaded only by `Client.requests_auth`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requests import PreparedRequest, Response
from requests.auth import AuthBase

from ._answer import Answer
from ._origin import Origin
from ._rejection import rejects
from ._secret import HeaderText, Redacted
from ._sent_body import SentBody

if TYPE_CHECKING:
    from ._source import TokenSource

_HEADER = "Authorization"


class RequestsAuth(Redacted, AuthBase):
    """Sets the header of requests to the client's own origin. A rejected token is replaced, once."""

    def __init__(self, client: TokenSource) -> None:
        self._client = client

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        origin = Origin.of(request.url or "")
        account = self._client._account
        if origin is None or origin != account.settings.origin:
            account.events.other_origin(origin)
            return request
        request.headers[_HEADER] = HeaderText.of(self._client.token)
        request.hooks["response"].append(_Exchange(self._client, request))
        return request


class _Exchange(Redacted):
    """One request and its answer. requests asks it for each answer on a chain of redirects."""

    def __init__(self, client: TokenSource, request: PreparedRequest) -> None:
        self._client = client
        body = request.body
        self._body = SentBody([] if body is None or isinstance(body, (str, bytes, bytearray)) else [body])
        self._repeated = False

    def __call__(self, response: Response, **sending: Any) -> Response:
        sent = response.request.headers.get(_HEADER)
        # requests takes the header away on the way to another host.
        if not isinstance(sent, HeaderText) or not rejects(Answer.of(response)):
            return response
        self._client.invalidate(sent.removeprefix("Token "))
        if self._repeated or not self._body.rewind():
            return response
        self._repeated = True
        return self._repeat(response, sending)

    def _repeat(self, response: Response, sending: dict[str, Any]) -> Response:
        # The connection is free for the second request.
        response.content  # noqa: B018
        response.close()
        request = response.request
        # In place: redirects that follow are made from it.
        request.headers[_HEADER] = HeaderText.of(self._client.token)
        again: Response = response.connection.send(request, **sending)
        again.history = [*response.history, response]
        return again
