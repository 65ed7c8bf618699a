"""Ladders of pre-training images on a page: errors with their power laws, exponents, and how they differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from fewshot.report.curves import label_ends
from fewshot.report.plots import Plot
from fewshot.report.study import Study, StudyTable, arm_name, bounded, ladder_name
from fewshot.report.svg import MARKERS, SERIES, Marks, figure, inline_svg, log_ticks, settings
from fewshot.scaling import adaptation
from fewshot.scaling.adaptation import Exponent, Ladder

_WIDTH, _LEFT, _TOP, _BOTTOM = 860, 48, 16, 44  # pixels
_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)  # percent
_FINE_TICKS = (1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 40, 50, 60, 80, 100)  # within a decade


def ladder_study(rows: Sequence[dict[str, Any]]) -> Study | None:
    """Figures and tables of the ladders of these rows; None where there is none."""
    try:
        ladders = adaptation.ladders(rows)
    except ValueError:
        return None
    exponents = [adaptation.exponent(ladder) for ladder in ladders]
    arms = dict.fromkeys(ladder.arm for ladder in ladders)
    plots = [_plot([e for e in exponents if e.ladder.arm == arm], n) for n, arm in enumerate(arms)]
    tables = (_exponents(exponents), _differences(ladders), _downstream(ladders))
    return Study(
        "What more pre-training images bring",
        "Error against the images of pre-training; a power law is a straight line, b minus its slope. A point is "
        "the mean over seeds, and weighs as 1 / var(log error). The rule by which training grows with the images moves "
        "b more than anything else: compare b within a rule only. About a decade of data shows gains and the width of "
        "an interval; it establishes no exponent.",
        tuple(plots),
        tuple(table for table in tables if table.lines),
        tuple(_left_out(ladder, why) for ladder in ladders for why in ladder.dropped),
    )


def _exponents(exponents: Sequence[Exponent]) -> StudyTable:
    lines = [
        (
            arm_name(e.ladder.arm),
            ladder_name(e.ladder),
            f"{e.ladder.images[0]:g} to {e.ladder.images[-1]:g}",
            bounded(e.b, e.low, e.high, 2),
            str(len(e.ladder.seeds)),
        )
        for e in exponents
    ]
    caption = "b of error over images, with a 95 % interval over the seeds of training."
    return StudyTable(caption, ("trained", "error on", "images", "b", "seeds"), tuple(lines))


def _differences(ladders: Sequence[Ladder]) -> StudyTable:
    lines = []
    for found in adaptation.new_minus_seen(ladders):
        d, equal = found.difference, found.first.protocol is not None
        against = "seen classes, same protocol" if equal else "all seen classes at once"
        text = bounded(d.value, d.low, d.high, 2)
        lines.append((arm_name(found.second.arm), ladder_name(found.second), against, text))
    caption = "b of new classes minus b of seen ones, over the same checkpoints: first on equal protocols."
    return StudyTable(caption, ("trained", "b of", "minus b of", "difference"), tuple(lines))


def _downstream(ladders: Sequence[Ladder]) -> StudyTable:
    upstream = {ladder.arm: ladder for ladder in ladders if ladder.protocol is None}
    lines = []
    for ladder in ladders:
        if ladder.protocol is not None and ladder.arm in upstream:
            rank, slope = adaptation.downstream(upstream[ladder.arm], ladder)
            if not math.isnan(rank):
                lines.append((arm_name(ladder.arm), ladder_name(ladder), f"{rank:.2f}", f"{slope:.2f}"))
    caption = "Few-shot error against the error over all seen classes, checkpoint by checkpoint."
    return StudyTable(caption, ("trained", "error on", "rank correlation", "slope of the logarithms"), tuple(lines))


def _left_out(ladder: Ladder, why: str) -> str:
    return f"Left out: {arm_name(ladder.arm)}, {ladder_name(ladder)}, {why}."


def _plot(exponents: Sequence[Exponent], number: int) -> Plot:
    """Errors of one arm, log-log: points are means over seeds, vertical lines span them, lines are the laws."""
    names = [ladder_name(e.ladder) for e in exponents]
    height, right = max(330, 60 + 19 * len(names)), 24 + 6.2 * max(map(len, names))
    with settings():
        drawn, axes = figure(_WIDTH, height, _LEFT, right, _TOP, _BOTTOM)
        for place, exponent in enumerate(exponents):
            _draw(axes, exponent, SERIES[place % len(SERIES)], MARKERS[place // len(SERIES) % len(MARKERS)])
        _scales(axes, sorted({size for e in exponents for size in e.ladder.images}))
        last = [_percent(e.ladder.errors.mean(0)[-1:])[0] for e in exponents]
        ends = [(y, name, SERIES[n % len(SERIES)]) for n, (y, name) in enumerate(zip(last, names, strict=True))]
        label_ends(axes, ends, height - _TOP - _BOTTOM)
        caption = f"Error over pre-training images, both on log scales: {arm_name(exponents[0].ladder.arm)}."
        return Plot(inline_svg(drawn, f"ladders-{number}", Marks()), caption)


def _draw(axes: Axes, exponent: Exponent, colour: str, marker: str) -> None:
    ladder = exponent.ladder
    x = np.geomspace(ladder.images[0], ladder.images[-1], 60)
    axes.plot(x, _percent(exponent.law.predict(x)), color=colour)
    axes.plot(
        ladder.images, _percent(ladder.errors.mean(0)), color=colour, marker=marker, markersize=6, linestyle="none"
    )
    if len(ladder.seeds) > 1:
        logs = _percent(ladder.errors)
        axes.vlines(ladder.images, logs.min(0), logs.max(0), color=colour, linewidth=1)


def _percent(errors: Any) -> Any:
    """Log10 of errors in percent: straight lines, and room for names, on a plain axis."""
    return np.log10(100 * np.asarray(errors))


def _scales(axes: Axes, sizes: Sequence[float]) -> None:
    log_ticks(axes, sizes)
    axes.set_xlim(sizes[0] / 1.12, sizes[-1] * 1.05)
    low, high = axes.get_ylim()
    ticks = np.log10(_TICKS if high - low > 1 else _FINE_TICKS)
    axes.set_yticks(ticks[(low <= ticks) & (ticks <= high)])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{10**value:g}"))
    axes.set_ylim(low, high)
    axes.set_xlabel("images of pre-training (log scale); a vertical line spans the seeds")
    axes.set_ylabel("error, %")
    axes.grid(axis="y")
