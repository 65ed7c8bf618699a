"""Places for the labels of marks, so that no label covers another, in a chart that is as wide as its place in the page.

A label stands above or below its mark, nearer first, and a leader leads to one that had to move away. It avoids other
labels at the width of a phone and at that of a screen, and marks as far as there is room.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_WIDTHS = (330.0, 900.0)  # pixels of the chart on a phone and on a screen
_LETTER, _ABOVE, _UNDER = 4.0, 10.0, 2.0  # pixels: half of a digit's width, a text above its base line, and below it
_RADIUS = 5.0  # of a mark
_FIRST, _STEP = (-9.0, 18.0), 14.0  # base lines above and below a mark, and the height of a further line
_STEPS = 12
_OVER_LABEL, _OVER_MARK, _FURTHER = 100.0, 2.0, 0.5  # costs


@dataclass(frozen=True)
class Mark:
    """A mark at a share of the width, 0 to 100, and a height in pixels; "" if it has no label."""

    x: float
    y: float
    label: str = ""


@dataclass(frozen=True)
class Box:
    """A rectangle around a share of the width: half of its width, its top and its bottom in pixels."""

    x: float
    half: float
    top: float
    bottom: float

    def overlaps(self, other: Box, width: float) -> bool:
        """Whether two boxes share a point in a chart of this width."""
        apart = abs(self.x - other.x) / 100 * width
        return apart < self.half + other.half and self.top < other.bottom and other.top < self.bottom


def label_heights(marks: Sequence[Mark], top: float, bottom: float) -> list[float | None]:
    """The base line of each mark's label between top and bottom; None for marks without one."""
    boxes = [Box(mark.x, _RADIUS, mark.y - _RADIUS, mark.y + _RADIUS) for mark in marks]
    placed: list[Box] = []
    heights: list[float | None] = [None] * len(marks)
    for number, mark in sorted(enumerate(marks), key=lambda each: (each[1].x, each[1].y)):
        if mark.label:
            candidates = list(_candidates(mark, top, bottom))
            costs = [_cost(_box(mark, y), placed, boxes) + _FURTHER * rank for rank, y in enumerate(candidates)]
            heights[number] = best = candidates[costs.index(min(costs))]
            placed.append(_box(mark, best))
    return heights


def is_beside(mark: Mark, height: float) -> bool:
    """Whether a label stands so near to its mark that it needs no leader."""
    return height - mark.y in _FIRST


def _candidates(mark: Mark, top: float, bottom: float) -> Iterator[float]:
    """Base lines, the nearest first; those outside of the chart are left out unless no other is there."""
    every = [mark.y + side + step * _STEP * (-1 if side < 0 else 1) for step in range(_STEPS) for side in _FIRST]
    inside = [y for y in every if top + _ABOVE <= y <= bottom - _UNDER]
    yield from inside or every[:1]


def _box(mark: Mark, height: float) -> Box:
    return Box(mark.x, _LETTER * len(mark.label) + 1, height - _ABOVE, height + _UNDER)


def _cost(box: Box, labels: Sequence[Box], marks: Sequence[Box]) -> float:
    return sum(
        _OVER_LABEL * sum(box.overlaps(one, width) for one in labels)
        + _OVER_MARK * sum(box.overlaps(one, width) for one in marks)
        for width in _WIDTHS
    )
