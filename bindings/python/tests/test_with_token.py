"""`with_token` for any HTTP library, and what it takes for a rejected token."""

from __future__ import annotations

import asyncio
import http.client
import urllib.error
import urllib.request
from types import SimpleNamespace
from typing import Any

import aiohttp
import httpx
import pytest
import requests
import urllib3
from support import ORGANIZATIONS, SERVER, Faults, Organization

import tps
from tps.testing import FakeClient

CHALLENGE = {"WWW-Authenticate": "Token"}
INVALID = '{"detail":"Invalid token."}'


def answer(status: Any, headers: Any = None, content: Any = None, name: str = "status_code") -> Any:
    return SimpleNamespace(**{name: status, "headers": headers, "content": content})


REJECTED = [
    answer(401, CHALLENGE, INVALID),
    answer(401, {}, INVALID.encode()),
    answer(401, CHALLENGE, INVALID, "status"),
    answer(401, CHALLENGE, INVALID, "code"),
    answer(403, {}, INVALID),
    answer(401, {}, {"detail": "Invalid token."}),
    answer(401, CHALLENGE, '{"detail":"Ungültiges Token."}'),
    answer(401, {"www-authenticate": 'Basic realm="api", Token'}, b"\xff"),
    answer(401, CHALLENGE, "[]"),
    SimpleNamespace(status=401),
    (401, CHALLENGE, INVALID),
    (SimpleNamespace(status=401), INVALID.encode()),
]
OTHERS = [
    None,
    401,
    (401, None),
    answer(200, CHALLENGE, INVALID),
    answer(500, CHALLENGE, INVALID),
    answer(403, CHALLENGE, '{"detail":"You do not have permission to perform this action."}'),
    answer(401, CHALLENGE, '{"detail":"Authentication credentials were not provided."}'),
    answer(401, CHALLENGE, '{"detail":"Invalid token header. No credentials provided."}'),
    answer(401, CHALLENGE, '{"detail":"User inactive or deleted."}'),
    answer(401, {}, "<html>"),
    answer(401, {"WWW-Authenticate": 'Basic realm="Token"'}, ""),
    answer("401", CHALLENGE, INVALID),
    answer(True, CHALLENGE, INVALID),
]


def fake() -> FakeClient:
    return FakeClient(tokens=["t1", "t2", "t3"])


def tokens_until(outcome: Any) -> list[str]:
    tokens: list[str] = []

    def call(token: str) -> Any:
        tokens.append(token)
        return outcome

    assert fake().with_token(call) is outcome
    on_loop: list[str] = []

    async def acall(token: str) -> Any:
        on_loop.append(token)
        return outcome

    assert asyncio.run(fake().awith_token(acall)) is outcome
    assert on_loop == tokens
    return tokens


@pytest.mark.parametrize("outcome", REJECTED, ids=range(len(REJECTED)))
def test_rejected(outcome: Any) -> None:
    assert tokens_until(outcome) == ["t1", "t2"]


@pytest.mark.parametrize("outcome", OTHERS, ids=range(len(OTHERS)))
def test_another(outcome: Any) -> None:
    assert tokens_until(outcome) == ["t1"]


def test_token_rejected_twice() -> None:
    def call(token: str) -> None:
        raise tps.TokenRejected(f"gone with {len(token)}")

    with pytest.raises(tps.TokenRejected, match="gone") as caught:
        fake().with_token(call)
    assert caught.value.__context__ is None


def test_another_exception_passes() -> None:
    tokens = []

    def call(token: str) -> None:
        tokens.append(token)
        raise KeyError("mine")

    with pytest.raises(KeyError):
        fake().with_token(call)
    assert tokens == ["t1"]


def test_an_async_function_is_for_awith_token() -> None:
    async def call(token: str) -> None: ...

    with pytest.raises(TypeError, match="awith_token"):
        fake().with_token(call)


def headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Token {token}"}


def with_urllib(token: str) -> int:
    with urllib.request.urlopen(urllib.request.Request(SERVER + ORGANIZATIONS, headers=headers(token))) as response:
        return int(response.status)


def with_urllib3(token: str) -> Any:
    return urllib3.PoolManager().request("GET", SERVER + ORGANIZATIONS, headers=headers(token))


def with_http_client(token: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(SERVER.removeprefix("http://"))
    connection.request("GET", ORGANIZATIONS, headers=headers(token))
    return connection.getresponse()


def with_requests(token: str) -> int:
    response = requests.get(SERVER + ORGANIZATIONS, headers=headers(token), timeout=20)
    response.raise_for_status()
    return response.status_code


def with_httpx(token: str) -> httpx.Response:
    return httpx.get(SERVER + ORGANIZATIONS, headers=headers(token)).raise_for_status()


@pytest.mark.parametrize("call", [with_urllib, with_urllib3, with_http_client, with_requests, with_httpx])
def test_real_libraries(call: Any, organization: Organization) -> None:
    client = tps.login(**organization.login())
    organization.revoke()
    outcome = client.with_token(call)
    assert getattr(outcome, "status_code", getattr(outcome, "status", outcome)) == 200
    assert (organization.logins, organization.counts["api_calls"]) == (2, 1)


async def _aiohttp(client: tps.Client, url: str, raises: bool) -> Any:
    async with aiohttp.ClientSession(raise_for_status=raises) as session:

        async def call(token: str) -> Any:
            async with session.get(url, headers=headers(token)) as response:
                return response.status, response.headers, await response.json()

        return await client.awith_token(call)


@pytest.mark.parametrize("raises", [False, True])
def test_aiohttp(raises: bool, organization: Organization) -> None:
    client = tps.login(**organization.login())
    organization.revoke()
    status, _, body = asyncio.run(_aiohttp(client, SERVER + ORGANIZATIONS, raises))
    assert (status, body["count"]) == (200, 1)
    assert (organization.logins, organization.counts["api_calls"]) == (2, 1)


def test_aiohttp_with_a_body_that_nobody_has_read() -> None:
    """It says that the token was not the reason."""
    faults = Faults("organizations-no-credentials")
    client = tps.login(**faults.login())

    async def get() -> Any:
        async with aiohttp.ClientSession() as session:
            response = await client.awith_token(lambda token: session.get(faults.url, headers=headers(token)))
            return response.status, await response.json()

    status, body = asyncio.run(get())
    assert status == 401
    assert "not provided" in body["detail"]
    assert len(faults.sent()) == 1


@pytest.mark.parametrize("scenario", ["no-credentials", "403"])
def test_an_error_of_urllibs_can_still_be_read(scenario: str) -> None:
    faults = Faults(f"organizations-{scenario}")
    client = tps.login(**faults.login())
    with pytest.raises(urllib.error.HTTPError) as caught:
        client.with_token(
            lambda token: urllib.request.urlopen(urllib.request.Request(faults.url, headers=headers(token)))
        )
    assert b"detail" in caught.value.read()
    assert len(faults.sent()) == 1
