"""What the environment says."""

from __future__ import annotations

import os

# Read together, and by `from_env` alone: credentials of the environment are never mixed with a caller's.
CREDENTIALS = ("username", "password", "organization_id", "token")

# Defaults for every client.
OPTIONS = ("base_url", "cache", "ca_file")


def credentials() -> dict[str, str]:
    """Those that are set and not empty."""
    return _read(CREDENTIALS)


def options() -> dict[str, str]:
    """Those that are set and not empty."""
    return _read(OPTIONS)


def variable(name: str) -> str:
    """The name of the variable for an argument."""
    return f"TPS_{name.upper()}"


def _read(names: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name in names if (value := os.environ.get(variable(name)))}
