"""Accuracy over the number of shots: the best contenders in colour, numbered at their ends, and the others in grey."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from fewshot.report.figures.chart import Chart
from fewshot.report.figures.line_ends import apart
from fewshot.report.figures.plots import best, caption, some_of_each
from fewshot.report.figures.ranges import Scale
from fewshot.report.figures.svg import printable
from fewshot.report.rows.contenders import Contender, contender
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import Task, accuracy, interval, shot_label
from fewshot.report.rows.wording import details
from fewshot.results.row import Row

MOST_COLOURED, _MOST_GREY = 8, 60
_HEIGHT, _NUMBER = 380, 15.0  # pixels of the chart, and of a number at the end of a line
_DASHES = ("none", "7 3", "2 3", "9 3 2 3")


@dataclass(frozen=True)
class CurvePlot:
    """The figure, its caption, and the coloured contenders: their names with the sample of a line."""

    svg: Markup
    caption: str
    legend: tuple[tuple[Markup, str, int], ...]  # sample, name, number of the contender


def shot_curves(task: Task, shown: Shown) -> CurvePlot | None:
    """Accuracy over the number of shots, one line per contender; None with fewer than two shots."""
    curves = {each: own for each, own in _curves(task).items() if len({row.k_shot for row in own}) > 1}
    if not curves:
        return None
    kept = best(task, list(curves), MOST_COLOURED + _MOST_GREY)
    coloured = _by_last(best(task, kept, MOST_COLOURED), curves)
    rows = [row for each in kept for row in curves[each]]
    shots = sorted({row.k_shot or 0 for row in rows})
    values = (value for row in rows for value in (accuracy(row), *(interval(row) or ())))
    chart = Chart(Scale.of(values), shots[0], shots[-1], _HEIGHT)
    pieces = [_grey(chart, curves[each], shown.numbers[each]) for each in kept if each not in coloured]
    for number, each in enumerate(coloured):
        pieces += _coloured(chart, curves[each], number, shown.numbers[each])
    pieces += _ends(chart, [curves[each][-1] for each in coloured])
    title = "Accuracy over the number of shots" + ", with 95 % intervals" * any(map(interval, rows))
    return CurvePlot(
        chart.svg(pieces, shots, lambda shot: f"{shot:g}", "shots per class (log scale)"),
        caption(title, task, len(kept), len(curves)) + _colours(len(coloured), len(kept)),
        tuple((_sample(n), _name(shown, each), shown.numbers[each]) for n, each in enumerate(coloured)),
    )


def _curves(task: Task) -> dict[Contender, list[Row]]:
    """The measured rows of every contender, fewest shots first."""
    curves: dict[Contender, list[Row]] = {each: [] for each in task.contenders}
    for rows in task.by_shot.values():
        for row in some_of_each(rows):
            if row.k_shot:
                curves[contender(row)].append(row)
    return {each: sorted(own, key=lambda row: row.k_shot or 0) for each, own in curves.items()}


def _by_last(contenders: Sequence[Contender], curves: dict[Contender, list[Row]]) -> list[Contender]:
    """The contenders by the ends of their lines, highest first, so that the legend has the order of the figure."""
    return sorted(contenders, key=lambda each: -accuracy(curves[each][-1]))


def _colours(n_coloured: int, n_kept: int) -> str:
    return f" Coloured: the best {n_coloured}; grey: {n_kept - n_coloured} others." if n_kept > n_coloured else ""


def _name(shown: Shown, each: Contender) -> str:
    """The whole name without what all contenders share."""
    name, every = shown.names[each], list(shown.names.values())
    parts = [name[part] for part in (0, 1) if len({one[part] for one in every}) > 1]
    return printable(", ".join(parts) or name.whole)


def _grey(chart: Chart, rows: Sequence[Row], contender_number: int) -> Markup:
    return _GROUP.format("grey", contender_number, Markup().join(_segments(chart, rows, "none")))


def _coloured(chart: Chart, rows: Sequence[Row], number: int, contender_number: int) -> Iterator[Markup]:
    """The line of a contender, and a mark with its interval for every run."""
    style, dashes = f"series-{number + 1}", _DASHES[number // 2 % len(_DASHES)]
    yield _GROUP.format(style, contender_number, Markup().join(_segments(chart, rows, dashes)))
    for row in rows:
        x, bounds = chart.x(row.k_shot or 0), interval(row)
        bar = _BAR.format(x, *map(chart.y, bounds)) if bounds else ""
        text = printable(f"{shot_label(row)}\n{details(row)}")
        yield _MARK.format(style, contender_number, row.run_id, text, bar, _shape(number, x, chart.y(accuracy(row))))


def _segments(chart: Chart, rows: Sequence[Row], dashes: str) -> Iterator[Markup]:
    places = [(chart.x(row.k_shot or 0), chart.y(accuracy(row))) for row in rows]
    return (_SEGMENT.format(*a, *b, dashes) for a, b in pairwise(places))


def _ends(chart: Chart, last: Sequence[Row]) -> list[Markup]:
    """A number at the end of every coloured line, given from the highest to the lowest."""
    ends = [float(chart.y(accuracy(row))) for row in last]
    heights = apart(ends, _NUMBER, 0.0, float(chart.height))
    return [_END.format(f"series-{number}", chart.end, f"{y + 4:.1f}", number) for number, y in enumerate(heights, 1)]


def _sample(number: int) -> Markup:
    dashes = _DASHES[number // 2 % len(_DASHES)]
    return _SAMPLE.format(f"series-{number + 1}", dashes, _shape(number, "18", "7"))


def _shape(number: int, x: str, y: str) -> Markup:
    """A disc for even numbers, a square for odd ones: with its dashes, a line is known without its colour."""
    return _DISC.format(x, y) if number % 2 == 0 else _SQUARE.format(x, y)


_GROUP = Markup('<g class="mark {}" data-of="{}">{}</g>')
_MARK = Markup('<g class="mark {}" data-of="{}" data-run="{}"><title>{}</title>{}{}</g>')
_SEGMENT = Markup('<line x1="{}" y1="{}" x2="{}" y2="{}" stroke-dasharray="{}"/>')
_BAR = Markup('<line class="bar" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>')
_DISC = Markup('<circle cx="{}" cy="{}" r="4.5"/>')
_SQUARE = Markup('<svg x="{}" y="{}" overflow="visible"><rect x="-4" y="-4" width="8" height="8"/></svg>')
_END = Markup('<text class="end {}" x="{}" y="{}">{}</text>')
_SAMPLE = Markup(
    '<svg class="sample {}" width="36" height="14" aria-hidden="true">'
    '<line x1="0" x2="36" y1="7" y2="7" stroke-dasharray="{}"/>{}</svg>'
)
