"""The tries of `make faults` in portions are those of one run, and so are the counts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import fault_counts


@given(st.integers(1, 60), st.integers(1, 60))
def test_portions_try_everything_once(many, parts):
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(fault_counts, "LONG", True)
        numbers = []
        for part in range(1, parts + 1):
            patches.setattr(fault_counts, "PORTION", f"{part}/{parts}")
            numbers += fault_counts.tries(1, many)
    assert numbers == list(range(many))


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Keeps counts of a portion; what the file then holds of them."""
    monkeypatch.setattr(fault_counts, "LONG", True)
    monkeypatch.setattr(fault_counts, "KEPT", tmp_path / "faults.json")

    def keep(portion, **counts):
        monkeypatch.setattr(fault_counts, "PORTION", portion)
        fault_counts.keep("kills", "a kill", **counts)
        return json.loads((tmp_path / "faults.json").read_text())["kills"]["a kill"]

    return keep


def test_counts_of_portions_add_up_and_a_whole_run_replaces_them(kept):
    first, second = {"starting": 2, "scoring": 1}, {"scoring": 4}
    kept("1/2", tried=3, slowest_seconds=0.5, phases=first)
    assert kept("1/2", tried=3, slowest_seconds=0.5, phases=first)["portions"] == "1/2"
    whole = {"tried": 7, "slowest_seconds": 0.5, "phases": {"scoring": 5, "starting": 2}}
    assert kept("2/2", tried=4, slowest_seconds=0.25, phases=second) == whole
    assert kept("1/1", tried=1) == {"tried": 1}


@pytest.mark.parametrize("portion", ["3/3", "2/4", "2/3"])
def test_a_portion_without_the_one_before_it_is_refused(kept, portion):
    kept("1/2", tried=3)
    with pytest.raises(AssertionError, match="run the portion "):
        kept(portion, tried=1)
    assert kept("2/2", tried=1) == {"tried": 4}
