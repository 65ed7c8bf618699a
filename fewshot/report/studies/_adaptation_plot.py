"""Error over pre-training images as a log-log figure: power laws with bands, and residuals below."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fewshot.report.figures.laws import BEYOND, error_scale, percent, plot_band, plot_law, plot_means, reach
from fewshot.report.figures.line_ends import label_ends
from fewshot.report.figures.plots import Plot, brief, in_parts
from fewshot.report.figures.svg import FAINT, MARKERS, SERIES, Marks, figure, inline_svg, log_ticks, settings
from fewshot.scaling.fits.trust import FARTHEST
from fewshot.scaling.studies.adaptation import Exponent
from fewshot.scaling.studies.ladders import Names

_WIDTH, _LEFT, _TOP, _BOTTOM = 860, 56, 16, 44  # pixels
_RESIDUALS, _BETWEEN = 96, 26  # pixels: height of the lower axes, and the gap above them
_MOST, _NAME = 6, 54  # ladders in a figure, and characters of a name


def ladder_plots(exponents: Sequence[Exponent], names: Names) -> tuple[Plot, ...]:
    """Figures of all ladders, at most six of one arm per figure."""
    parts = in_parts(exponents, lambda e: e.ladder.arm, _MOST)
    return tuple(_plot(part, number, names) for number, part in enumerate(parts))


def _plot(exponents: Sequence[Exponent], number: int, names: Names) -> Plot:
    """Errors of one arm: points are means over seeds, vertical lines span them, lines and bands are the laws."""
    labels = [brief(names.short(e.ladder), _NAME) for e in exponents]
    above, right = max(300, 30 + 19 * len(labels)), 24 + 6.2 * max(map(len, labels))
    height = _TOP + above + _BETWEEN + _RESIDUALS + _BOTTOM
    sizes = sorted({size for e in exponents for size in e.ladder.sizes})
    with settings():
        whole, axes = figure(_WIDTH, height, _LEFT, right, _TOP, height - _TOP - above)
        below = _lower(whole, height, right)
        for place, exponent in enumerate(exponents):
            _plot_ladder(axes, exponent, SERIES[place], MARKERS[place])
            residuals = exponent.residuals
            below.plot(exponent.ladder.sizes, residuals, color=SERIES[place], marker=MARKERS[place], linewidth=0.8)
        for each in (axes, below):
            log_ticks(each, [*sizes, FARTHEST * sizes[-1]])
            each.set_xlim(sizes[0] / 1.12, FARTHEST * sizes[-1])
        error_scale(axes, np.concatenate([e.ladder.errors.ravel() for e in exponents]))
        _residual_scale(below)
        _name_ends(axes, exponents, labels, above)
        return Plot(inline_svg(whole, f"ladders-{number}", Marks()), _caption(names.arm(exponents[0].ladder), number))


def _lower(whole: Figure, height: float, right: float) -> Axes:
    """Axes for the residuals, as wide as those above."""
    box = (_LEFT / _WIDTH, _BOTTOM / height, (_WIDTH - _LEFT - right) / _WIDTH, _RESIDUALS / height)
    return whole.add_axes(box)


def _plot_ladder(axes: Axes, exponent: Exponent, colour: str, marker: str) -> None:
    ladder = exponent.ladder
    plot_law(axes, exponent.law, ladder.sizes, exponent.trust.trusted, colour)
    x = np.concatenate(reach(ladder.sizes))
    plot_band(axes, x, *exponent.estimate.band(x), colour)
    plot_means(axes, ladder.sizes, ladder.errors, colour, marker)


def _residual_scale(axes: Axes) -> None:
    """Scales the axis symmetrically around zero, which is the law."""
    most = 1.15 * max(abs(bound) for bound in axes.get_ylim())
    axes.set_ylim(-most, most)
    axes.axhline(0, color=FAINT, linewidth=0.8)
    axes.yaxis.set_major_locator(MaxNLocator(2, symmetric=True))
    axes.set_xlabel("images of pre-training (log scale)")
    axes.set_ylabel("residual")


def _name_ends(axes: Axes, exponents: Sequence[Exponent], labels: Sequence[str], height: float) -> None:
    """Writes every label beside the end of its law, inside the axes."""
    ends = [percent(e.law.predict(FARTHEST * e.ladder.sizes[-1:]))[0] for e in exponents]
    inside = np.clip(ends, *axes.get_ylim())
    each = enumerate(zip(inside, labels, strict=True))
    label_ends(axes, [(float(y), name, SERIES[place]) for place, (y, name) in each], height)


def _caption(arm: str, number: int) -> str:
    title = f"Error over pre-training images, log-log: {arm}."
    if number:
        return f"{title} Lines, bands and residuals as in the first figure."
    return (
        f"{title} Points: means over seeds, with vertical lines from the lowest to the highest seed. Lines: power "
        f"laws, {BEYOND}. Bands: pointwise 95 % intervals over seeds. Below: residuals, log of the mean error minus "
        "log of the law. If they bend, the error does not follow a power law."
    )
