"""gunicorn with 8 workers and Celery's prefork pool: one login in all, and one more for a revoked token."""

from __future__ import annotations

import pathlib
import signal
import socket
import sys
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import ORGANIZATIONS, SERVER, Organization, running, wait_until

WORKERS = 8

APPLICATION = f"""
import os, requests, time, tps
client = tps.from_env(lazy=True)

def call():
    response = requests.get("{SERVER}{ORGANIZATIONS}", auth=client.requests_auth(), timeout=20)
    # So that each worker gets its share.
    time.sleep(0.05)
    return f"{{os.getpid()}} {{response.status_code}} {{client.token}}"
"""

WSGI = (
    APPLICATION
    + """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [call().encode()]
"""
)


def environment(organization: Organization, directory: pathlib.Path) -> dict[str, str]:
    return organization.environment(XDG_STATE_HOME=str(directory / "state"), PYTHONPATH=str(directory))


def assert_answers(answers: list[str], workers: int) -> None:
    """All are 200 with one token, from that many processes."""
    pids, statuses, tokens = (set(column) for column in zip(*(answer.split() for answer in answers), strict=True))
    assert (statuses, len(tokens)) == ({"200"}, 1)
    assert len(pids) >= workers


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def until_all(ask: Callable[[], list[str]], workers: int) -> list[str]:
    """Asks until each worker has answered; a busy machine gives some workers no turn at first."""
    answers: list[str] = []
    for _ in range(10):
        answers += ask()
        if len({answer.split()[0] for answer in answers}) >= workers:
            break
    return answers


@pytest.mark.parametrize("options", [(), ("--preload", "--threads", "4")], ids=["plain", "preload"])
def test_gunicorn(organization: Organization, tmp_path: pathlib.Path, options: tuple[str, ...]) -> None:
    (tmp_path / "shop.py").write_text(WSGI)
    port = free_port()
    command = ["-m", "gunicorn", "shop:application", "-b", f"127.0.0.1:{port}", "-w", str(WORKERS), *options]
    with running(sys.executable, *command, environment=environment(organization, tmp_path), cwd=tmp_path) as process:

        def get(_: int = 0) -> str:
            return urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30).read().decode()

        def listens() -> bool:
            with socket.socket() as tried:
                return tried.connect_ex(("127.0.0.1", port)) == 0

        wait_until(listens)
        with ThreadPoolExecutor(24) as pool:
            ask = lambda: list(pool.map(get, range(48)))  # noqa: E731
            cold = until_all(ask, WORKERS)
            assert_answers(cold, WORKERS)
            assert organization.logins == 1
            organization.revoke()
            ask()
            # Each request with the old token has its answer now.
            warm = ask()
        assert_answers(warm, 1)
        assert warm[0].split()[2] != cold[0].split()[2]
        assert organization.logins == 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


CELERY = (
    APPLICATION
    + """
import celery
app = celery.Celery("shop")
app.conf.update(
    broker_url="filesystem://",
    broker_transport_options={"data_folder_in": "queue", "data_folder_out": "queue", "control_folder": "control"},
    result_backend="db+sqlite:///results.db",
    worker_prefetch_multiplier=1,
)

@app.task
def token():
    return call()

@app.task
def refuse():
    raise tps.ThrottledError("wait", http_status=429, retry_after=1.5)
"""
)

SEND = """
import sys
import celery.result, shop
task, count = sys.argv[1], int(sys.argv[2])
sent = [getattr(shop, task).delay() for _ in range(count)]
for one in sent:
    try:
        print(one.get(timeout=40, interval=0.05))
    except Exception as error:
        print(type(error).__module__, type(error).__qualname__, error)
"""


def test_celery(organization: Organization, tmp_path: pathlib.Path) -> None:
    (tmp_path / "shop.py").write_text(CELERY)
    (tmp_path / "queue").mkdir()
    (tmp_path / "control").mkdir()
    variables = environment(organization, tmp_path)

    def send(task: str, count: int) -> list[str]:
        with running(sys.executable, "-c", SEND, task, str(count), environment=variables, cwd=tmp_path) as process:
            output, _ = process.communicate(timeout=60)
            assert process.returncode == 0, output
            return output.splitlines()

    worker = [
        "-m",
        "celery",
        "-A",
        "shop",
        "worker",
        "-c",
        "4",
        "-P",
        "prefork",
        "--without-gossip",
        "--without-mingle",
    ]
    variables["C_FORCE_ROOT"] = "1"
    with running(sys.executable, *worker, environment=variables, cwd=tmp_path) as process:
        cold = send("token", 16)
        assert_answers(cold, 2)
        assert organization.logins == 1
        organization.revoke()
        send("token", 8)
        warm = send("token", 4)
        assert_answers(warm, 1)
        assert warm[0].split()[2] != cold[0].split()[2]
        assert organization.logins == 2
        # An error reaches the caller as what it was.
        assert send("refuse", 1) == ["tps ThrottledError wait"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
