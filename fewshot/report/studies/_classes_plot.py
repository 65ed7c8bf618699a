"""Error over pre-training classes as a log-log figure: one colour per protocol, one dash and marker per number of
images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from fewshot.report.figures.laws import error_scale, percent, plot_means
from fewshot.report.figures.line_ends import label_ends
from fewshot.report.figures.plots import Plot, in_parts
from fewshot.report.figures.svg import DASHES, MARKERS, SERIES, Marks, figure, inline_svg, log_ticks, settings
from fewshot.scaling.studies.class_ladders import ClassLadder, scored_on, setting_names

_WIDTH, _LEFT, _TOP, _BOTTOM, _HEIGHT = 860, 56, 16, 44, 360  # pixels
_MOST = 8  # ladders in a figure: as many as there are colours
_PATTERNS = ("solid", "dashed", "dotted", "dashed and dotted")  # of DASHES


def class_plots(findings: Sequence[ClassLadder]) -> tuple[Plot, ...]:
    """Figures of all ladders, at most eight of one setting per figure."""
    names = setting_names(findings)
    parts = in_parts(findings, lambda each: each.setting, _MOST)
    return tuple(_plot(part, number, names[part[0].setting]) for number, part in enumerate(parts))


def _plot(own: Sequence[ClassLadder], number: int, setting: str) -> Plot:
    protocols, fixed = (list(dict.fromkeys(each)) for each in zip(*((e.protocol, e.fixed) for e in own), strict=True))
    names = [f"{scored_on(each.protocol)}, {each.fixed.text}" for each in own]
    right = 24 + 6.2 * max(map(len, names))
    with settings():
        whole, axes = figure(_WIDTH, _HEIGHT, _LEFT, right, _TOP, _BOTTOM)
        ends = []
        for each, name in zip(own, names, strict=True):
            colour, look = SERIES[protocols.index(each.protocol)], fixed.index(each.fixed)
            marker, dashes = MARKERS[look % len(MARKERS)], DASHES[look % len(DASHES)]
            plot_means(axes, each.ladder.sizes, each.ladder.errors, colour, marker, dashes)
            ends.append((float(percent(each.ladder.errors[:, -1].mean())), name, colour))
        _scales(axes, own)
        label_ends(axes, ends, _HEIGHT - _TOP - _BOTTOM)
        return Plot(inline_svg(whole, f"classes-{number}", Marks()), _caption(own, setting))


def _scales(axes: Axes, own: Sequence[ClassLadder]) -> None:
    counts = sorted({count for each in own for count in each.classes})
    log_ticks(axes, counts)
    axes.set_xlim(counts[0] / 1.12, counts[-1] * 1.05)
    error_scale(axes, np.concatenate([each.ladder.errors.ravel() for each in own]))
    fixed = dict.fromkeys(each.fixed.text for each in own)
    axes.set_xlabel(f"classes of pre-training (log scale), with {' or '.join(fixed)}")


def _caption(own: Sequence[ClassLadder], setting: str) -> str:
    fixed = dict.fromkeys(each.fixed for each in own)
    looks = [f"{_PATTERNS[place % len(_PATTERNS)]}: {each.text}" for place, each in enumerate(fixed)]
    return (
        f"Error over pre-training classes, log-log: {setting}. Points: means over seeds, with vertical lines from the "
        f"lowest to the highest seed. Lines only join points ({', '.join(looks)})."
    )
