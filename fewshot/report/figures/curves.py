"""Accuracy over the number of shots, as lines with names beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Annotation

from fewshot.report.figures.plots import Plot, best, brief, caption, some_of_each
from fewshot.report.figures.svg import DASHES, MARKERS, SERIES, Mark, Marks, figure, inline_svg, log_ticks, settings
from fewshot.report.rows.contenders import Contender, contender
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import Task, accuracy, interval, shot_label
from fewshot.report.rows.wording import details
from fewshot.results.row import Row

_WIDTH, _LEFT, _TOP, _BOTTOM = 780, 48, 16, 44  # pixels
_LABEL = 17  # pixels of height of a name
_MOST = 12  # contenders in a figure: the best


@dataclass(frozen=True)
class _Look:
    colour: str
    marker: str
    dashes: str | tuple[int, tuple[int, ...]]


def shot_curves(task: Task, shown: Shown, name: str) -> Plot | None:
    """Accuracy over the number of shots, one line per contender; None with fewer than two shots."""
    curves = _curves(task)
    several = [each for each, own in curves.items() if len({row.k_shot for row in own}) > 1]
    kept = best(task, several, _MOST)
    if not kept:
        return None
    numbers, marks = shown.numbers, Marks()
    texts = [f"{brief(name.backbone, 34)}, {brief(name.learner, 26)}" for name in map(shown.names.__getitem__, kept)]
    height, right = max(330, 60 + 19 * len(kept)), 24 + 6.2 * max(map(len, texts))
    with settings():
        whole, axes = figure(_WIDTH, height, _LEFT, right, _TOP, _BOTTOM)
        looks = _looks(kept)
        for each in kept:
            _plot_curve(axes, curves[each], looks[each], numbers[each], marks)
        _shots_axis(axes, sorted({row.k_shot for each in kept for row in curves[each] if row.k_shot}))
        ends = [
            (100 * accuracy(curves[each][-1]), text, looks[each].colour) for each, text in zip(kept, texts, strict=True)
        ]
        for each, text in zip(kept, label_ends(axes, ends, height - _TOP - _BOTTOM), strict=True):
            marks.put(text, Mark(numbers[each]))
        return Plot(
            inline_svg(whole, name, marks), caption("Accuracy over the number of shots", task, len(kept), len(several))
        )


def _curves(task: Task) -> dict[Contender, list[Row]]:
    """The measured rows of every contender, fewest shots first."""
    curves: dict[Contender, list[Row]] = {each: [] for each in task.contenders}
    for rows in task.by_shot.values():
        for row in some_of_each(rows):
            if row.k_shot:
                curves[contender(row)].append(row)
    return {each: sorted(own, key=lambda row: row.k_shot or 0) for each, own in curves.items()}


def _looks(kept: Sequence[Contender]) -> dict[Contender, _Look]:
    """One colour per backbone, one marker and dash per evaluator."""
    networks = list(dict.fromkeys(each.network for each in kept))
    methods = list(dict.fromkeys(each.method for each in kept))
    looks = {}
    for each in kept:
        again, hue = divmod(networks.index(each.network), len(SERIES))
        style = methods.index(each.method) + again
        looks[each] = _Look(SERIES[hue], MARKERS[style % len(MARKERS)], DASHES[style % len(DASHES)])
    return looks


def _plot_curve(axes: Axes, rows: Sequence[Row], look: _Look, number: int, marks: Marks) -> None:
    shots = [row.k_shot or 0 for row in rows]
    [line] = axes.plot(shots, [100 * accuracy(row) for row in rows], color=look.colour, linestyle=look.dashes)
    marks.put(line, Mark(number))
    for shot, row in zip(shots, rows, strict=True):
        bounds, mean = interval(row), 100 * accuracy(row)
        pieces = axes.plot([shot], [mean], color=look.colour, marker=look.marker, markersize=6.5, linestyle="none")
        if bounds is not None:
            pieces += axes.plot([shot, shot], [100 * bounds[0], 100 * bounds[1]], color=look.colour, linewidth=1)
        for piece in pieces:
            marks.put(piece, Mark(number, row.run_id, f"{shot_label(row)}\n{details(row)}"))


def _shots_axis(axes: Axes, shots: Sequence[int]) -> None:
    log_ticks(axes, shots)
    axes.set_xlim(shots[0] / 1.12, shots[-1] * 1.05)
    axes.set_xlabel("shots per class (log scale)")
    axes.set_ylabel("accuracy, %")
    axes.grid(axis="y")


def label_ends(axes: Axes, ends: Sequence[tuple[float, str, str]], height: float) -> list[Annotation]:
    """The name of every line beside its end, in the given order. Names of close ends are moved apart, and a thin line
    leads back to the end."""
    low, high = axes.get_ylim()
    order = np.argsort([value for value, _, _ in ends], kind="stable")
    places = _apart([ends[i][0] for i in order], _LABEL * (high - low) / height, low, high)
    labels: dict[int, Annotation] = {}
    for i, y in zip(order.tolist(), places, strict=True):
        value, text, colour = ends[i]
        leader = {"arrowstyle": "-", "color": colour, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0, "relpos": (0, 0.5)}
        labels[i] = axes.annotate(
            text,
            (1.0, value),
            (16, (y - value) * height / (high - low)),
            textcoords="offset points",
            xycoords=axes.get_yaxis_transform(),
            va="center",
            fontsize=11,
            annotation_clip=False,
            arrowprops=leader,
        )
    axes.set_ylim(low, high)
    return [labels[i] for i in range(len(ends))]


def _apart(values: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Ascending values, moved so that neighbours are at least `gap` apart, inside [low, high] if there is room."""
    moved: list[float] = []
    for value in values:
        moved.append(max(value, moved[-1] + gap if moved else low))
    ceiling = high
    for number in range(len(moved) - 1, -1, -1):
        moved[number] = min(moved[number], max(ceiling, low))
        ceiling = moved[number] - gap
    return moved
