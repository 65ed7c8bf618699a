"""No two labels of a chart overlap, on a phone or on a wide screen."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fewshot.report.figures.label_places import NARROWEST, Label, baselines, overlap, ticks_that_fit

TOP, BOTTOM = 14.0, 226.0
shares, heights = some.floats(0.1, 0.91), some.floats(TOP, BOTTOM)
labels = some.lists(some.builds(Label, shares, heights, some.integers(1, 20_000).map(str)), min_size=1, max_size=8)


@given(labels, some.lists(some.tuples(shares, heights), max_size=30))
def test_labels_overlap_nowhere_and_stay_inside(given: list[Label], marks: list[tuple[float, float]]) -> None:
    placed = [label._replace(y=y) for label, y in zip(given, baselines(given, TOP, BOTTOM, marks), strict=True)]
    for width in (NARROWEST, 340, 600, 860):
        assert not any(overlap(a, b, width) for a, b in combinations(placed, 2))
    assert all(TOP <= label.y <= BOTTOM for label in placed)


def test_a_label_is_above_its_mark_unless_a_mark_is_there() -> None:
    (alone,) = baselines([Label(0.5, 100, "1")], TOP, BOTTOM, [(0.5, 100)])
    assert alone == 91
    (below,) = baselines([Label(0.5, 100, "1")], TOP, BOTTOM, [(0.5, 100), (0.5, 85)])
    assert below == 118


@pytest.mark.parametrize(("step", "expected"), [(0.3, [0, 1, 2]), (0.05, [0, 2])])
def test_the_finest_ticks_that_fit_are_chosen(step: float, expected: list[float]) -> None:
    choices = [[0, 1, 2], [0, 2]]
    assert ticks_that_fit(choices, lambda tick: 0.1 + step * tick, lambda tick: f"{tick} ms") == expected
