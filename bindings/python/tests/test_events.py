"""What the library tells, in `logging`."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support import Organization, python

import tps


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.tps["kind"], record.levelname) for record in caplog.records if hasattr(record, "tps")]


def test_a_life_in_a_log(organization: Organization, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "tps"):
        client = tps.login(**organization.login())
        first = client.token
        organization.revoke()
        client.invalidate(first)
        second = client.token
        client.logout()

    assert told(caplog) == [("login", "INFO"), ("rejected", "WARNING"), ("login", "INFO"), ("logout", "INFO")]
    assert f"TPS: login (organization={organization.id}, reason=first, " in caplog.text
    assert "reason=rejected" in caplog.text
    event = caplog.records[0].tps
    assert (event["reason"], event["status"], event["organization_id"]) == ("first", None, organization.id)
    assert not any(secret in caplog.text for secret in (first, second, organization.password))


def test_a_failure(organization: Organization, caplog: pytest.LogCaptureFixture) -> None:
    client = tps.Client(**organization.login(password="wrong"))
    for _ in range(2):
        with pytest.raises(tps.CredentialsError):
            _ = client.token
    assert told(caplog) == [("hold_off", "WARNING")]
    assert caplog.records[0].tps["status"] == "credentials"
    assert f"TPS: hold_off (organization={organization.id}, status=credentials" in caplog.text


def test_each_event_is_told_once_in_a_process(organization: Organization, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tps")
    clients = [tps.Client(**organization.login()) for _ in range(5)]
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda client: client.token, clients))
    # A thread that found the others passing events on left it to them.
    _ = tps.login(**organization.login(timeout=9)).token
    assert told(caplog) == [("login", "INFO")]


def test_a_logger_of_ones_own(organization: Organization, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "shop")
    tps.login(**organization.login(logger=logging.getLogger("shop")))
    adapter = logging.LoggerAdapter(logging.getLogger("shop"), {"tenant": 7})
    tps.login(**Organization().login(logger=adapter))
    assert [(record.name, getattr(record, "tenant", None)) for record in caplog.records] == [
        ("shop", None),
        ("shop", 7),
    ]


def test_a_token_at_hand_costs_no_look(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    client = tps.login(**organization.login())
    looks: list[int] = []
    monkeypatch.setattr(tps.Client, "_pass_on_events", lambda client: looks.append(1))
    for _ in range(1000):
        _ = client.token
    assert looks == []


def test_a_log_that_fails_is_not_the_callers_fault(organization: Organization) -> None:
    class Broken(logging.Filter):
        def filter(self, record: Any) -> bool:
            raise OSError("closed stream")

    logger = logging.getLogger("broken")
    logger.setLevel(logging.INFO)
    logger.addFilter(Broken())
    with pytest.warns(RuntimeWarning, match="an event could not be passed on: OSError"):
        client = tps.login(**organization.login(logger=logger))
    assert len(client.token) == 64


def test_a_handler_that_asks_for_a_token(organization: Organization) -> None:
    client = tps.Client(**organization.login(logger=logging.getLogger("asking")))
    asked: list[str] = []

    class Asking(logging.Handler):
        def emit(self, record: Any) -> None:
            asked.append(client.token)

    client._account.events._logger.setLevel(logging.INFO)
    logging.getLogger("asking").addHandler(Asking())
    assert asked == [client.token]


def test_nothing_is_printed_without_a_set_up() -> None:
    login = Organization(throttle={"allow": 0, "wait": 60}).login()
    done = python(f"import tps\ntry:\n    tps.login(**{login!r})\nexcept tps.Error:\n    print('.')")
    assert (done.stdout, done.stderr) == (".\n", "")


def test_a_child_of_a_fork_tells_its_own(organization: Organization) -> None:
    script = f"""
import logging, os, sys, tps
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(name)s %(message)s")
client = tps.login(**{organization.login()!r})
sys.stdout.flush()
if (pid := os.fork()) == 0:
    client.logout()
    client.token
    sys.stdout.flush()
    os._exit(0)
os.waitpid(pid, 0)
client.token
"""
    lines = python(script).stdout.splitlines()
    assert [line.split()[:3] for line in lines] == [["tps", "TPS:", kind] for kind in ("login", "logout", "login")]
