"""A page shows a bounded number of lines, of small tables all."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fewshot.report.rows.shares import shares


@given(st.lists(st.integers(0, 500), max_size=40), st.integers(0, 3000))
def test_shares_are_bounded_fair_and_leave_nothing_unused(counts: list[int], most: int) -> None:
    shown = shares(counts, most)
    assert all(min(1, count) <= part <= count for count, part in zip(counts, shown, strict=True))
    assert sum(shown) <= max(most, sum(min(1, count) for count in counts))
    cut = [part for count, part in zip(counts, shown, strict=True) if part < count]
    assert not cut or max(shown) - min(cut) <= 1
    assert not cut or sum(shown) >= most or most < len(counts)


def test_small_tables_are_whole() -> None:
    assert shares([400, 3, 400, 0, 17], 100) == [40, 3, 40, 0, 17]
    assert shares([], 100) == []
    assert shares([5, 5], 1) == [1, 1]
