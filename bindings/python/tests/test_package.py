"""The archives that package.sh makes, and what type checkers say of the package."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import tarfile
import zipfile

import pytest

import tps

PACKAGES = pathlib.Path(os.environ["TPS_TEST_PACKAGES"])
HERE = pathlib.Path(__file__).parent
WHEEL = next(PACKAGES.glob("*.whl"))


def test_the_wheel() -> None:
    assert re.fullmatch(rf"tps-{tps.__version__}-py3-none-(manylinux_2_\d+|musllinux_1_2)_\w+\.whl", WHEEL.name)
    with zipfile.ZipFile(WHEEL) as archive:
        names = set(archive.namelist())
        info = f"tps-{tps.__version__}.dist-info"
        metadata = archive.read(f"{info}/METADATA").decode()
        assert "Root-Is-Purelib: false" in archive.read(f"{info}/WHEEL").decode()
    assert {"tps/libtps.so", "tps/py.typed", f"{info}/licenses/LICENSE-MIT", f"{info}/entry_points.txt"} <= names
    assert not [name for name in names if re.search(r"/test_|\.pyc|build_library", name)]
    assert "License-Expression: MIT OR Apache-2.0" in metadata
    # It needs nothing but Python.
    assert not re.findall(r"^Requires-Dist: (?!.*extra ==)", metadata, re.MULTILINE)


def test_the_source_archive() -> None:
    (archive,) = PACKAGES.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        names = {name.partition("/")[2] for name in source.getnames()}
    needed = {
        "library/Cargo.lock",
        "library/src/ffi/mod.rs",
        "library/include/tps.h",
        "build_library.py",
        "LICENSE-MIT",
    }
    assert needed <= names
    assert not [name for name in names if name.endswith(".so") or name.startswith("tests")]


def test_a_clean_environment(tmp_path: pathlib.Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path], check=True)
    python = str(tmp_path / "bin/python")
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", str(WHEEL)]
    subprocess.run(install, check=True)
    command = [python, "-I", "-W", "error", "-c", "import tps; print(tps.load())"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.stdout, done.stderr) == (f"{tps.load()}\n", "")


@pytest.mark.parametrize("wanted", ["manylinux_2_5_x86_64", "musllinux_1_2_x86_64", "manylinux_2_39_riscv64"])
def test_a_wheel_for_a_platform_that_it_does_not_serve(wanted: str) -> None:
    script = f"""
import sys, types
for name in ("hatchling", "hatchling.builders", "hatchling.builders.hooks", "hatchling.builders.hooks.plugin"):
    sys.modules[name] = types.ModuleType(name)
plugin = sys.modules["hatchling.builders.hooks.plugin.interface"] = types.ModuleType("interface")
plugin.BuildHookInterface = type("BuildHookInterface", (), {{"__class_getitem__": classmethod(lambda cls, _: cls)}})
sys.path.insert(0, {str(HERE.parent)!r})
import build_library, pathlib
ours = build_library._platform(pathlib.Path({str(pathlib.Path(tps.__file__).parent / "libtps.so")!r}))
print(build_library._serves(ours, ours), build_library._serves(ours, {wanted!r}))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.split() == ["True", "False"], done.stderr


USER = """
import logging
from datetime import timedelta

import httpx
import requests
import tps
import tps.testing


def use(client: tps.Client) -> str:
    requests.get("https://app.tpstreams.com/", auth=client.requests_auth(), timeout=5)
    httpx.Client(auth=client.httpx_auth())
    status: int = client.with_token(lambda token: len(token))
    reason: str | None = client.stats["events"][0]["reason"]
    try:
        return client.token + str(status) + str(reason)
    except tps.Error as error:
        return f"{error.status} {error.http_status} {error.retry_after + 1.5}"


async def use_on_loop(client: tps.Client) -> str:
    async def call(token: str) -> bytes:
        return token.encode()

    body: bytes = await client.awith_token(call)
    await client.alogout()
    return await client.atoken() + body.decode()


one = tps.login(username="a", password="b", organization_id="c", timeout=timedelta(seconds=5))
two = tps.Client(username=None, password="b", organization_id="c", logger=logging.getLogger("s"), refresh_ahead="auto")
three = tps.from_env(lazy=True, cache="memory")
with tps.testing.fake(tokens=["t1", tps.NetworkError("gone")]) as fake:
    logins: int = fake.stats["logins"]
"""

WRONG = """
import tps

tps.login(username="a", password="b")
tps.login(username="a", password="b", organization_id="c", timeout="5")
tps.from_env(colour="red")
tps.from_env(token="t")
tps.Client(username="a", password="b", organization_id="c").stats["colour"]
"""


SOURCE = str(HERE.parent / "src")
CHECKERS = {
    "mypy": ["mypy", "--strict", "--no-incremental", "right.py", "wrong.py", f"{SOURCE}/tps"],
    "pyright": ["pyright", "--pythonpath", sys.executable, "right.py", "wrong.py", f"{SOURCE}/tps"],
}


@pytest.mark.parametrize("name", CHECKERS)
def test_type_checkers(name: str, tmp_path: pathlib.Path) -> None:
    """Of a program that is right, of one that is wrong in each line, and of the package itself."""
    (tmp_path / "right.py").write_text(USER)
    (tmp_path / "wrong.py").write_text(WRONG)
    done = subprocess.run(
        [sys.executable, "-m", *CHECKERS[name]],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"MYPYPATH": SOURCE, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},
    )
    faults = set(re.findall(r"(\w+\.py):(\d+):.*error", done.stdout))
    assert faults == {("wrong.py", str(line)) for line in (4, 5, 6, 7, 8)}, done.stdout + done.stderr


def test_style() -> None:
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", "src", "tests", "build_library.py"],
            cwd=HERE.parent,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout
