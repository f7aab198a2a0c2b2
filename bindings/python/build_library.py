"""Hatchling's hook: puts the library into a wheel and names the platform that it is for.

`TPS_WHEEL_LIBRARY`: a libtps.so that is there already; else cargo builds one from this source.
`TPS_WHEEL_PLATFORM`: the platform of the wheel's name, such as manylinux_2_28_x86_64; else what the library needs.
"""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_FILE = "libtps.dylib" if sys.platform == "darwin" else "libtps.so"

_MACHINES = {62: "x86_64", 183: "aarch64"}


class LibraryHook(BuildHookInterface[Any]):
    """Found by its name in pyproject.toml."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        # For those who work on this package: TPS_LIBRARY names the library.
        if version == "editable":
            return
        named = os.environ.get("TPS_WHEEL_LIBRARY")
        library = Path(named) if named else _built(Path(self.root))
        platform = _platform(library)
        wanted = os.environ.get("TPS_WHEEL_PLATFORM") or platform
        if not _serves(platform, wanted):
            raise SystemExit(f"{library} is for {platform}, which a wheel for {wanted} may not need")
        build_data["tag"] = f"py3-none-{wanted}"
        build_data["pure_python"] = False
        build_data["force_include"][str(library)] = f"tps/{_FILE}"


def _built(root: Path) -> Path:
    """From the source archive's own copy of the library's source, or from the repository."""
    source = next((path for path in (root / "library", root.parent.parent) if (path / "Cargo.toml").is_file()), None)
    if source is None:
        raise SystemExit(f"there is no source of libtps near {root}: set TPS_WHEEL_LIBRARY to a libtps.so")
    environment = dict(os.environ)
    host = re.search(r"^host: (.*)$", _output("rustc", "-vV"), re.MULTILINE)
    if host and "musl" in host[1]:
        # Else there is a static library alone.
        environment["RUSTFLAGS"] = f"{environment.get('RUSTFLAGS', '')} -C target-feature=-crt-static".strip()
    command = ["cargo", "build", "--release", "--locked", "--lib", "--manifest-path", str(source / "Cargo.toml")]
    subprocess.run(command, check=True, env=environment)
    return Path(os.environ.get("CARGO_TARGET_DIR") or source / "target") / "release" / _FILE


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        raise SystemExit("Rust is missing: install it from https://rustup.rs, or take a wheel") from None


def _platform(library: Path) -> str:
    """The oldest platform that has what the library needs."""
    if sys.platform == "darwin":
        return re.sub(r"[-.]", "_", sysconfig.get_platform())
    content = library.read_bytes()
    magic, number = struct.unpack_from("<4s14xH", content)
    if magic != b"\x7fELF" or number not in _MACHINES:
        raise SystemExit(f"{library} is no library for {' or '.join(_MACHINES.values())}")
    machine = _MACHINES[number]
    if re.search(rb"\blibc\.musl-|\blibc\.so\0", content):
        return f"musllinux_1_2_{machine}"
    minor = max(int(version) for version in re.findall(rb"GLIBC_2\.(\d+)", content))
    return f"manylinux_2_{minor}_{machine}"


def _serves(platform: str, wanted: str) -> bool:
    """Whether a library for one platform serves on another."""
    kind, major, minor, machine = platform.split("_", 3)
    other = wanted.split("_", 3)
    return other[0] == kind and other[3:] == [machine] and (int(major), int(minor)) <= (int(other[1]), int(other[2]))
