"""Finds libtps: the file that `TPS_LIBRARY` names, else the one in this package, else the system's.

The first that exists is taken: if it does not work, that is an error and not a reason to take another one silently.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from typing import TypeVar

from . import _diagnosis
from ._errors import LibraryError

T = TypeVar("T")

# The oldest library that has every function this package calls.
REQUIRED = "0.2.0"


def names(platform: str) -> tuple[str, str]:
    """The library's name as a file, and for the system's loader, where `sys.platform` is this."""
    return ("libtps.dylib", "libtps.0.dylib") if platform == "darwin" else ("libtps.so", "libtps.so.0")


_FILE, SYSTEM = names(sys.platform)
SHIPPED = os.path.join(os.path.dirname(os.path.abspath(__file__)), _FILE)


def load(open_file: Callable[[str], T], version: Callable[[T], str]) -> T:
    """Opens the library. Raises LibraryError, which says what to do."""
    file = os.environ.get("TPS_LIBRARY") or (SHIPPED if os.path.isfile(SHIPPED) else SYSTEM)
    try:
        library = open_file(file)
        found = version(library)
    except (OSError, AttributeError) as error:
        # The loader's own words are in the message.
        raise LibraryError(_diagnosis.message(file, str(error), system=file == SYSTEM, shipped=SHIPPED)) from None
    if _numbers(found) < _numbers(REQUIRED):
        raise LibraryError(_too_old(found, file))
    return library


def require_functions(attach: Callable[[], T], version: str, file: str) -> T:
    """Attaches the functions. Raises LibraryError for one that is not there."""
    try:
        return attach()
    except AttributeError as error:
        name = re.search(r"tps_\w+", str(error))
    raise LibraryError(_too_old(version, file, f" without {name[0]}" if name else ""))


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)[:3]]


def _too_old(version: str, file: str, lacking: str = "") -> str:
    return f"libtps is too old: {version}{lacking}, need {REQUIRED} ({file}). {_diagnosis.REMEDY}"
