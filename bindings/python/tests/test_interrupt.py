"""While a login takes 6 seconds. What acts within 0.2 s is given half of those, since the machine may be slow."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from typing import Any

import pytest
from support import Faults, Organization, clean_environment, python, running

import tps

SOON = 3.0


def client_in(login: dict[str, Any]) -> str:
    return f"import json, tps\nclient = tps.Client(**json.loads({json.dumps(login)!r}))\n"


def test_ctrl_c_acts_at_once() -> None:
    organization = Organization(latency=6)
    script = client_in(organization.login()) + (
        # A shell's background jobs ignore it.
        "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "try:\n    client.token\nexcept KeyboardInterrupt:\n    print('interrupted', flush=True)\nprint(client.token)"
    )
    with running(sys.executable, "-c", script, environment={}) as process:
        organization.wait_for_login()
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stdout
        assert process.stdout.readline() == "interrupted\n"
        assert time.monotonic() - started < SOON
        # The login went on and serves the next call.
        assert len(process.stdout.readline().strip()) == 64
        assert process.wait(20) == 0
    assert organization.logins == 1


@pytest.mark.parametrize("call", ["token", "logout()"])
def test_an_alarm_acts_at_once(call: str) -> None:
    faults = Faults("logout-slow6" if call == "logout()" else "slow6")
    client = tps.Client(**faults.login())
    if call == "logout()":
        _ = client.token

    def expired(number: int, frame: Any) -> None:
        raise InterruptedError("alarm")

    before = signal.signal(signal.SIGALRM, expired)
    started = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(InterruptedError):
            client.logout() if call == "logout()" else client.token
        assert time.monotonic() - started < 0.5 + SOON
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_handler_runs_and_the_call_goes_on() -> None:
    client = tps.Client(**Organization(latency=1).login())
    ran: list[float] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: ran.append(time.monotonic()))
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        assert client.token
        assert ran
        assert time.monotonic() - ran[0] > 0.3
    finally:
        signal.signal(signal.SIGALRM, before)


def test_the_process_ends_at_once() -> None:
    organization = Organization(latency=6)
    script = client_in(organization.login()) + (
        "import sys, threading\nthreading.Thread(target=lambda: client.token, daemon=True).start()\nsys.stdin.read()"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=clean_environment()) as process:
        organization.wait_for_login()
        started = time.monotonic()
        assert process.stdin
        process.stdin.close()
        assert process.wait(20) == 0
        assert time.monotonic() - started < SOON


@pytest.mark.parametrize("call", ["atoken", "alogout", "awith_token"])
def test_the_event_loop_ticks(call: str) -> None:
    faults = Faults("logout-slow1" if call == "alogout" else "slow1")
    client = tps.Client(**faults.login())
    if call == "alogout":
        _ = client.token

    async def use() -> None:
        if call == "atoken":
            assert len(await client.atoken()) == 64
        elif call == "alogout":
            await client.alogout()
        else:
            assert await client.awith_token(one) == 1

    async def one(token: str) -> int:
        return 1

    async def count() -> int:
        ticks = 0
        done = asyncio.create_task(use())
        longest = 0.0
        while not done.done():
            started = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - started)
            ticks += 1
        await done
        assert longest < 0.5
        return ticks

    assert asyncio.run(count()) > 20


def test_a_timeout_of_asyncio() -> None:
    organization = Organization(latency=6)
    client = tps.Client(**organization.login())

    async def wait() -> None:
        await asyncio.wait_for(client.atoken(), 0.5)

    started = time.monotonic()
    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(wait())
    assert time.monotonic() - started < SOON


def test_a_hundred_tasks_and_one_login() -> None:
    organization = Organization(latency=0.3)

    async def ask() -> list[str]:
        clients = [tps.Client(**organization.login()) for _ in range(100)]
        return await asyncio.gather(*(client.atoken() for client in clients))

    assert len(set(asyncio.run(ask()))) == organization.logins == 1


def test_a_time_that_is_over_on_a_loop() -> None:
    with pytest.raises(tps.Error) as caught:
        asyncio.run(tps.Client(**Faults("hang").login(timeout=0.5)).atoken())
    assert caught.value.status in ("timeout", "outcome_unknown")


def test_green_threads_go_on() -> None:
    organization = Organization(latency=1)
    done = python(
        "import gevent.monkey; gevent.monkey.patch_all()\n"
        + client_in(organization.login())
        + "import gevent, time\nticks = 0\n"
        + "def tick():\n    global ticks\n    while True:\n        time.sleep(0.01)\n        ticks += 1\n"
        + "gevent.spawn(tick)\nclient.token\nprint(ticks)",
        {},
        "-W",
        "ignore",
    )
    assert int(done.stdout) > 20, done.stderr


def test_the_library_prints_nothing() -> None:
    refused = Organization(throttle={"allow": 0, "wait": 60})
    logins = [Organization().login(), refused.login(), Faults("close").login(), Faults("html500").login()]
    done = python(
        "import json, os, tps\n"
        f"for login in json.loads({json.dumps(logins)!r}):\n"
        "    try:\n        client = tps.login(**login); client.invalidate('another'); client.logout()\n"
        "    except tps.Error:\n        print('.', end='')"
    )
    assert (done.stdout, done.stderr, done.returncode) == ("...", "", 0)


def test_the_signal_mask_and_handlers_are_left_alone() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE)]
    _ = tps.login(**Organization().login()).token
    assert before == [
        signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE)
    ]
