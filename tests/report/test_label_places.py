"""No two labels of a chart overlap, on a phone or on a wide screen."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fewshot.report.figures.label_places import NARROWEST, Label, line_of, overlap, places, ticks_that_fit

TOP, BOTTOM = 14.0, 226.0
shares, heights = some.floats(0.1, 0.91), some.floats(TOP, BOTTOM)
labels = some.lists(some.builds(Label, shares, heights, some.integers(1, 20_000).map(str)), min_size=1, max_size=8)


@given(labels, some.lists(some.tuples(shares, heights), max_size=30))
def test_labels_overlap_nowhere_and_stay_inside(given: list[Label], marks: list[tuple[float, float]]) -> None:
    placed = places(given, TOP, BOTTOM, marks)
    for width in (NARROWEST, 340, 600, 860):
        assert not any(overlap(a, b, width) for a, b in combinations(placed, 2))
    assert all(TOP <= label.y <= BOTTOM for label in placed)
    assert [(label.share, label.text) for label in placed] == [(label.share, label.text) for label in given]


def test_a_label_is_above_its_mark_unless_a_mark_is_there() -> None:
    (alone,) = places([Label(0.5, 100, "1")], TOP, BOTTOM, [(0.5, 100)])
    assert (alone.y, alone.shift) == (91, 0)
    (below,) = places([Label(0.5, 100, "1")], TOP, BOTTOM, [(0.5, 100), (0.5, 85)])
    assert (below.y, below.shift) == (118, 0)
    (beside,) = places([Label(0.5, 100, "1")], TOP, BOTTOM, [(0.5, 100), (0.5, 85), (0.5, 115)])
    assert (beside.y, beside.shift) == (104, 11.5)


@given(some.floats(0.2, 0.8), some.floats(TOP + 30, BOTTOM - 60), some.integers(2, 4))
def test_no_line_crosses_a_label_of_marks_at_one_place(share: float, y: float, count: int) -> None:
    given = [Label(share + n / 3000, y + 11 * n, str(40 - n)) for n in range(count)]
    placed = places(given, TOP, BOTTOM, [(one.share, one.y) for one in given])
    for label, mark in zip(placed, given, strict=True):
        line = line_of(label, mark)
        assert line is None or not any(
            line[0] < other.y + 2 and other.y - 11 < line[1] and not other.shift for other in placed if other != label
        )


@pytest.mark.parametrize(("step", "expected"), [(0.3, [0, 1, 2]), (0.05, [0, 2])])
def test_the_finest_ticks_that_fit_are_chosen(step: float, expected: list[float]) -> None:
    choices = [[0, 1, 2], [0, 2]]
    assert ticks_that_fit(choices, lambda tick: 0.1 + step * tick, lambda tick: f"{tick} ms") == expected
