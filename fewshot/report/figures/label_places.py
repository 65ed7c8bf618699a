"""Places for the labels of a chart that do not overlap, at any width from that of a phone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

NARROWEST = 300  # pixels of a chart; wider charts pull labels apart, because they keep their size
_CHARACTER, _GAP = 7.0, 6.0  # pixels of a character of a label, and between two labels side by side
_HEIGHT, _MARK = 14.0, 6.0  # pixels of the height of a label, and of the radius of a mark with its edge
_ABOVE, _BELOW = -9.0, 18.0  # pixels from a mark to the baseline of the label next to it
_MOST_TICKS = 7


class Label(NamedTuple):
    """A label of a mark: the mark's horizontal place as a share of the width, its height in pixels, and the text."""

    share: float
    y: float
    text: str


def baselines(labels: Sequence[Label], top: float, bottom: float, marks: Sequence[tuple[float, float]]) -> list[float]:
    """The height of the baseline of every label, centred over or under its mark: the nearest where it overlaps no other
    label, no mark of a label, and as few further marks (share, y) as possible."""
    placed: list[Label] = []
    own = [(label.share, label.y) for label in labels]
    for label in labels:
        choices = [label._replace(y=y) for y in _choices(label.y, top, bottom)]
        placed.append(min(choices, key=lambda each: _cost(each, placed, own, marks)))  # the nearest of equal ones
    return [label.y for label in placed]


def _choices(y: float, top: float, bottom: float) -> list[float]:
    """Baselines above and below a mark inside the chart, nearest first."""
    levels = range(int((bottom - top) // _HEIGHT) + 1)
    every = [start + sign * level * _HEIGHT for level in levels for start, sign in ((y + _ABOVE, -1), (y + _BELOW, 1))]
    return [each for each in every if top + _HEIGHT - 4 <= each <= bottom] or [y + _ABOVE]


def _cost(
    label: Label, placed: Sequence[Label], own: Sequence[tuple[float, float]], marks: Sequence[tuple[float, float]]
) -> tuple[int, int]:
    """What a place costs: labels that it overlaps, then marks."""
    labels = sum(overlap(label, other) for other in placed)
    return labels, 3 * sum(_covers(label, mark) for mark in own) + sum(_covers(label, mark) for mark in marks)


def overlap(a: Label, b: Label, width: float = NARROWEST) -> bool:
    """Whether two labels overlap in a chart of this width. `y` is the baseline of each."""
    apart = abs(a.share - b.share) * width
    return apart < (_width(a) + _width(b)) / 2 + 2 and abs(a.y - b.y) < _HEIGHT


def _covers(label: Label, mark: tuple[float, float]) -> bool:
    across = abs(label.share - mark[0]) * NARROWEST < _width(label) / 2 + _MARK
    return across and label.y - _HEIGHT + 3 - _MARK < mark[1] < label.y + _MARK - 1


def _width(label: Label) -> float:
    return _CHARACTER * len(label.text)


def ticks_that_fit(
    choices: Sequence[Sequence[float]], share: Callable[[float], float], text: Callable[[float], str]
) -> Sequence[float]:
    """The first of these sets of ticks, finest first, with at most seven texts that do not overlap; the last one if
    none fits. `share`: the horizontal place of a tick as a share of the width."""
    for ticks in choices:
        labels = [Label(share(tick), 0.0, text(tick)) for tick in ticks]
        free = (NARROWEST * (b.share - a.share) - (_width(a) + _width(b)) / 2 for a, b in pairwise(labels))
        if 1 < len(ticks) <= _MOST_TICKS and all(gap >= _GAP for gap in free):
            return ticks
    return choices[-1]
