"""How the library is found, and what is said when it is not. Each in a Python of its own."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import subprocess

import pytest
from support import Faults, python

import tps
from tps import _diagnosis, _library

SCRIPT = """
import sys, tps
try:
    print(tps.load())
except tps.LibraryError as error:
    print(error)
    sys.exit(3 if error.status == "library" and "\\n" not in str(error) else 4)
"""


def library() -> pathlib.Path:
    """The file that these tests run with."""
    tps.load()
    maps = pathlib.Path("/proc/self/maps").read_text()
    return pathlib.Path(re.findall(r"/\S*libtps\.so\S*", maps)[0])


def failure(file: object, *options: str) -> str:
    done = python(SCRIPT, {"TPS_LIBRARY": str(file)}, *options)
    assert (done.stderr, done.returncode) == ("", 3), done.stdout
    return done.stdout


def made_of_c(directory: pathlib.Path, code: str, *arguments: str, name: str = "libtps.so") -> pathlib.Path:
    file = directory / name
    command = ["cc", "-shared", "-fPIC", "-o", str(file), "-xc", "-", "-xnone", *arguments]
    subprocess.run(command, input=code, text=True, check=True)
    return file


def test_load() -> None:
    assert re.match(r"\d+\.\d+\.\d+", tps.load())
    assert library().parent == pathlib.Path(tps.__file__).parent


def test_the_package_loads_without_the_library() -> None:
    done = python("import tps; print(tps.__version__)", {"TPS_LIBRARY": "/nonexistent/libtps.so"})
    assert (done.stdout, done.stderr) == (f"{tps.__version__}\n", "")


@pytest.mark.parametrize(
    ("platform", "expected"),
    [("linux", ("libtps.so", "libtps.so.0")), ("darwin", ("libtps.dylib", "libtps.0.dylib"))],
)
def test_it_is_named_as_the_system_names_libraries(platform: str, expected: tuple[str, str]) -> None:
    assert _library.names(platform) == expected


def test_no_such_file() -> None:
    message = failure("/nonexistent/libtps.so")
    assert re.search(r"/nonexistent/libtps\.so \(TPS_LIBRARY\): there is no such file\. Set TPS_LIBRARY", message)


def test_no_library_but_text(tmp_path: pathlib.Path) -> None:
    (tmp_path / "libtps.so").write_text("no library\n" * 10)
    assert re.search(r"(invalid ELF header|file too short).*cargo build", failure(tmp_path / "libtps.so"))


def test_another_architecture(tmp_path: pathlib.Path) -> None:
    content = bytearray(library().read_bytes())
    content[18] = 62 if content[18] == 183 else 183
    (tmp_path / "libtps.so").write_bytes(content)
    assert re.search(
        r"built for \w+-linux-gnu, this Python for \w+-linux-gnu\. Install the wheel of",
        failure(tmp_path / "libtps.so"),
    )


def test_another_library() -> None:
    assert "another library, not libtps" in failure("libc.so.6")


def test_too_old(tmp_path: pathlib.Path) -> None:
    old = made_of_c(tmp_path, 'const char *tps_version(void) { return "0.0.9"; }')
    assert f"too old: 0.0.9, need 0.2.0 ({old})" in failure(old)


def test_a_function_is_missing(tmp_path: pathlib.Path) -> None:
    new = made_of_c(tmp_path, 'const char *tps_version(void) { return "99.0.0"; }')
    assert f"too old: 99.0.0 without tps_login, need 0.2.0 ({new})" in failure(new)


def test_another_c_library(tmp_path: pathlib.Path) -> None:
    name = "libc.musl-x86_64.so.1"
    musl = made_of_c(tmp_path, "int musl;", f"-Wl,-soname,{name}", name=name)
    foreign = made_of_c(tmp_path, "extern int musl; int *tps_version(void) { return &musl; }", str(musl))
    musl.unlink()
    assert re.search(
        r"built for (\w+)-linux-musl, this Python for \1-linux-gnu\. Install the wheel of", failure(foreign)
    )


def test_the_systems_library_is_of_another_c_library() -> None:
    words = "libc.musl-x86_64.so.1: cannot open shared object file: No such file or directory"
    assert "built for musl" in _diagnosis.message(_library.SYSTEM, words, system=True, shipped="libtps.so")


def copied(directory: pathlib.Path) -> pathlib.Path:
    """The package without a library."""
    shutil.copytree(pathlib.Path(tps.__file__).parent, directory / "tps", ignore=shutil.ignore_patterns("libtps.so"))
    return directory / "tps"


def test_nowhere(tmp_path: pathlib.Path) -> None:
    done = python(SCRIPT, {"PYTHONPATH": str(copied(tmp_path).parent)})
    assert done.returncode == 3
    assert re.search(rf"not found: no {tmp_path}/tps/libtps\.so, and for libtps\.so\.0 the system says", done.stdout)


def test_the_systems_library(tmp_path: pathlib.Path) -> None:
    copied(tmp_path)
    (tmp_path / "libtps.so.0").symlink_to(library())
    done = python(SCRIPT, {"PYTHONPATH": str(tmp_path), "LD_LIBRARY_PATH": str(tmp_path)})
    assert (done.returncode, done.stdout) == (0, f"{tps.load()}\n")


def test_it_can_be_tried_again() -> None:
    script = f"""
import os, tps
for _ in range(2):
    try:
        tps.load()
    except tps.LibraryError:
        print(".", end="")
del os.environ["TPS_LIBRARY"]
print(tps.load() == {tps.load()!r})
"""
    assert python(script, {"TPS_LIBRARY": "/nonexistent"}).stdout == "..True\n"


WORD = """
#include <stdint.h>
static uint64_t word;
const uint64_t *tps_generation_word(void *client) { return client ? &word : 0; }
void set_word(uint64_t value) { word = value; }
"""

# A library with the word that newer ones have, in front of the real one. The word is set by hand.
READS = """
import ctypes, json, os, time, tps
from tps import _native
calls = []
real = _native._generation
_native._generation = lambda address: calls.append(address) or real(address)
client = tps.login(**json.loads(os.environ["LOGIN"]))
token, number = client.token, client._kept.number
set_word = ctypes.CDLL(os.environ["TPS_LIBRARY"]).set_word
set_word.argtypes = [ctypes.c_uint64]

def asked(value, pause=0.2):
    set_word(value)
    time.sleep(pause)
    calls.clear()
    assert client.token == token
    return len(calls)

# The token's number, another one, and none: then what the library said a moment ago still holds.
print(asked(number), asked(number + 1) > 0, asked(0) > 0, asked(0, 0))
"""


def test_a_word_instead_of_a_call(tmp_path: pathlib.Path) -> None:
    real = library()
    # The name that the real one is asked for by.
    (tmp_path / "libtps.so.0").symlink_to(real)
    links = ("-Wl,--no-as-needed", str(real), f"-Wl,-rpath,{tmp_path}")
    newer = made_of_c(tmp_path, WORD, *links, name="newer.so")
    login = json.dumps(Faults("ok").login())
    done = python(READS, {"TPS_LIBRARY": str(newer), "LOGIN": login})
    assert (done.stdout, done.stderr) == ("0 True True 0\n", "")
