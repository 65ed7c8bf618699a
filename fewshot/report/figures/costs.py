"""Accuracy over cost: a mark per run, numbered as in the ranking where no cheaper run is more accurate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fewshot.report.figures.chart import Chart
from fewshot.report.figures.label_places import Mark, is_beside, label_heights
from fewshot.report.figures.ranges import Scale
from fewshot.report.rows.tasks import accuracy
from fewshot.results.row import Row

_FEWEST, _LEAST_RATIO = 3, 1.5  # marks; largest cost over the smallest
_MOST_LISTED = 8


@dataclass(frozen=True)
class CostPlot:
    """The figure, and the runs that no cheaper run beats, cheapest first: place, name, accuracy and cost as texts."""

    svg: Markup
    frontier: tuple[tuple[int, str, str, str], ...]


@dataclass(frozen=True)
class Point:
    """A run at its place in the ranking, with the seconds of one episode."""

    place: int
    name: str
    row: Row
    seconds: float


def cost_plot(points: Sequence[Point]) -> CostPlot | None:
    """Accuracy over seconds per episode; None for fewer than three runs or costs that hardly differ."""
    costs = [point.seconds for point in points]
    if len(points) < _FEWEST or max(costs) < _LEAST_RATIO * min(costs):
        return None
    chart = Chart(Scale.of(accuracy(point.row) for point in points), min(costs), max(costs))
    best = frontier(points)
    numbered = best[-_MOST_LISTED:]
    pieces = [_mark(chart, point, "quiet") for point in points if point not in best]
    pieces += [_mark(chart, point, "front") for point in best]
    pieces += _numbers(chart, numbered, [point for point in points if point not in numbered])
    listed = [(p.place, p.name, f"{100 * accuracy(p.row):.1f} %", duration(p.seconds)) for p in best[-_MOST_LISTED:]]
    ticks = _ticks(min(costs), max(costs))
    return CostPlot(chart.svg(pieces, ticks, duration, "time of one episode (log scale)"), tuple(listed))


def _numbers(chart: Chart, numbered: Sequence[Point], others: Sequence[Point]) -> list[Markup]:
    """The number of each mark of the frontier where it covers no other, with a leader where it stands apart."""
    marks = [_place(chart, point, str(point.place)) for point in numbered]
    heights = label_heights([*marks, *(_place(chart, point) for point in others)], chart.top, chart.bottom)
    pieces = []
    for point, mark, height in zip(numbered, marks, heights, strict=False):
        if height is not None:
            x, end = chart.x(point.seconds), height - 10 if height > mark.y else height + 2
            leader = [] if is_beside(mark, height) else [_LEADER.format(x, x, f"{mark.y:.1f}", f"{end:.1f}")]
            pieces += [*leader, _NUMBER.format(x, f"{height:.1f}", point.place)]
    return pieces


def _place(chart: Chart, point: Point, label: str = "") -> Mark:
    return Mark(float(chart.x(point.seconds).rstrip("%")), float(chart.y(accuracy(point.row))), label)


def frontier(points: Sequence[Point]) -> list[Point]:
    """The runs that are more accurate than all cheaper ones, cheapest first."""
    best: list[Point] = []
    for point in sorted(points, key=lambda point: (point.seconds, -accuracy(point.row))):
        if not best or accuracy(point.row) > accuracy(best[-1].row):
            best.append(point)
    return best


def duration(seconds: float) -> str:
    """A duration with two digits: "0.35 ms", "12 s"."""
    unit, name = (1.0, "s") if seconds >= 1 else (1e-3, "ms") if seconds >= 1e-4 else (1e-6, "µs")
    return f"{float(f'{seconds / unit:.2g}'):g} {name}"


def _mark(chart: Chart, point: Point, kind: str) -> Markup:
    return _MARK.format(kind, chart.x(point.seconds), chart.y(accuracy(point.row)))


def _ticks(low: float, high: float) -> list[float]:
    """Powers of ten, with 2 and 5 times these if there are few."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    digits = (1, 2, 5) if len(powers) < 4 else (1,)
    every = (digit * 10.0**power for power in powers for digit in digits)
    return [seconds for seconds in every if low <= seconds <= high]


_MARK = Markup('<circle class="{}" cx="{}" cy="{}" r="4.5"/>')
_LEADER = Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>')
_NUMBER = Markup('<text class="below" x="{}" y="{}">{}</text>')
