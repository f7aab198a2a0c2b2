"""requests with `client.requests_auth()`."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from support import FAULTS, ORGANIZATIONS, SERVER, Faults, Organization

import tps
import tps.testing


class Started:
    """A client at the fault server, and a session with its tokens."""

    def __init__(self, scenario: str) -> None:
        self.faults = Faults(scenario)
        self.client = tps.login(**self.faults.login())
        self.session = requests.Session()
        self.session.auth = self.client.requests_auth()

    def get(self, **more: Any) -> requests.Response:
        return self.session.get(self.faults.url, timeout=20, **more)

    def post(self, body: Any, **more: Any) -> requests.Response:
        return self.session.post(self.faults.post_url, data=body, timeout=20, **more)


def test_a_revoked_token_costs_one_login_and_one_more_request(organization: Organization) -> None:
    client = tps.login(**organization.login())
    first = client.token
    organization.revoke()
    response = requests.get(SERVER + ORGANIZATIONS, auth=client.requests_auth(), timeout=20)

    assert response.status_code == 200
    assert [answer.status_code for answer in response.history] == [401]
    assert client.token != first
    assert (organization.logins, organization.counts["api_calls"]) == (2, 1)


def test_many_threads_and_a_revoked_token(organization: Organization) -> None:
    client = tps.login(**organization.login())
    organization.revoke()

    def status(_: int) -> int:
        return requests.get(SERVER + ORGANIZATIONS, auth=client.requests_auth(), timeout=20).status_code

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(status, range(10))) == {200}
    assert organization.logins == 2


def test_never_a_third_time() -> None:
    started = Started("organizations-401")
    assert started.get().status_code == 401
    assert len(set(started.faults.authorizations())) == len(started.faults.sent()) == 2
    assert started.faults.logins == 2


def test_a_token_that_the_server_takes_after_all() -> None:
    started = Started("organizations-401,ok")
    assert started.get().status_code == 200
    assert (len(started.faults.sent()), started.faults.logins) == (2, 1)


def test_a_403_for_the_token() -> None:
    started = Started("organizations-403-invalid-token,ok")
    assert started.get().status_code == 200
    assert len(started.faults.sent()) == 2


@pytest.mark.parametrize(
    "scenario", ["403", "inactive", "malformed-header", "no-credentials", "detail-401", "html401", "html500"]
)
@pytest.mark.parametrize("stream", [False, True])
def test_another_answer_is_handed_on(scenario: str, stream: bool) -> None:
    started = Started(f"organizations-{scenario},ok")
    response = started.get(stream=stream)
    assert response.status_code >= 401
    assert b"".join(response.iter_content(7))
    assert (len(started.faults.sent()), started.client.stats["invalidations"]) == (1, 0)


def test_another_origin_gets_no_header(caplog: pytest.LogCaptureFixture) -> None:
    started = Started("ok")
    port = FAULTS.rpartition(":")[2]
    with caplog.at_level(logging.WARNING, "tps"):
        for _ in range(2):
            started.session.get(started.faults.url.replace("127.0.0.1", "127.0.0.2"), timeout=20)
    assert started.faults.authorizations() == [None, None]
    lines = [record.getMessage() for record in caplog.records if "carry no token" in record.getMessage()]
    assert len(lines) == 1
    assert f"http://127.0.0.2:{port} " in lines[0]
    assert "(base_url)" in lines[0]


def test_another_scheme_gets_no_header() -> None:
    faults = Faults("ok")
    client = tps.testing.FakeClient(token="t", base_url=FAULTS.replace("http://", "https://"))
    requests.get(faults.url, auth=client.requests_auth(), timeout=20)
    assert faults.authorizations() == [None]


def test_a_redirect_to_another_host() -> None:
    started = Started("organizations-redirect302")
    started.get()
    assert started.faults.authorizations("/elsewhere/") == [None]


BODIES: dict[str, Any] = {"text": "a body", "bytes": b"a body", "form": {"a": "body"}}


@pytest.mark.parametrize("kind", BODIES)
def test_a_body_is_sent_again(kind: str) -> None:
    started = Started("logout-401,ok")
    assert started.post(BODIES[kind]).status_code == 204
    assert started.faults.bodies() == ["a=body" if kind == "form" else "a body"] * 2


def test_a_stream_goes_back_to_where_it_began() -> None:
    started = Started("logout-401,ok")
    stream = io.BytesIO(b"not this: a body")
    stream.seek(10)
    assert started.post(stream).status_code == 204
    assert started.faults.bodies() == ["a body"] * 2


def test_a_form_with_a_file() -> None:
    started = Started("logout-401,ok")
    response = started.post(None, files={"file": ("a.txt", io.BytesIO(b"in the file"))})
    assert response.status_code == 204
    assert ["in the file" in body for body in started.faults.bodies()] == [True, True]


def generated() -> Iterator[bytes]:
    yield b"a "
    yield b"body"


class Untold(io.BytesIO):
    """A stream that does not tell where it is."""

    def tell(self) -> int:
        raise OSError


@pytest.mark.parametrize("make", [generated, lambda: Untold(b"a body")], ids=["generator", "untold"])
def test_a_stream_that_is_used_up_is_not_sent_again(make: Any) -> None:
    started = Started("logout-401,ok")
    # The fault server reads no chunks: a length is given.
    response = started.post(make(), headers={"Content-Length": "6"})
    assert response.status_code == 401
    assert len(started.faults.bodies()) == 1
    # The token was reported all the same.
    assert started.client.stats["invalidations"] == 1


def test_a_pipe_is_not_sent_again() -> None:
    started = Started("logout-401,ok")
    reader, writer = os.pipe()
    os.write(writer, b"a body")
    os.close(writer)
    with open(reader, "rb") as stream:
        assert started.post(stream, headers={"Content-Length": "6"}).status_code == 401
    assert len(started.faults.bodies()) == 1


def test_a_login_that_fails_meanwhile(organization: Organization) -> None:
    client = tps.login(**organization.login())
    organization.revoke()
    organization.change(throttle={"allow": 0, "wait": 60})
    with pytest.raises(tps.ThrottledError):
        requests.get(SERVER + ORGANIZATIONS, auth=client.requests_auth(), timeout=20)
