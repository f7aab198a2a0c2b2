"""The servers as the tests use them, and other Pythons."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

SERVER = os.environ["TPS_TEST_SERVER"].rstrip("/")
FAULTS = os.environ["TPS_TEST_FAULTS"].rstrip("/")
ORGANIZATIONS = "/api/v1/organizations/"

# Seconds, far more than any process here takes: what is still there hangs.
LIMIT = 60


def request(method: str, url: str, body: str = "", kind: str = "application/json") -> Any:
    sent = urllib.request.Request(url, body.encode() or None, {"Content-Type": kind}, method=method)
    with urllib.request.urlopen(sent, timeout=LIMIT) as response:
        return json.loads(response.read() or "null")


class Organization:
    """A fresh user and organization at the real server, and what the server counts for it."""

    def __init__(self, **settings: Any) -> None:
        made = request("POST", f"{SERVER}/_test/organizations/", json.dumps(settings))
        self.id, self.username, self.password = made["organization_id"], made["username"], made["password"]

    def login(self, **others: Any) -> dict[str, Any]:
        """Keywords for tps.login."""
        return {**self.credentials(), "base_url": SERVER, "cache": "memory"} | others

    def credentials(self) -> dict[str, str]:
        return {"username": self.username, "password": self.password, "organization_id": self.id}

    def environment(self, **others: str) -> dict[str, str]:
        """Variables for tps.from_env."""
        return {f"TPS_{name.upper()}": value for name, value in self.credentials().items()} | {
            "TPS_BASE_URL": SERVER,
            **others,
        }

    def change(self, **settings: Any) -> None:
        request("PATCH", f"{SERVER}/_test/organizations/{self.id}/", json.dumps(settings))

    def revoke(self) -> None:
        request("POST", f"{SERVER}/_test/organizations/{self.id}/revoke/", "{}")

    @property
    def counts(self) -> Any:
        return request("GET", f"{SERVER}/_test/organizations/{self.id}/")

    @property
    def logins(self) -> int:
        return int(self.counts["logins"])

    def wait_for_login(self) -> None:
        """Until the server has seen one."""
        wait_until(lambda: self.logins == 1)


class Faults:
    """One test's corner of the server that misbehaves."""

    def __init__(self, scenario: str) -> None:
        self.key = secrets.token_hex(8)
        self.base_url = f"{FAULTS}/{scenario}/{self.key}"
        self.url = self.base_url + ORGANIZATIONS
        # Where the library itself sends nothing but a logout.
        self.post_url = self.base_url + "/api/auth/logout/"

    def login(self, **others: Any) -> dict[str, Any]:
        credentials = {"username": "hari@example.com", "password": "correct horse battery", "organization_id": "auhf2k"}
        return {**credentials, "base_url": self.base_url, "cache": "memory"} | others

    def revoke(self) -> None:
        urllib.request.urlopen(f"{FAULTS}/_revoke/{self.key}", b"", timeout=LIMIT).close()

    @property
    def logins(self) -> int:
        return int(self._counts["logins"])

    def sent(self, path: str = ORGANIZATIONS) -> list[Any]:
        """What was sent to this path, without the library's own."""
        log = [one for one in self._counts["log"] if path in one["line"]]
        return [one for one in log if not one["headers"].get("user-agent", "").startswith("libtps/")]

    def authorizations(self, path: str = ORGANIZATIONS) -> list[str | None]:
        return [one["headers"].get("authorization") for one in self.sent(path)]

    def bodies(self) -> list[str]:
        return [one["body"] for one in self.sent("/api/auth/logout/")]

    @property
    def _counts(self) -> Any:
        return request("GET", f"{FAULTS}/_count/{self.key}")


def wait_until(condition: Any, limit: float = 20) -> None:
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def clean_environment() -> dict[str, str]:
    """Only what a test says itself shall count."""
    keep = ("TPS_TEST_",)
    return {name: value for name, value in os.environ.items() if not name.startswith("TPS_") or name.startswith(keep)}


def python(script: str, environment: dict[str, str] | None = None, *options: str) -> subprocess.CompletedProcess[str]:
    """Another Python, to its end."""
    return subprocess.run(
        [sys.executable, "-W", "error", *options, "-c", script],
        env=clean_environment() | (environment or {}),
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )


def answers(script: str, environment: dict[str, str]) -> list[str]:
    """The lines that another Python and its children print, all of which must end well."""
    done = python(script, environment)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout.split()


@contextlib.contextmanager
def running(*command: str, environment: dict[str, str], **more: Any) -> Iterator[subprocess.Popen[str]]:
    """A program beside the test, ended with it, with all its children."""
    with subprocess.Popen(
        command,
        env=clean_environment() | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **more,
    ) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
