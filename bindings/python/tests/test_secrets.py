"""No secret in texts, pickles and tracebacks."""

from __future__ import annotations

import asyncio
import copy
import pickle
import pprint
import traceback
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import requests
from support import SERVER, Faults, Organization

import tps
from tps.testing import FakeClient, fake

SECRET = "s3cr3t"


@pytest.fixture
def client(organization: Organization) -> tps.Client:
    return tps.login(**organization.login())


def reachable(object: Any, seen: set[int]) -> str:
    """What attributes lead to, as a debugger or an error reporter shows it."""
    if id(object) in seen or isinstance(object, (str, bytes, int, float, type(None))) or callable(object):
        return ""
    seen.add(id(object))
    slots = [name for kind in type(object).__mro__ for name in getattr(kind, "__slots__", ())]
    members = {name: getattr(object, name, None) for name in slots} | getattr(object, "__dict__", {})
    return repr(object) + "".join(reachable(value, seen) for value in members.values())


def test_texts(client: tps.Client, organization: Organization) -> None:
    assert repr(client) == f"<tps.Client organization_id={organization.id!r}>"
    objects = [
        client,
        client.requests_auth(),
        client.httpx_auth(),
        client._kept,
        client._account,
        FakeClient(token=SECRET),
    ]
    for thing in objects:
        for text in (repr(thing), str(thing), pprint.pformat([thing]), f"{thing}", reachable(thing, set())):
            assert not any(secret in text for secret in (client.token, organization.password, SECRET))


def test_pickles_are_refused(client: tps.Client) -> None:
    for thing in (client, FakeClient(token="t"), client.requests_auth(), client.httpx_auth(), client._kept):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError, match="cannot be pickled"):
                pickle.dumps([thing], protocol)


def test_a_copy_is_the_client_itself(client: tps.Client) -> None:
    assert copy.copy(client) is copy.deepcopy([client])[0] is client


def raise_mine(token: str) -> None:
    del token
    raise KeyError("mine")


LOGIN = {"username": "a", "password": SECRET, "organization_id": "b"}
CALLS: dict[str, Callable[[], Any]] = {
    "a password that is malformed": lambda: tps.login(**LOGIN | {"password": SECRET + "\udcff"}),
    "a password with NUL": lambda: tps.login(**LOGIN | {"password": SECRET + "\0"}),
    "a password of another type": lambda: tps.login(**LOGIN | {"password": SECRET.encode()}),
    "a password without a name": lambda: tps.login(**LOGIN | {"username": ""}),
    "an unknown option": lambda: tps.login(**LOGIN | {"colour": "red"}),
    "an ill-typed option": lambda: tps.Client(**LOGIN | {"organization_id": 7}),
    "an option that is no JSON": lambda: tps.Client(**LOGIN | {"proxy": {SECRET}}),
    "a wrong time": lambda: tps.Client(**LOGIN | {"timeout": -1}),
    "a wrong logger": lambda: tps.Client(**LOGIN | {"logger": 7}),
    "a token as an option": lambda: tps.login(**LOGIN | {"token": SECRET + "\0"}),
    "a token given to from_env": lambda: tps.from_env(token=SECRET),
    "a proxy": lambda: tps.login(**LOGIN | {"proxy": f"http://{SECRET}@"}),
    "a server that is not there": lambda: tps.login(**LOGIN, base_url="http://127.0.0.1:1"),
    "a token that is malformed": lambda: tps.Client(**LOGIN).invalidate(SECRET + "\0"),
    "a token that is rejected": lambda: FakeClient(token=SECRET).with_token(raise_mine),
    "a fake's token": lambda: FakeClient(token=SECRET + "\n"),
    "a fake's tokens": lambda: FakeClient(token=SECRET, tokens=[SECRET]),
    "a fake for all": lambda: fake(tokens=[SECRET, SECRET + " "]),
    "a function of with_token": lambda: FakeClient(token=SECRET).with_token(raise_mine),
    "a function of awith_token": lambda: asyncio.run(FakeClient(token=SECRET).awith_token(raise_mine)),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_traceback_with_locals(name: str) -> None:
    """Of this package's frames, which are what it answers for."""
    with pytest.raises((tps.Error, KeyError, TypeError)) as caught:
        CALLS[name]()
    error: BaseException | None = caught.value
    seen = 0
    while error is not None:
        assert SECRET not in str(error)
        assert SECRET not in repr(error)
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if frame.f_globals.get("__name__", "").partition(".")[0] == "tps":
                seen += 1
                assert not any(SECRET in repr(value) for value in frame.f_locals.values()), frame
        error = error.__context__
    assert seen > 0 or name.startswith("a function")


def test_a_request_that_fails() -> None:
    """The HTTP library's frames hold headers: they show no token as long as they hold them as texts."""
    faults = Faults("organizations-close")
    client = tps.login(**faults.login())
    with pytest.raises(requests.ConnectionError) as caught:
        requests.get(faults.url, auth=client.requests_auth(), timeout=20)
    text = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert client.token not in text
    assert "[redacted]" in text


def test_what_a_request_leaves_behind(client: tps.Client) -> None:
    url = f"{SERVER}/api/v1/organizations/"
    response = requests.get(url, auth=client.requests_auth(), timeout=20)
    assert response.status_code == 200
    assert client.token not in repr(response.request.headers)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(response)
    answer = httpx.get(url, auth=client.httpx_auth())
    assert client.token not in repr(answer.request.headers)
