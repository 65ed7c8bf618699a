"""What the tests of faults share: a suite that no fault interrupts, once for all of them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.fault_suite import BENCH, outcome, write_suite
from tests.support.phases import writes_of
from tests.support.warm_processes import finish, start


@dataclass(frozen=True)
class Whole:
    """A finished suite: its folder, everything that it says, its seconds and bytes, and its writes to a disk by
    phase."""

    place: Path
    outcome: dict[str, Any]
    seconds: float
    n_bytes: int
    writes: dict[str, int]


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """A suite that nothing interrupts."""
    place = write_suite(tmp_path_factory.mktemp("whole"))
    assert finish(start(place, "--version")) == 0  # the server has imported everything now
    began = time.monotonic()
    assert finish(start(place, *BENCH)) == 0
    seconds = time.monotonic() - began
    size = sum(path.stat().st_blocks * 512 for path in place.rglob("*"))
    return Whole(place, outcome(place), seconds, size, writes_of(place / "phase"))
