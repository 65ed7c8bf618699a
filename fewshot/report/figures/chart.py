"""A chart of accuracies over something on a log scale, as inline SVG that is as wide as its place in the page.

Horizontal positions are percentages and vertical ones pixels, so texts and marks keep their size on any screen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fewshot.report.figures.ranges import Scale

_LEFT, _RIGHT, _TOP = 7.0, 94.0, 14.0  # percent, percent, pixels
_INSIDE = 3.0  # percent between the frame and the outermost marks
_BELOW = 46  # pixels for the horizontal axis


@dataclass(frozen=True)
class Chart:
    """The axes of a chart: accuracies, fractions, over values from `low` to `high`."""

    scale: Scale
    low: float
    high: float
    height: int = 272  # pixels

    def x(self, value: float) -> str:
        """The horizontal position of a value, such as "12.3%"."""
        return f"{100 * self.share(value):.1f}%"

    def share(self, value: float) -> float:
        """The horizontal position of a value as a share of the width."""
        whole = math.log(self.high / self.low)
        share = math.log(value / self.low) / whole if whole else 0.5
        return (_LEFT + _INSIDE + share * (_RIGHT - _LEFT - 2 * _INSIDE)) / 100

    def y(self, accuracy: float) -> str:
        """The vertical position of an accuracy in pixels, inside the chart."""
        share = (accuracy - self.scale.low) / (self.scale.high - self.scale.low)
        return f"{self.bottom - min(1.0, max(0.0, share)) * (self.bottom - _TOP):.1f}"

    @property
    def end(self) -> str:
        """The horizontal position of names at the ends of lines."""
        return f"{_RIGHT + 1}%"

    def svg(self, pieces: Sequence[Markup], ticks: Sequence[float], text: Callable[[float], str], title: str) -> Markup:
        """The chart with these pieces, ticks on the horizontal axis, and its title."""
        return _SVG.format(self.height, Markup().join([*self._grid(), *self._across(ticks, text, title), *pieces]))

    @property
    def top(self) -> float:
        """The height of the upper edge of the plot in pixels."""
        return _TOP

    @property
    def bottom(self) -> float:
        """The height of the horizontal axis in pixels."""
        return self.height - _BELOW

    def _grid(self) -> list[Markup]:
        heights = [(self.y(tick), f"{round(100 * tick, 1):g}") for tick in self.scale.ticks]
        rules = [_RULE.format(f"{_LEFT}%", f"{_RIGHT}%", y, y) for y, _ in heights]
        rules.append(_TEXT.format("axis", "0%", 10, "accuracy, %"))
        return rules + [_TEXT.format("left", f"{_LEFT - 1}%", f"{float(y) + 4:.1f}", text) for y, text in heights]

    def _across(self, ticks: Sequence[float], text: Callable[[float], str], title: str) -> list[Markup]:
        texts = [_TEXT.format("below", self.x(tick), self.bottom + 18, text(tick)) for tick in ticks]
        return [*texts, _TEXT.format("below", f"{(_LEFT + _RIGHT) / 2}%", self.height - 8, title)]


_SVG = Markup('<svg class="chart" width="100%" height="{}" aria-hidden="true">{}</svg>')
_RULE = Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>')
_TEXT = Markup('<text class="{}" x="{}" y="{}">{}</text>')
