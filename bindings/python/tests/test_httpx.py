"""httpx with `client.httpx_auth()`: with and without an event loop."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
import trio
from support import ORGANIZATIONS, SERVER, Faults, Organization

import tps

Send = Callable[..., httpx.Response]


def sync(client: tps.Client, method: str, url: str, **more: Any) -> httpx.Response:
    with httpx.Client(auth=client.httpx_auth(), timeout=20) as session:
        return session.request(method, url, **more)


async def _send(client: tps.Client, method: str, url: str, more: dict[str, Any]) -> httpx.Response:
    async with httpx.AsyncClient(auth=client.httpx_auth(), timeout=20) as session:
        return await session.request(method, url, **more)


def on_asyncio(client: tps.Client, method: str, url: str, **more: Any) -> httpx.Response:
    return asyncio.run(_send(client, method, url, more))


def on_trio(client: tps.Client, method: str, url: str, **more: Any) -> httpx.Response:
    return trio.run(_send, client, method, url, more)


both = pytest.mark.parametrize("send", [sync, on_asyncio], ids=["sync", "asyncio"])
all_three = pytest.mark.parametrize("send", [sync, on_asyncio, on_trio], ids=["sync", "asyncio", "trio"])


@all_three
def test_a_revoked_token_costs_one_login_and_one_more_request(send: Send, organization: Organization) -> None:
    client = tps.Client(**organization.login())
    assert send(client, "GET", SERVER + ORGANIZATIONS).status_code == 200
    organization.revoke()
    assert send(client, "GET", SERVER + ORGANIZATIONS).status_code == 200
    assert (organization.logins, organization.counts["api_calls"]) == (2, 2)


@both
def test_never_a_third_time(send: Send) -> None:
    faults = Faults("organizations-401")
    client = tps.login(**faults.login())
    assert send(client, "GET", faults.url).status_code == 401
    assert len(set(faults.authorizations())) == len(faults.sent()) == 2


@both
@pytest.mark.parametrize("scenario", ["403", "inactive", "no-credentials", "html401"])
def test_another_answer_is_handed_on(send: Send, scenario: str) -> None:
    faults = Faults(f"organizations-{scenario},ok")
    client = tps.login(**faults.login())
    response = send(client, "GET", faults.url)
    assert response.status_code >= 401
    assert response.content
    assert (len(faults.sent()), client.stats["invalidations"]) == (1, 0)


@both
def test_another_origin_gets_no_header(send: Send) -> None:
    faults = Faults("ok")
    send(tps.login(**faults.login()), "GET", faults.url.replace("127.0.0.1", "127.0.0.2"))
    assert faults.authorizations() == [None]


@both
def test_a_redirect_to_another_host(send: Send) -> None:
    faults = Faults("organizations-redirect302")
    send(tps.login(**faults.login()), "GET", faults.url, follow_redirects=True)
    assert faults.authorizations("/elsewhere/") == [None]


def stream_from_ten() -> io.BytesIO:
    stream = io.BytesIO(b"not this: a body")
    stream.seek(10)
    return stream


REPEATED: dict[str, Any] = {
    "text": lambda: {"content": "a body"},
    "stream": lambda: {"content": stream_from_ten(), "headers": {"Content-Length": "6"}},
    "file of a form": lambda: {"files": {"file": ("a.txt", io.BytesIO(b"a body"))}},
}


@pytest.mark.parametrize("kind", REPEATED)
def test_a_body_is_sent_again(kind: str) -> None:
    faults = Faults("logout-401,ok")
    client = tps.login(**faults.login())
    assert sync(client, "POST", faults.post_url, **REPEATED[kind]()).status_code == 204
    assert ["a body" in body and "not this" not in body for body in faults.bodies()] == [True, True]


def generated() -> Iterator[bytes]:
    yield b"a body"


async def generated_on_loop() -> AsyncIterator[bytes]:
    yield b"a body"


@pytest.mark.parametrize(("send", "make"), [(sync, generated), (on_asyncio, generated_on_loop)])
def test_a_stream_that_is_used_up_is_not_sent_again(send: Send, make: Any) -> None:
    faults = Faults("logout-401,ok")
    client = tps.login(**faults.login())
    response = send(client, "POST", faults.post_url, content=make(), headers={"Content-Length": "6"})
    assert response.status_code == 401
    assert faults.bodies() == ["a body"]
    assert client.stats["invalidations"] == 1


def test_a_form_with_a_pipe_is_not_sent_again() -> None:
    faults = Faults("logout-401,ok")
    reader, writer = os.pipe()
    os.write(writer, b"a body")
    os.close(writer)
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    whole = httpx.Request("POST", faults.post_url, headers=kind, files={"file": ("a.txt", b"a body")}).read()
    with open(reader, "rb") as stream:
        response = sync(
            tps.login(**faults.login()),
            "POST",
            faults.post_url,
            files={"file": ("a.txt", stream)},
            headers=kind | {"Content-Length": str(len(whole))},
        )
    assert response.status_code == 401
    assert len(faults.bodies()) == 1
