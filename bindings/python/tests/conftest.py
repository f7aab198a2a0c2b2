from __future__ import annotations

from collections.abc import Iterator

import pytest
from support import Organization, clean_environment


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Only what a test says itself shall count."""
    import os

    for name in set(os.environ) - set(clean_environment()):
        monkeypatch.delenv(name)
    return


@pytest.fixture
def organization() -> Organization:
    return Organization()
