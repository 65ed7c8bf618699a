"""Places for the labels of a chart that do not overlap, at any width from that of a phone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

NARROWEST, _WIDEST = 300, 900  # pixels of a chart; wider charts pull labels apart, because they keep their size
FAR = 10.0  # pixels from a mark to its label that need a line between them
_CHARACTER, _GAP = 7.0, 6.0  # pixels of a character of a label, and between two labels side by side
_HEIGHT, _MARK = 14.0, 6.0  # pixels of the height of a label, and of the radius of a mark with its edge
_ABOVE, _BELOW, _BESIDE = -9.0, 18.0, 4.0  # pixels from a mark to the baseline of the label next to it
_LEFT, _RIGHT = 0.08, 0.97  # shares of the width that labels beside their marks keep to
_MOST_TICKS = 7


class Label(NamedTuple):
    """A label of a mark: the mark's horizontal place as a share of the width, its height in pixels, and the text. A
    placed label has the height of its baseline, and the pixels from its mark to its middle."""

    share: float
    y: float
    text: str
    shift: float = 0.0


def places(labels: Sequence[Label], top: float, bottom: float, marks: Sequence[tuple[float, float]]) -> list[Label]:
    """The labels at their places above, below or beside their marks: the nearest where a label overlaps no other one,
    no line to a far label crosses a label, and it covers no mark of a label and as few further marks (share, y) as
    possible."""
    placed: list[Label] = []
    for label in labels:
        cost = partial(_cost, mark=label, placed=list(zip(placed, labels, strict=False)), own=labels, marks=marks)
        placed.append(min(_choices(label, top, bottom), key=cost))  # the nearest of equal ones
    return placed


def line_of(label: Label, mark: Label) -> tuple[float, float] | None:
    """The ends, in pixels from the top, of the line between a mark and its label; None for a label next to it."""
    near = label.y + (3 if label.y < mark.y else -11)
    return None if label.shift or abs(near - mark.y) <= FAR else (min(near, mark.y), max(near, mark.y))


def _choices(mark: Label, top: float, bottom: float) -> list[Label]:
    """Labels above, below and beside a mark inside the chart, nearest first."""
    levels = range(int((bottom - top) // _HEIGHT) + 1)
    starts = (mark.y + _ABOVE, -1), (mark.y + _BELOW, 1)
    heights = [start + sign * level * _HEIGHT for level in levels for start, sign in starts]
    inside = [mark._replace(y=y) for y in heights if top + _HEIGHT - 4 <= y <= bottom] or [
        mark._replace(y=mark.y + _ABOVE)
    ]
    aside = _MARK + 2 + _width(mark) / 2
    beside = [mark._replace(y=mark.y + _BESIDE, shift=shift) for shift in (aside, -aside)]
    fitting = [
        each
        for each in beside
        if mark.share * NARROWEST + each.shift - _width(mark) / 2 >= _LEFT * NARROWEST
        and mark.share * NARROWEST + each.shift + _width(mark) / 2 <= _RIGHT * NARROWEST
        and top <= each.y <= bottom
    ]
    return [*inside[:2], *fitting, *inside[2:]]


def _cost(
    label: Label,
    mark: Label,
    placed: Sequence[tuple[Label, Label]],
    own: Sequence[Label],
    marks: Sequence[tuple[float, float]],
) -> tuple[int, int, int]:
    """What a place costs: labels that it overlaps, labels that a line crosses, then marks."""
    line = line_of(label, mark)
    overlaps = sum(_meet(label, other) for other, _ in placed)
    crossed = sum(_crosses(line, mark, other) + _crosses(line_of(other, of), of, label) for other, of in placed)
    passed = sum(
        line is not None and line[0] < one.y < line[1] and _apart(one, mark) < _MARK for one in own if one != mark
    )
    covered = sum(_covers(label, (one.share, one.y)) for one in own)
    return overlaps, crossed + passed, 3 * covered + sum(_covers(label, one) for one in marks)


def overlap(a: Label, b: Label, width: float = NARROWEST) -> bool:
    """Whether two labels overlap in a chart of this width. `y` is the baseline of each."""
    apart = abs((a.share - b.share) * width + a.shift - b.shift)
    return apart < (_width(a) + _width(b)) / 2 + 2 and abs(a.y - b.y) < _HEIGHT


def _meet(a: Label, b: Label) -> bool:
    """Whether two labels overlap in a chart of any width."""
    return _apart(a, b) < (_width(a) + _width(b)) / 2 + 2 and abs(a.y - b.y) < _HEIGHT


def _apart(a: Label, b: Label) -> float:
    """The least number of pixels between the middles of two labels across, over all widths of a chart."""
    ends = [(a.share - b.share) * width + a.shift - b.shift for width in (NARROWEST, _WIDEST)]
    return 0.0 if min(ends) <= 0.0 <= max(ends) else min(map(abs, ends))


def _crosses(line: tuple[float, float] | None, mark: Label, label: Label) -> bool:
    """Whether the line of a mark crosses a label."""
    if line is None or _apart(mark._replace(shift=0.0), label) >= _width(label) / 2 + 2:
        return False
    return line[0] < label.y + 2 and label.y - _HEIGHT + 3 < line[1]


def _covers(label: Label, mark: tuple[float, float]) -> bool:
    across = _apart(label, Label(*mark, "")) < _width(label) / 2 + _MARK
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
