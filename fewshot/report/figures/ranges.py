"""Accuracies with intervals, one line each, as inline SVG that is as wide as its place in the page.

All lines of a ranking share a scale. Positions are percentages, so that texts and marks keep their size on any screen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

from markupsafe import Markup

from fewshot.report.rows import intervals
from fewshot.report.rows.tasks import accuracy, interval
from fewshot.results.row import Row

_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2)  # between ticks
_MOST_TICKS = 6
_MARGIN = 0.04  # of the range, on both sides


@dataclass(frozen=True)
class Scale:
    """An axis of accuracies, fractions, from `low` to `high`. `chance` is the accuracy of guessing, if it is known."""

    low: float
    high: float
    chance: float | None = None

    @staticmethod
    def of(values: Iterable[float], chance: float | None = None) -> Scale:
        """The scale that shows these values, and chance if it is close."""
        every = list(values)
        low, high = min(every), max(every)
        shown = chance is not None and low - chance < high - low
        if chance is not None and shown:
            low, high = min(low, chance), max(high, chance)
        margin = _MARGIN * max(high - low, 0.05)
        return Scale(low - margin, high + margin, chance if shown else None)

    @property
    def ticks(self) -> list[float]:
        """The values of the axis that are written: at most six, within [0, 1]."""
        step = next((one for one in _STEPS if (self.high - self.low) / one < _MOST_TICKS), 0.25)
        values = (step * number for number in range(max(0, math.ceil(self.low / step - 1e-9)), round(1 / step) + 1))
        return list(takewhile(lambda value: value <= self.high, values))

    def place(self, value: float) -> str:
        """The position of a value, such as "12.3%"."""
        share = (value - self.low) / (self.high - self.low)
        return f"{100 * min(1.0, max(0.0, share)):.1f}%"

    def axis(self, name: str) -> Markup:
        """The axis with its numbers. It defines the grid that every line shows, under this name."""
        numbers = (_TICK.format(self.place(tick), f"{round(100 * tick, 1):g}") for tick in self.ticks)
        grid = (_RULE.format("grid", self.place(tick)) for tick in self.ticks)
        chance = () if self.chance is None else (_RULE.format("chance", self.place(self.chance)),)
        return _AXIS.format(name, Markup().join([*grid, *chance]), Markup().join(numbers))

    def line(self, row: Row, name: str) -> Markup:
        """The line of a run: a dot with its interval for these images, thick, and the widest of the others, thin."""
        bars = [
            _BAR.format(kind, *map(self.place, bounds))
            for kind, bounds in (("outer", _outer(row)), ("inner", _inner(row)))
            if bounds
        ]
        return _LINE.format(name, Markup().join(bars), self.place(accuracy(row)))


_TICK = Markup('<text x="{}" y="11">{}</text>')
_RULE = Markup('<line class="{}" x1="{1}" x2="{1}" y1="0" y2="100%"/>'.replace("{}", "{0}"))
_BAR = Markup('<line class="{}" x1="{}" x2="{}" y1="50%" y2="50%"/>')
_AXIS = Markup('<svg class="range axis" aria-hidden="true"><defs><g id="{}">{}</g></defs>{}</svg>')
_LINE = Markup('<svg class="range" aria-hidden="true"><use href="#{}"/>{}<circle cx="{}" cy="50%" r="4.5"/></svg>')


def ends(rows: Iterable[Row]) -> Iterator[float]:
    """The accuracies of measured rows, with the bounds of the intervals that lines show."""
    for row in rows:
        yield from (accuracy(row), *_inner(row), *_outer(row))


def _inner(row: Row) -> tuple[float, ...]:
    return interval(row) or ()


def _outer(row: Row) -> tuple[float, ...]:
    """The widest interval beside that for these images; empty if there is none."""
    every = [bounds for kind in intervals.of_rankings([row]) if (bounds := kind.bounds(row)) is not None]
    return max(every, key=lambda bounds: bounds[1] - bounds[0], default=())
