"""A law as a line on log-log axes: solid over the fitted range, then dashed or dotted to twice its end, no further.

Errors are plotted as log10 of percent on a linear axis, which leaves room for names beside the lines.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from fewshot.scaling.fits.trust import FARTHEST
from fewshot.scaling.laws import Floats, Law

BEYOND = "dashed to twice the range if the law predicts the largest sizes from the others, dotted if not or untested"
_LEAST = 1e-5  # the smallest error on the axis
_BAND = 0.13  # opacity
_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)  # percent
_FINE_TICKS = (1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 40, 50, 60, 80, 100)  # within a decade


def percent(errors: Any) -> Any:
    """Log10 of errors in %."""
    return np.log10(100 * np.maximum(np.asarray(errors), _LEAST))


def reach(sizes: Floats) -> tuple[Floats, Floats]:
    """Where to plot a law that was fitted to these sizes: inside their range, and from its end to twice its end."""
    last = float(sizes.max())
    return np.geomspace(float(sizes.min()), last, 60), np.geomspace(last, FARTHEST * last, 20)


def plot_law(axes: Axes, law: Law, sizes: Floats, trusted: bool, colour: str) -> None:
    """Plots the law: solid over the fitted sizes, then to twice their end dashed if trusted, dotted if not."""
    inside, beyond = reach(sizes)
    axes.plot(inside, percent(law.predict(inside)), color=colour)
    axes.plot(beyond, percent(law.predict(beyond)), color=colour, linestyle=(0, (4, 2)) if trusted else (0, (1, 2)))


def plot_band(axes: Axes, x: Floats, low: Floats, high: Floats, colour: str) -> None:
    """Plots a pale band between two bounds [n] of the error at x [n]; nothing if the bounds are not finite."""
    if np.isfinite(low).all():
        axes.fill_between(x, percent(low), percent(high), color=colour, alpha=_BAND, linewidth=0)


def plot_means(axes: Axes, sizes: Floats, errors: Floats, colour: str, marker: str, dashes: Any = "none") -> None:
    """Plots means over seeds of errors [S, n] at sizes [n] as points, joined by a line with these `dashes`. A vertical
    line spans the seeds."""
    axes.plot(sizes, percent(errors.mean(0)), color=colour, marker=marker, markersize=6, linestyle=dashes)
    if len(errors) > 1:
        axes.vlines(sizes, percent(errors.min(0)), percent(errors.max(0)), color=colour, linewidth=1)


def error_scale(axes: Axes, errors: Floats) -> None:
    """Scales the axis of errors in %, from half of the smallest of these errors to a little above the largest."""
    low, high = axes.get_ylim()
    low, high = max(low, percent(errors.min() / 2)), min(high, percent(min(1.0, 1.3 * errors.max())))
    ticks = np.log10(_TICKS if high - low > 1 else _FINE_TICKS)
    axes.set_yticks(ticks[(low <= ticks) & (ticks <= high)])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{10**value:g}"))
    axes.set_ylim(low, high)
    axes.set_ylabel("error, %")
    axes.grid(axis="y")
