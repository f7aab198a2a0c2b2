"""Children of a fork: no login more, and none hangs."""

from __future__ import annotations

import pathlib

import pytest
from support import Organization, answers

SCRIPT = """
import os, sys, threading, tps, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads

def say(token):
    os.write(1, f"{token}\\n".encode())

def child(work):
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException as error:
            os.write(2, repr(error).encode())
            os._exit(1)
        os._exit(0)
    return pid

def ended_well(*pids):
    for pid in pids:
        assert os.waitpid(pid, 0)[1] == 0
"""


def tokens(organization: Organization, script: str, directory: pathlib.Path, cache: str = "auto") -> list[str]:
    return answers(SCRIPT + script, organization.environment(XDG_STATE_HOME=str(directory), TPS_CACHE=cache))


@pytest.mark.parametrize("cache", ["auto", "memory"])
def test_a_child_has_its_parents_token(organization: Organization, tmp_path: pathlib.Path, cache: str) -> None:
    script = """
client = tps.from_env()
say(client.token)
for _ in range(10):
    ended_well(child(lambda: (say(client.token), say(tps.from_env().token))))
"""
    found = tokens(organization, script, tmp_path, cache)
    assert (len(found), len(set(found)), organization.logins) == (21, 1, 1)


def test_a_process_for_each_job(organization: Organization, tmp_path: pathlib.Path) -> None:
    found = tokens(organization, "ended_well(*[child(lambda: say(tps.from_env().token)) for _ in range(10)])", tmp_path)
    assert (len(found), len(set(found)), organization.logins) == (10, 1, 1)


def test_children_of_many_threads(organization: Organization, tmp_path: pathlib.Path) -> None:
    script = """
client = tps.from_env()
running = True
def busy():
    while running:
        client.token
        client.stats
        client.invalidate("another")
threads = [threading.Thread(target=busy) for _ in range(4)]
for thread in threads: thread.start()
for _ in range(5):
    ended_well(*[child(lambda: say(client.token)) for _ in range(10)])
running = False
for thread in threads: thread.join()
"""
    found = tokens(organization, script, tmp_path)
    assert (len(found), len(set(found)), organization.logins) == (50, 1, 1)


def test_children_made_during_a_login_wait_for_it(tmp_path: pathlib.Path) -> None:
    organization = Organization(latency=1)
    script = """
import time
client = tps.from_env(lazy=True)
thread = threading.Thread(target=lambda: say(client.token))
thread.start()
time.sleep(0.4)
ended_well(*[child(lambda: say(client.token)) for _ in range(5)])
thread.join()
"""
    found = tokens(organization, script, tmp_path)
    assert (len(found), len(set(found)), organization.logins) == (6, 1, 1)


def test_a_token_that_a_child_has_replaced(organization: Organization, tmp_path: pathlib.Path) -> None:
    tokens(organization, "tps.from_env()", tmp_path)
    organization.revoke()
    script = """
client = tps.from_env()
rejected = client.token
ended_well(child(lambda: (client.invalidate(rejected), say(client.token))))
client.invalidate(rejected)
say(client.token)
"""
    found = tokens(organization, script, tmp_path)
    assert (len(found), len(set(found)), organization.logins) == (2, 1, 2)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(organization: Organization, tmp_path: pathlib.Path, method: str) -> None:
    (tmp_path / "work.py").write_text("import tps\ndef token(_):\n    return tps.from_env().token\n")
    script = f"""
import multiprocessing
sys.path.insert(0, {str(tmp_path)!r})
import work
with multiprocessing.get_context("{method}").Pool(4) as pool:
    for token in pool.map(work.token, range(8)): say(token)
"""
    found = tokens(organization, script, tmp_path)
    assert (len(found), len(set(found)), organization.logins) == (8, 1, 1)
