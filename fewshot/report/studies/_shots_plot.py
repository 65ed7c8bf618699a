"""Error over nested shots as log-log figures, one per task: its best learners and the spread of their laws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from fewshot.report.figures.laws import BEYOND, error_scale, percent, plot_band, plot_law, reach
from fewshot.report.figures.line_ends import label_ends
from fewshot.report.figures.plots import Plot, brief
from fewshot.report.figures.svg import FAINT, MARKERS, SERIES, Mark, Marks, figure, inline_svg, log_ticks, settings
from fewshot.report.rows.tasks import accuracy, interval, shot_label
from fewshot.report.rows.wording import details
from fewshot.report.studies._shot_budgets import TARGET, ShotCurve
from fewshot.scaling.fits.trust import FARTHEST

_WIDTH, _LEFT, _TOP, _BOTTOM = 860, 48, 16, 44  # pixels
_MOST_LEARNERS = 6  # in a figure
_LINES = (
    " Lines: the law that misses the largest shots least when it is fitted without them (a power law if no law can be "
    f"tested), {BEYOND}. Bands: all laws that predict the largest shots."
)


def shot_plots(findings: Sequence[ShotCurve], most_tasks: int) -> list[Plot]:
    """A figure for each of the first tasks, with its most accurate learners."""
    titles = list(dict.fromkeys(each.task for each in findings))[:most_tasks]
    by_task = [[each for each in findings if each.task == title] for title in titles]
    return [_plot(_best(own), len(own), number) for number, own in enumerate(by_task)]


def _best(own: Sequence[ShotCurve]) -> list[ShotCurve]:
    """The most accurate at any shot, in their usual order."""
    ranked = sorted(own, key=lambda each: each.curve.points.errors.min())[:_MOST_LEARNERS]
    return [each for each in own if each in ranked]


def _plot(kept: Sequence[ShotCurve], total: int, number: int) -> Plot:
    names = [f"{brief(each.name[0], 34)}, {brief(each.name[1], 26)}" for each in kept]
    height, right, marks = max(330, 60 + 19 * len(kept)), 24 + 6.2 * max(map(len, names)), Marks()
    with settings():
        whole, axes = figure(_WIDTH, height, _LEFT, right, _TOP, _BOTTOM)
        for place, each in enumerate(kept):
            _plot_learner(axes, each, SERIES[place], MARKERS[place], marks)
        _scales(axes, kept)
        ends = [(_end(axes, each), name, SERIES[n]) for n, (each, name) in enumerate(zip(kept, names, strict=True))]
        for each, text in zip(kept, label_ends(axes, ends, height - _TOP - _BOTTOM), strict=True):
            marks.put(text, Mark(each.number))
        omits = (
            ""
            if total == len(kept)
            else f" Only the best {len(kept)} of {total} learners are shown; the table has all."
        )
        lines = " Lines and bands as in the first figure." if number else _LINES
        caption = f"Error over shots, log-log: {kept[0].task}.{lines}{omits}"
        return Plot(inline_svg(whole, f"shots-{number}", marks), caption)


def _plot_learner(axes: Axes, each: ShotCurve, colour: str, marker: str, marks: Marks) -> None:
    """Plots points with the intervals of their rows, the law, and the spread of the trusted laws."""
    shots = each.curve.points.x
    plot_law(axes, each.law, shots, bool(each.trusted), colour)
    if each.trusted:
        x = np.concatenate(reach(shots))
        predicted = np.stack([need.fit.law.predict(x) for need in each.trusted])  # [laws, x]
        plot_band(axes, x, predicted.min(0), predicted.max(0), colour)
    for row in each.rows:
        x_, bounds, y = float(row.k_shot or 0), interval(row), percent(1 - accuracy(row))
        pieces = axes.plot([x_], [y], color=colour, marker=marker, markersize=6.5, linestyle="none")
        if bounds is not None:
            low, high = (percent(1 - bound) for bound in bounds)
            pieces += axes.plot([x_, x_], [low, high], color=colour, linewidth=1)
        for piece in pieces:
            marks.put(piece, Mark(each.number, row.run_id, f"{shot_label(row)}\n{details(row)}"))


def _end(axes: Axes, each: ShotCurve) -> float:
    """The height of the end of a learner's line, inside the axes."""
    low, high = axes.get_ylim()
    last = percent(each.law.predict(FARTHEST * each.curve.points.x[-1:]))[0]
    return float(np.clip(last, low, high))


def _scales(axes: Axes, kept: Sequence[ShotCurve]) -> None:
    shots = sorted({float(x) for each in kept for x in each.curve.points.x})
    log_ticks(axes, [*shots, FARTHEST * shots[-1]])
    axes.set_xlim(shots[0] / 1.12, FARTHEST * shots[-1])
    error_scale(axes, np.concatenate([each.curve.points.errors for each in kept]))
    low, high = axes.get_ylim()
    if low < percent(1 - TARGET) < high:
        axes.axhline(percent(1 - TARGET), color=FAINT, linewidth=1.4)
    axes.set_xlabel("shots per class (log scale); vertical lines: 95 % intervals for these images")
