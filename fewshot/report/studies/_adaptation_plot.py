"""Error over pre-training images as a figure, log-log: power laws with their bands, and the residuals below."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fewshot.report.figures.curves import label_ends
from fewshot.report.figures.laws import BEYOND, error_scale, percent, plot_band, plot_law, plot_means, reach
from fewshot.report.figures.plots import Plot, brief, in_parts
from fewshot.report.figures.svg import FAINT, MARKERS, SERIES, Marks, figure, inline_svg, log_ticks, settings
from fewshot.scaling.fits.trust import FARTHEST
from fewshot.scaling.studies.adaptation import Exponent
from fewshot.scaling.studies.ladders import Names

_WIDTH, _LEFT, _TOP, _BOTTOM = 860, 56, 16, 44  # pixels
_RESIDUALS, _BETWEEN = 96, 26  # pixels of height of the lower axes, and above them
_MOST, _NAME = 6, 54  # ladders in a figure, and characters of a name


def ladder_plots(exponents: Sequence[Exponent], called: Names) -> tuple[Plot, ...]:
    """Figures of at most six ladders, of one arm each; all ladders are drawn."""
    parts = in_parts(exponents, lambda e: e.ladder.arm, _MOST)
    return tuple(_plot(part, number, called) for number, part in enumerate(parts))


def _plot(exponents: Sequence[Exponent], number: int, called: Names) -> Plot:
    """Errors of one arm: points are means over seeds, vertical lines span them, lines and bands are the laws."""
    names = [brief(called.short(e.ladder), _NAME) for e in exponents]
    above, right = max(300, 30 + 19 * len(names)), 24 + 6.2 * max(map(len, names))
    height = _TOP + above + _BETWEEN + _RESIDUALS + _BOTTOM
    sizes = sorted({size for e in exponents for size in e.ladder.sizes})
    with settings():
        drawn, axes = figure(_WIDTH, height, _LEFT, right, _TOP, height - _TOP - above)
        below = _lower(drawn, height, right)
        for place, exponent in enumerate(exponents):
            _draw(axes, exponent, SERIES[place], MARKERS[place])
            residuals = exponent.residuals
            below.plot(exponent.ladder.sizes, residuals, color=SERIES[place], marker=MARKERS[place], linewidth=0.8)
        for each in (axes, below):
            log_ticks(each, [*sizes, FARTHEST * sizes[-1]])
            each.set_xlim(sizes[0] / 1.12, FARTHEST * sizes[-1])
        error_scale(axes, np.concatenate([e.ladder.errors.ravel() for e in exponents]))
        _residual_scale(below)
        _name_ends(axes, exponents, names, above)
        return Plot(inline_svg(drawn, f"ladders-{number}", Marks()), _caption(called.arm(exponents[0].ladder), number))


def _lower(drawn: Figure, height: float, right: float) -> Axes:
    """Axes for the residuals, as wide as those above."""
    box = (_LEFT / _WIDTH, _BOTTOM / height, (_WIDTH - _LEFT - right) / _WIDTH, _RESIDUALS / height)
    return drawn.add_axes(box)


def _draw(axes: Axes, exponent: Exponent, colour: str, marker: str) -> None:
    ladder = exponent.ladder
    plot_law(axes, exponent.law, ladder.sizes, exponent.trust.trusted, colour)
    x = np.concatenate(reach(ladder.sizes))
    plot_band(axes, x, *exponent.estimate.band(x), colour)
    plot_means(axes, ladder.sizes, ladder.errors, colour, marker)


def _residual_scale(axes: Axes) -> None:
    """Symmetric around zero, which is the law."""
    most = 1.15 * max(abs(bound) for bound in axes.get_ylim())
    axes.set_ylim(-most, most)
    axes.axhline(0, color=FAINT, linewidth=0.8)
    axes.yaxis.set_major_locator(MaxNLocator(2, symmetric=True))
    axes.set_xlabel("images of pre-training (log scale)")
    axes.set_ylabel("residual")


def _name_ends(axes: Axes, exponents: Sequence[Exponent], names: Sequence[str], height: float) -> None:
    """Every name beside the end of its law, inside the axes."""
    ends = [percent(e.law.predict(FARTHEST * e.ladder.sizes[-1:]))[0] for e in exponents]
    inside = np.clip(ends, *axes.get_ylim())
    each = enumerate(zip(inside, names, strict=True))
    label_ends(axes, [(float(y), name, SERIES[place]) for place, (y, name) in each], height)


def _caption(arm: str, number: int) -> str:
    shown = f"Error over pre-training images, both on log scales: {arm}."
    if number:
        return f"{shown} Lines, bands and residuals as in the first figure."
    return (
        f"{shown} A line is the power law, {BEYOND}. The pale band is its 95 % interval over the seeds, point by "
        "point; a vertical line spans them. Below, the residuals: log of the mean error minus log of the law; where "
        "they bend, the error is no power law."
    )
