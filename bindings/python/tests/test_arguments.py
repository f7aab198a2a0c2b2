"""Credentials and options. Credentials of the environment are taken together or not at all."""

from __future__ import annotations

import datetime
import os
import pathlib
from typing import Any

import pytest
from support import SERVER, Faults, Organization
from test_token import status_with

import tps

FOREIGN = "0123456789abcdef"


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> Organization:
    """An account with the whole environment set."""
    own = Organization()
    for name, value in own.environment(TPS_TOKEN=FOREIGN, TPS_CACHE=f"file:{tmp_path}").items():
        monkeypatch.setenv(name, value)
    return own


def test_two_tenants_and_the_whole_environment(own: Organization) -> None:
    tenants = [Organization(), Organization()]
    clients = [tps.Client(**tenant.credentials()) for tenant in tenants]
    tokens = [client.token for client in clients]
    assert len({*tokens, FOREIGN}) == 3
    assert [status_with(token) for token in tokens] == [200, 200]
    assert [tenant.counts["tokens"] for tenant in tenants] == [1, 1]
    assert own.logins == 0


def test_the_environments_token(own: Organization) -> None:
    assert tps.from_env().token == FOREIGN
    assert own.logins == 0


@pytest.mark.parametrize("missing", ["username", "password", "organization_id"])
@pytest.mark.parametrize("value", [None, ""])
def test_none_is_filled_up_from_the_environment(own: Organization, missing: str, value: str | None) -> None:
    given: Any = Organization().credentials() | {missing: value}
    with pytest.raises(tps.InvalidArgumentError, match=f"{missing} is missing"):
        tps.login(**given)
    client = tps.Client(**given)
    with pytest.raises(tps.InvalidArgumentError, match=f"TPS_{missing.upper()}"):
        _ = client.token
    assert own.logins == 0


def test_from_env_takes_no_credentials(own: Organization) -> None:
    wrong: Any = {"token": FOREIGN}
    with pytest.raises(tps.InvalidArgumentError, match="token cannot be given"):
        tps.from_env(**wrong)


def test_from_env_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TPS_USERNAME", "hari@example.com")
    client = tps.from_env(lazy=True)
    with pytest.raises(tps.InvalidArgumentError, match="TPS_PASSWORD"):
        _ = client.token
    with pytest.raises(tps.InvalidArgumentError, match="TPS_PASSWORD"):
        tps.from_env()


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"username": 7}, "username must be a str, not int"),
    ({"password": b"secret"}, "password must be a str, not bytes"),
    ({"password": "a\0b"}, "password contains a NUL"),
    ({"password": "\udcff"}, "password cannot be written as UTF-8"),
    ({"lazy": True}, "lazy is not an option here"),
    ({"colour": "red"}, "there is no option"),
    ({"timeout": 0}, "timeout must be a number of seconds above 0"),
    ({"timeout": "5"}, "timeout must be a number"),
    ({"timeout": True}, "timeout must be a number"),
    ({"timeout": float("nan")}, "timeout must be a number"),
    ({"timeout": 1, "timeout_ms": 1}, "not both"),
    ({"timeout_ms": 1.5}, "timeout_ms"),
    ({"proxy": object()}, "JSON"),
    ({"logger": "loud"}, "logger must be a logging.Logger"),
    ({"base_url": "ftp://example.com"}, "base_url"),
    ({"ca_file": "/nonexistent"}, "ca_file"),
    ({"token": "a b"}, "token"),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG, ids=[next(iter(wrong)) for wrong, _ in WRONG])
def test_what_is_wrong_is_named(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(tps.InvalidArgumentError, match=words) as caught:
        tps.Client(**(Faults("ok").login() | wrong))
    assert (caught.value.status, caught.value.retry_after) == ("invalid_argument", 0.0)


def test_what_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TPS_BASE_URL", SERVER)
    organization = Organization()
    client = tps.login(
        **organization.credentials(),
        cache="memory",
        base_url=None,
        timeout=datetime.timedelta(seconds=9),
        connect_timeout=2.5,
        ca_file=pathlib.Path(os.environ["TPS_TEST_CA"]),
        refresh_ahead=0,
        user_agent="shop/1",
    )
    assert client.stats["base_url"] == SERVER
    assert organization.counts["last_login_headers"]["user-agent"].startswith("shop/1 libtps/")
    assert client._account.settings.timeout_ms == 9000


@pytest.mark.parametrize("wrong", [None, 7, "", "a\0b"])
def test_a_token_that_is_none(wrong: Any) -> None:
    client = tps.Client(**Faults("ok").login())
    with pytest.raises(tps.InvalidArgumentError, match="token"):
        client.invalidate(wrong)


def test_the_origin_is_the_librarys() -> None:
    """Both have their own idea of it: what is not given, and how a URL is read."""
    from tps._origin import Origin

    for url in ("https://APP.tpstreams.com", "https://[::1]:8443/a", "https://localhost:443/", None):
        client = tps.Client(**Faults("ok").login(base_url=url))
        assert Origin.of(client.stats["base_url"]) == client._account.settings.origin is not None
    for url in ("https://app.tpstreams.com\\@evil.example/", "https://a b/", "//app.tpstreams.com", "https://a:99999/"):
        assert Origin.of(url) is None
