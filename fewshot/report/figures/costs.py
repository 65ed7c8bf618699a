"""Accuracy over cost: a mark per run, and the front of runs that no cheaper run exceeds, numbered as in the ranking."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from fewshot.plugins.wording import agreeing, counted
from fewshot.report.figures.chart import Chart
from fewshot.report.figures.label_places import Label, line_of, places, ticks_that_fit
from fewshot.report.figures.ranges import Scale
from fewshot.report.figures.svg import printable
from fewshot.report.rows.costs import RunCost, duration, of_most, scaled

_FEWEST, _LEAST_RATIO = 3, 1.5  # marks; largest cost over the smallest
_MOST_LISTED, _MOST_MARKS = 8, 200
_DIGITS = (
    (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8),
    (1, 1.5, 2, 3, 5, 7),
    (1, 2, 5),
    (1, 3),
    (1,),
)  # of ticks, finest first


@dataclass(frozen=True)
class Axis:
    """A cost to plot accuracies over. `of_machine`: whether only the costs of one machine may be compared."""

    title: str
    cost: Callable[[RunCost], float | None]
    text: Callable[[float], str]
    of_machine: bool


AXES = (
    Axis("time of one episode, embedding included", lambda cost: cost.seconds, duration, True),
    Axis("time to embed one image", lambda cost: cost.seconds_per_image, duration, True),
    Axis("FLOPs of the backbone for one image", lambda cost: cost.flops, scaled, False),
    Axis("parameters of the backbone", lambda cost: cost.n_params, scaled, False),
)


@dataclass(frozen=True)
class CostPlot:
    """The figure, its caption, and the runs of the front, cheapest first: place, name, accuracy and cost as texts."""

    title: str
    svg: Markup
    caption: str
    frontier: tuple[tuple[int, str, str, str], ...]


@dataclass(frozen=True)
class Run:
    """A run at its place in the ranking."""

    place: int
    name: str
    accuracy: float
    cost: RunCost


@dataclass(frozen=True)
class Point:
    """A run with the cost that an axis shows."""

    run: Run
    cost: float

    @property
    def accuracy(self) -> float:
        """The accuracy of the run."""
        return self.run.accuracy


def cost_plots(runs: Sequence[Run], most: int = _MOST_MARKS) -> tuple[CostPlot, ...]:
    """Accuracy over every cost that at least three runs have and that differs among them; `most`: marks beside the
    front."""
    return tuple(plot for axis in AXES if (plot := _plot(runs, axis, min(most, _MOST_MARKS))) is not None)


def _plot(runs: Sequence[Run], axis: Axis, most: int) -> CostPlot | None:
    every = [Point(run, cost) for run in runs if (cost := axis.cost(run.cost))]
    machine = of_most([point.run.cost for point in every]) if every and axis.of_machine else None
    points = [point for point in every if machine is None or point.run.cost.machine == machine]
    if len(points) < _FEWEST:
        return None
    best = frontier(points)
    ids = set(map(id, best))
    others = [point for point in points if id(point) not in ids]
    listed, kept = best[-_MOST_LISTED:], others[:most]
    drawn = [*kept, *best]
    low, high = min(point.cost for point in drawn), max(point.cost for point in drawn)
    if high < _LEAST_RATIO * low:
        return None
    chart = Chart(Scale.of(point.accuracy for point in drawn), low, high)
    pieces = [*_steps(chart, best), *_marks(chart, kept, best), *_numbers(chart, listed, drawn)]
    ticks = ticks_that_fit(_ticks(low, high), chart.share, axis.text)
    left_out = [_elsewhere(len(every) - len(points), machine or ""), _undrawn(len(others) - len(kept))]
    texts = [_CAPTION.format(axis.title), _numbered(len(best)), *filter(None, left_out)]
    return CostPlot(
        axis.title,
        chart.svg(pieces, ticks, axis.text, f"{axis.title} (log scale)"),
        " ".join(texts),
        tuple((p.run.place, p.run.name, f"{100 * p.accuracy:.1f} %", axis.text(p.cost)) for p in listed),
    )


def frontier(points: Sequence[Point]) -> list[Point]:
    """The runs that are more accurate than all cheaper ones, cheapest first."""
    best: list[Point] = []
    for point in sorted(points, key=lambda point: (point.cost, -point.accuracy)):
        if not best or point.accuracy > best[-1].accuracy:
            best.append(point)
    return best


def _numbered(n_best: int) -> str:
    which = "They" if n_best <= _MOST_LISTED else f"The {_MOST_LISTED} most accurate of these {n_best}"
    return f"{which} have their numbers of the ranking."


def _elsewhere(count: int, machine: str) -> str:
    where = machine or "an unknown machine"
    return f"Measured on {where}; {counted(count, 'run')} of other machines left out." * (count > 0)


def _undrawn(count: int) -> str:
    return f"{counted(count, 'less accurate run')} {agreeing(count, 'is', 'are')} not drawn." * (count > 0)


def _steps(chart: Chart, best: Sequence[Point]) -> Iterator[Markup]:
    """The front as stairs: the best accuracy for at most each cost."""
    for a, b in pairwise(best):
        x, y = chart.x(b.cost), chart.y(a.accuracy)
        yield _STEP.format(chart.x(a.cost), x, y, y)
        yield _STEP.format(x, x, y, chart.y(b.accuracy))
    yield _STEP.format(chart.x(best[-1].cost), chart.x(chart.high), *[chart.y(best[-1].accuracy)] * 2)


def _marks(chart: Chart, others: Sequence[Point], best: Sequence[Point]) -> Iterator[Markup]:
    for point in others:
        yield _QUIET.format(chart.x(point.cost), chart.y(point.accuracy))
    for point in best:
        title = printable(f"{point.run.place} {point.run.name}")
        yield _FRONT.format(chart.x(point.cost), chart.y(point.accuracy), title)


def _numbers(chart: Chart, listed: Sequence[Point], drawn: Sequence[Point]) -> Iterator[Markup]:
    """The place of every listed run at its mark; a thin line leads to a number that is farther away."""
    labels = [Label(chart.share(p.cost), float(chart.y(p.accuracy)), str(p.run.place)) for p in listed]
    marks = [(chart.share(point.cost), float(chart.y(point.accuracy))) for point in drawn]
    for point, mark, label in zip(listed, labels, places(labels, chart.top, chart.bottom, marks), strict=True):
        x = chart.x(point.cost)
        if (line := line_of(label, mark)) is not None:
            yield _LEADER.format(x, x, f"{line[0]:.1f}", f"{line[1]:.1f}")
        yield _NUMBER.format(x, f"{label.shift:g}", f"{label.y:.1f}", label.text)


def _ticks(low: float, high: float) -> list[list[float]]:
    """Sets of ticks, finest first: some digits of every power of ten, then ever fewer powers."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    finest = [[digit * 10.0**power for power in powers for digit in digits] for digits in _DIGITS]
    fewer = [[10.0**power for power in powers if power % step == 0] for step in (2, 3)]
    return [[tick for tick in ticks if low <= tick <= high] for ticks in (*finest, *fewer)]


_CAPTION = "Accuracy over the {}. Blue: the Pareto front, the runs that no cheaper run exceeds. Grey: all other runs."
_QUIET = Markup('<circle class="quiet" cx="{}" cy="{}" r="4"/>')
_FRONT = Markup('<circle class="front" cx="{}" cy="{}" r="4.5"><title>{}</title></circle>')
_STEP = Markup('<line class="step" x1="{}" x2="{}" y1="{}" y2="{}"/>')
_LEADER = Markup('<line class="leader" x1="{}" x2="{}" y1="{}" y2="{}"/>')
_NUMBER = Markup('<text class="below" x="{}" dx="{}" y="{}">{}</text>')
