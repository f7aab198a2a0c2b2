"""Each block of Python in both READMEs runs as it is, against the test server."""

from __future__ import annotations

import pathlib
import re

import pytest
from support import SERVER, Organization, python

SERVICE = "https://app.tpstreams.com"
ROOT = pathlib.Path(__file__).parents[3]
CLIENT = "import tps\nclient = tps.from_env()\n"

# What is around a block in a program, by the heading above it: before, after, what is printed, and how many logins.
AROUND = {
    "tps 1": ("", "print(response.status_code)", "200", 1),
    "Requests 1": (CLIENT, "import json\nprint(json.loads(body)['count'])", "1", 1),
    "Requests 2": (CLIENT, "import asyncio\nprint(len(asyncio.run(names())))", "1", 1),
    "Django, Flask 1": ("", "print(len(organizations()))", "1", 1),
    "FastAPI 1": (
        "import sys\nfrom types import SimpleNamespace\n"
        "class FastAPI:\n"
        "    def __init__(self, lifespan): self.state = SimpleNamespace()\n"
        "    def get(self, path): return lambda function: function\n"
        "sys.modules['fastapi'] = SimpleNamespace(FastAPI=FastAPI, Request=object)\n",
        "import asyncio\nasync def use():\n"
        "    async with lifespan(app):\n"
        "        return await organizations(SimpleNamespace(app=app))\n"
        "print(len(asyncio.run(use())))",
        "1",
        1,
    ),
    "Celery, RQ, multiprocessing 1": ("", "app.conf.task_always_eager = True\nprint(count_organizations())", "1", 1),
    "Tests of your own 1": ("", "print(client)", "<tps.testing.FakeClient organization_id='fake'>", 0),
    "Use 1": ("import requests, tps\n", "print(response.status_code)", "200", 1),
}

PARTS = re.compile(r"^```(?P<language>\w*)\n(?P<code>.*?)^```$|^##? (?P<heading>[^\n]*)$", re.MULTILINE | re.DOTALL)


def blocks(readme: pathlib.Path) -> dict[str, str]:
    """By heading and number."""
    heading, number, found = "", 0, {}
    for part in PARTS.finditer(readme.read_text()):
        if part["heading"]:
            heading, number = part["heading"], 0
        elif part["language"] == "python":
            number += 1
            found[f"{heading} {number}"] = part["code"]
    return found


BLOCKS = blocks(pathlib.Path(__file__).parents[1] / "README.md") | blocks(ROOT / "README.md")


def test_none_is_left_out() -> None:
    assert AROUND.keys() == BLOCKS.keys()


@pytest.mark.parametrize("name", AROUND)
def test_a_block(name: str, organization: Organization, tmp_path: pathlib.Path) -> None:
    before, after, printed, logins = AROUND[name]
    code = BLOCKS[name].replace(SERVICE, SERVER)
    for known, own in (("hari@example.com", "username"), ("welcome", "password"), ("auhf2k", "organization_id")):
        code = code.replace(f'"{known}"', repr(organization.credentials()[own]))
    script = "\n".join((before, code, after))
    done = python(script, organization.environment(XDG_STATE_HOME=str(tmp_path)), "-W", "ignore")
    assert (done.stdout, done.returncode) == (f"{printed}\n", 0), done.stderr
    assert organization.logins == logins
