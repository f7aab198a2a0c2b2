"""One class for each status."""

from __future__ import annotations

import copy
import pickle

import pytest
from support import Faults, Organization

import tps

CASES = [
    ("wrong-password", tps.CredentialsError, "credentials", 400),
    ("limit-403", tps.TokenLimitError, "token_limit", 403),
    ("retry-after-seconds60", tps.ThrottledError, "throttled", 429),
    ("html502", tps.ServerError, "server", 502),
    ("redirect302", tps.UnexpectedResponseError, "unexpected_response", 302),
    ("close", tps.OutcomeUnknownError, "outcome_unknown", None),
]


@pytest.mark.parametrize(("scenario", "kind", "status", "http_status"), CASES, ids=[case[0] for case in CASES])
def test_what_the_server_says(scenario: str, kind: type[tps.Error], status: str, http_status: int | None) -> None:
    with pytest.raises(tps.Error) as caught:
        tps.login(**Faults(scenario).login())
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.http_status) == (status, http_status)
    assert error.retry_after > 0
    assert len(str(error).splitlines()) == 1
    assert "correct horse" not in str(error)


def test_no_server() -> None:
    with pytest.raises(tps.NetworkError) as caught:
        tps.login(**Faults("ok").login(base_url="http://127.0.0.1:1", timeout=5))
    assert caught.value.http_status is None


def test_a_time_that_is_over() -> None:
    # The library tells that the answer is lost where it is asked once more in time.
    with pytest.raises((tps.TimeoutError, tps.OutcomeUnknownError)):
        tps.login(**Organization(latency=5).login(timeout=0.5))


def test_the_login_budget() -> None:
    faults = Faults("ok")
    client = tps.login(**faults.login(logins_per_day=1))
    faults.revoke()
    client.invalidate(client.token)
    with pytest.raises(tps.LoginBudgetError) as caught:
        _ = client.token
    assert caught.value.retry_after > 0
    assert faults.logins == 1


def test_pickles_and_copies() -> None:
    """Celery and multiprocessing send them."""
    error = tps.ThrottledError("wait", http_status=429, retry_after=1.5)
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (type(other), str(other), other.http_status, other.retry_after) == (tps.ThrottledError, "wait", 429, 1.5)
    timeout = pickle.loads(pickle.dumps(tps.TimeoutError("late")))
    assert (str(timeout), timeout.status, timeout.retry_after) == ("late", "timeout", 0.0)


def test_pythons_own_kinds() -> None:
    assert issubclass(tps.TimeoutError, TimeoutError)
    assert issubclass(tps.InvalidArgumentError, ValueError)


def test_each_status_has_a_class() -> None:
    kinds = tps.Error.__subclasses__()
    assert len({kind.status for kind in kinds}) == len(kinds) == 15
    assert {kind.__name__ for kind in kinds} < set(tps.__all__)
