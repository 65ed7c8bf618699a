"""Numbers of marks cover no other number, on a phone and on a screen."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot.report.figures.label_places import _WIDTHS, Mark, _box, is_beside, label_heights

places = st.tuples(st.floats(7, 94), st.floats(14, 226))


@given(st.lists(places, min_size=1, max_size=8), st.lists(places, max_size=32))
def test_no_label_covers_another_one(numbered: list[tuple[float, float]], others: list[tuple[float, float]]) -> None:
    marks = [Mark(x, y, str(place)) for place, (x, y) in enumerate(numbered, 3)]
    heights = label_heights([*marks, *(Mark(x, y) for x, y in others)], 0, 226)
    boxes = [_box(mark, height) for mark, height in zip(marks, heights, strict=False) if height is not None]
    assert len(boxes) == len(numbered)
    assert heights[len(numbered) :] == [None] * len(others)
    for one, other in combinations(boxes, 2):
        assert not any(one.overlaps(other, width) for width in _WIDTHS)
    assert all(box.top >= 0 and box.bottom <= 226 for box in boxes)


def test_marks_of_one_place_have_their_labels_above_each_other() -> None:
    marks = [Mark(50, 100, str(place)) for place in range(1, 9)]
    heights = [height for height in label_heights(marks, 0, 226) if height is not None]
    assert len(set(heights)) == 8
    assert sum(is_beside(mark, height) for mark, height in zip(marks, heights, strict=True)) == 2


@pytest.mark.parametrize("y", [14, 100, 226])
def test_a_lone_label_stands_beside_its_mark(y: float) -> None:
    [height] = label_heights([Mark(50, y, "12")], 0, 226)
    assert height is not None
    assert abs(height - y) <= 18
