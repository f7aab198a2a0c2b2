"""The token, and how many logins it costs."""

from __future__ import annotations

import logging
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import ORGANIZATIONS, SERVER, Faults, Organization

import tps
from tps import _native


def status_with(token: str) -> int:
    sent = urllib.request.Request(SERVER + ORGANIZATIONS, headers={"Authorization": f"Token {token}"})
    try:
        with urllib.request.urlopen(sent) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_one_login_and_the_same_token(organization: Organization) -> None:
    client = tps.login(**organization.login())
    token = client.token

    assert type(token) is str
    assert client.authorization == f"Token {token}"
    assert status_with(token) == 200
    assert all(client.token is token for _ in range(10_000))
    assert organization.logins == 1


def test_two_clients_share_a_token(organization: Organization) -> None:
    tokens = {tps.login(**organization.login()).token, tps.login(**organization.login(timeout=9)).token}
    assert len(tokens) == organization.logins == 1


def test_a_client_that_is_gone_leaves_the_others_alone(organization: Organization) -> None:
    client = tps.login(**organization.login())
    token = client.token
    for _ in range(100):
        tps.login(**organization.login()).close()
    assert client.token == token
    assert organization.logins == 1


def test_a_client_does_nothing_until_it_is_asked(organization: Organization) -> None:
    client = tps.Client(**organization.login())
    assert organization.logins == 0
    assert status_with(client.token) == 200


def test_twenty_threads_and_one_login() -> None:
    organization = Organization(latency=0.3)
    client = tps.Client(**organization.login())
    with ThreadPoolExecutor(20) as pool:
        tokens = set(pool.map(lambda _: client.token, range(20)))
    assert len(tokens) == organization.logins == 1


def test_a_failure_is_shared() -> None:
    organization = Organization(latency=0.3, throttle={"allow": 0, "wait": 60})
    client = tps.Client(**organization.login())

    def status(_: int) -> str:
        with pytest.raises(tps.ThrottledError) as caught:
            _ = client.token
        return caught.value.status

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(status, range(20))) == {"throttled"}
    assert organization.logins == 1


def test_a_token_at_hand_does_not_wait_for_a_busy_thread(organization: Organization) -> None:
    client = tps.login(**organization.login())
    running = True

    def busy() -> None:
        while running:
            pass

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        started = time.monotonic()
        for _ in range(5000):
            _ = client.token
        # A call that gave up Python's lock would wait for the busy thread's turn to end, 5 ms each time.
        assert time.monotonic() - started < 5000 * sys.getswitchinterval() / 2
    finally:
        running = False
        thread.join()


def test_a_token_of_its_owner_needs_no_login(organization: Organization) -> None:
    token = tps.login(**organization.login()).token
    other = Organization()
    assert tps.login(**other.login(token=token)).token == token
    assert other.logins == 0


def test_an_ended_token_is_replaced() -> None:
    organization = Organization(token_life=2)
    client = tps.login(**organization.login())
    first = client.token
    time.sleep(2.2)
    assert client.token != first
    assert organization.logins == 2


@pytest.mark.parametrize("life", [None, 36_000])
def test_a_rejected_token_is_replaced_once(life: int | None) -> None:
    organization = Organization(token_life=life)
    client, other = tps.login(**organization.login()), tps.login(**organization.login())
    first = client.token
    organization.revoke()
    # Asked for just now.
    assert other.token == first
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: client.invalidate(first), range(20)))
    second = other.token
    client.invalidate(first)
    assert second == client.token != first
    assert organization.logins == 2


@pytest.mark.parametrize("life", [None, 36_000])
def test_logout_revokes_and_the_client_stays_usable(life: int | None) -> None:
    organization = Organization(token_life=life)
    client, other = tps.login(**organization.login()), tps.login(**organization.login())
    first = client.token
    assert other.token == first
    client.logout()
    assert (organization.counts["logouts"], organization.counts["tokens"]) == (1, 0)
    assert other.token != first
    assert other.token == client.token
    assert organization.logins == 2


def test_a_token_that_expires_is_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    real = _native._generation
    monkeypatch.setattr(_native, "_generation", lambda address: calls.append(address) or real(address))
    client = tps.login(**Organization(token_life=36_000).login())
    calls.clear()
    for _ in range(10_000):
        _ = client.token
    # As many as in 20 seconds, by two.
    assert len(calls) <= 640


def test_the_wrong_password_is_not_served_the_right_ones_token(organization: Organization) -> None:
    client = tps.login(**organization.login())
    with pytest.raises(tps.CredentialsError):
        tps.login(**organization.login(password="wrong"))
    assert status_with(client.token) == 200
    assert organization.logins == 2


def test_stats(organization: Organization) -> None:
    client = tps.login(**organization.login())
    stats = client.stats
    assert stats["base_url"] == SERVER
    assert stats["logins_by_reason"]["first"] == 1
    assert stats["token"] is not None
    assert len(stats["token"]["fingerprint"]) == 12
    assert [event["kind"] for event in stats["events"]] == ["login"]


def test_close(organization: Organization) -> None:
    client = tps.login(**organization.login())
    client.close()
    assert client.closed
    for use in (lambda: client.token, lambda: client.stats, client.logout, lambda: client.invalidate("t")):
        with pytest.raises(tps.ClosedError):
            use()
    assert tps.login(**organization.login()).token
    assert organization.logins == 1


def test_memory() -> None:
    """What was not released would be some 8 MB if it were only the tokens, or only the errors."""
    # Nobody reads its events, so they are not looked at.
    silent = logging.getLogger("silent")
    silent.setLevel(logging.CRITICAL + 1)
    client = tps.login(**Faults("ok").login(logger=silent))
    from tps import _kept

    def round(times: int) -> int:
        for number in range(times):
            _kept.forget_all()
            _ = client.authorization
            if number % 2:
                try:
                    client.invalidate("")
                except tps.InvalidArgumentError as error:
                    str(error)
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    round(10_000)
    before = round(1000)
    assert round(50_000) - before < 2500
