"""Says in one line why the library could not be loaded, and what to type."""

from __future__ import annotations

import os
import platform
import re
import sys

from . import _platform

REMEDY = (
    "Set TPS_LIBRARY to a libtps.so that fits, or build one: `pip install --no-binary tps tps`, "
    "or `cargo build --release` in libtps' repository."
)

_FORBIDDEN = "this user may not read it: `chmod a+r` for the file, `chmod a+x` for the directories above it."

# What the loader says, and what that means.
_MEANINGS = {
    r"undefined symbol: tps_version": f"it is another library, not libtps. {REMEDY}",
    r"Permission denied": _FORBIDDEN,
    r"map segment|Operation not permitted": (
        "its file system is mounted noexec, or a security policy forbids it. Set TPS_LIBRARY to a copy elsewhere."
    ),
    r"libgcc_s": "libgcc_s is missing: `apt install libgcc-s1`, or `apk add libgcc`.",
    r"libc\.musl|ld-musl": f"it was built for musl (Alpine), this system has another C library. {REMEDY}",
    r"GLIBC_\S+' not found|libc\.so\.6|Error relocating": (
        f"it was built for another or a newer C library than this system has. {REMEDY}"
    ),
}

# Where there are wheels with the library inside.
_SUPPORTED = ("x86_64", "aarch64")


def message(file: str, words: str, *, system: bool, shipped: str) -> str:
    """What to say of a file that was tried, and of the loader's words."""
    words = words.splitlines()[0].removeprefix(f"{file}: ").removesuffix(".")
    if system:
        return f"libtps is not found: no {shipped}, and for {file} the system says: {_meaning(words)}{_nowhere()}"
    origin = " (TPS_LIBRARY)" if file == os.environ.get("TPS_LIBRARY") else ""
    return f"libtps cannot be loaded from {file}{origin}: {_unreachable(file) or _foreign(file) or _meaning(words)}"


def _nowhere() -> str:
    """Told where there is no wheel with the library inside."""
    if sys.platform == "linux" and platform.machine() in _SUPPORTED:
        return ""
    return (
        f" This platform is {platform.machine()}-{sys.platform}; wheels with the library inside are made for x86_64 "
        "and aarch64 Linux."
    )


def _unreachable(file: str) -> str | None:
    if "/" not in file:
        return None
    try:
        os.stat(file)
    except PermissionError:
        return _FORBIDDEN
    except OSError:
        return f"there is no such file. {REMEDY}"
    return None


def _foreign(file: str) -> str | None:
    theirs, ours = _platform.of(file), _platform.of_this_python()
    if theirs is None or ours is None or _platform.fit(theirs, ours):
        return None
    return f"it was built for {theirs}, this Python for {ours}. Install the wheel of {ours}. {REMEDY}"


def _meaning(words: str) -> str:
    meaning = next((meaning for pattern, meaning in _MEANINGS.items() if re.search(pattern, words)), None)
    return f"{words}; {meaning}" if meaning else f"{words}. {REMEDY}"
