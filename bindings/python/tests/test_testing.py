"""What the package gives to the tests of its users."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from support import Faults, Organization, python
from test_arguments import WRONG

import tps
import tps.testing
from tps.testing import Fake, FakeClient


def test_it_is_a_client() -> None:
    client = FakeClient(token="t")
    assert isinstance(client, tps.Client)
    assert (client.token, client.authorization, asyncio.run(client.atoken())) == ("t", "Token t", "t")
    # Nothing that a client can do would reach for the library.
    assert {name for name in vars(FakeClient) if not name.startswith("__")} == set()


def test_one_token_for_ever() -> None:
    client = FakeClient(token="t")
    for _ in range(3):
        client.invalidate(client.token)
    client.logout()
    stats = client.stats
    assert client.token == "t"
    assert (stats["invalidations"], stats["false_alarms"], stats["logins"]) == (3, 3, 1)


def test_tokens_one_after_another() -> None:
    client = FakeClient(tokens=["t1", "t2", "t3"])
    tokens = [client.token, client.token]
    client.invalidate("t1")
    client.invalidate("t1")
    tokens.append(client.token)
    asyncio.run(client.alogout())
    tokens.append(client.token)
    client.invalidate("t3")
    assert [*tokens, client.token] == ["t1", "t1", "t2", "t3", "t3"]
    assert client.stats["logins_by_reason"] == {"first": 2, "ended": 0, "renewed": 0, "rejected": 1}


def test_errors() -> None:
    client = FakeClient(error=tps.ThrottledError("wait", http_status=429, retry_after=60.0))
    for _ in range(2):
        with pytest.raises(tps.ThrottledError) as caught:
            _ = client.token
        assert (str(caught.value), caught.value.http_status, caught.value.retry_after) == ("wait", 429, 60.0)
    assert client.stats["logins_failed"] == 2
    client = FakeClient(tokens=["t1", tps.NetworkError("gone"), "t2"])
    client.invalidate(client.token)
    with pytest.raises(tps.NetworkError):
        _ = client.token
    assert client.token == "t2"


@pytest.mark.parametrize("wrong", [{}, {"tokens": []}, {"token": "t", "error": tps.Error("e")}])
def test_one_of_three(wrong: Any) -> None:
    with pytest.raises(TypeError):
        FakeClient(**wrong)


def test_many_threads() -> None:
    client = FakeClient(tokens=[f"t{number}" for number in range(50)])
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda _: client.invalidate(client.token), range(500)))
    assert (client.token, client.stats["logins"]) == ("t49", 50)


def test_stats_have_the_real_ones_shape(organization: Organization) -> None:
    real, client = tps.login(**organization.login()), FakeClient(token="t")
    _ = client.token
    assert real.stats.keys() == client.stats.keys()
    for name in ("store", "token", "logins_by_reason"):
        assert real.stats[name].keys() == client.stats[name].keys()


def test_the_whole_process() -> None:
    faults = Faults("ok")
    before = tps.login(**faults.login())
    real = before.token
    with tps.testing.fake(tokens=["t1", "t2"]) as fake:
        client = tps.login(**faults.login())
        assert (client.token, before.token) == ("t1", "t1")
        response = requests.get(faults.url, auth=client.requests_auth(), timeout=20)
        # The fault server knows neither.
        assert response.status_code == 401
        assert before.token == "t2"
        with tps.testing.fake(token="inner"):
            assert before.token == "inner"
        assert (before.token, fake.stats["logins"]) == ("t2", 2)
    assert before.token == client.token == real
    assert faults.logins == 1


@pytest.mark.parametrize(("wrong", "words"), WRONG, ids=[next(iter(wrong)) for wrong, _ in WRONG])
def test_a_fake_refuses_what_the_real_one_refuses(wrong: dict[str, Any], words: str) -> None:
    given = Faults("ok").login() | wrong
    with tps.testing.fake(), pytest.raises(tps.InvalidArgumentError, match=words):
        tps.login(**given)


BASE_URLS = [
    "http://example.com",
    "https://u:p@example.com",
    "https://example.com/?a=1",
    "example.com",
    "https://",
    "http://[::1]",
]
TOKENS = ["", "null", "a b", "a\n", "tök", "x" * 4097, "x" * 4096]


@pytest.mark.parametrize("options", [{"base_url": url} for url in BASE_URLS] + [{"token": token} for token in TOKENS])
def test_both_agree(options: dict[str, str]) -> None:
    def refused() -> bool:
        try:
            tps.Client(**(Faults("ok").login() | options))
        except tps.InvalidArgumentError:
            return True
        return False

    real = refused()
    with tps.testing.fake():
        assert refused() == real
    if "token" in options:
        try:
            FakeClient(token=options["token"])
        except tps.InvalidArgumentError:
            assert real
        else:
            assert not real


def test_missing_credentials() -> None:
    with tps.testing.fake(), pytest.raises(tps.InvalidArgumentError, match="TPS_USERNAME"):
        tps.from_env()


def test_the_fixture(fake_tps: Fake) -> None:
    assert tps.login(**Faults("ok").login()).token == "fake-token"
    assert fake_tps.stats["logins"] == 1


def test_neither_library_nor_ctypes_nor_network_is_needed() -> None:
    script = """
import sys, tps, tps.testing
client = tps.testing.FakeClient(token="t")
client.invalidate(client.token); client.logout(); client.stats; client.close()
with tps.testing.fake():
    assert tps.login(username="a", password="b", organization_id="c").token == "fake-token"
print([name for name in ("ctypes", "tps._native", "requests", "httpx", "pytest") if name in sys.modules])
"""
    done = python(script, {"TPS_LIBRARY": "/nonexistent/libtps.so"})
    assert (done.stdout, done.stderr) == ("[]\n", "")
