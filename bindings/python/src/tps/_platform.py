"""What a program or a library was built for, by names such as `x86_64-linux-musl`."""

from __future__ import annotations

import re
import struct

_MACHINES = {3: "i386", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv64"}

# A file contains the names that it asks for, each between zero bytes.
_C_LIBRARIES = {
    rb"/ld-musl-|\0libc\.(?:musl-\w+\.)?so(?:\.1)?\0": "-musl",
    rb"/ld-linux|\0libc\.so\.6\0": "-gnu",
}


def of(file: str, length: int = -1) -> str | None:
    """The platform of a file of which so much is read; None: no ELF file, or one that cannot be read."""
    try:
        with open(file, "rb") as program:
            content = program.read(length)
        magic, number = struct.unpack_from("<4s14xH", content)
    except (OSError, struct.error):
        return None
    if magic != b"\x7fELF":
        return None
    c_library = next((name for pattern, name in _C_LIBRARIES.items() if re.search(pattern, content)), "")
    return f"{_MACHINES.get(number, f'machine {number}')}-linux{c_library}"


def of_this_python() -> str | None:
    """By the file that runs. Its loader's name, in the first page, tells the C library."""
    return of("/proc/self/exe", 4096)


def fit(one: str, other: str) -> bool:
    """Whether a library of one serves the other. One that names no C library serves with each."""
    return one.startswith(other) or other.startswith(one)
