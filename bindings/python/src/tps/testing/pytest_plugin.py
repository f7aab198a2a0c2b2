"""The fixture `fake_tps` of pytest, which finds it when this package is installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from . import Fake


@pytest.fixture
def fake_tps() -> Iterator[Fake]:
    """While a test runs, no client touches the library or the network: all give the token `"fake-token"`.

    For other tokens or errors, `tps.testing.fake(…)` inside the test.
    """
    from . import fake

    with fake() as started:
        yield started
