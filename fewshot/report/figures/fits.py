"""Fits as a figure: laws with bands and extrapolation on log-log axes, and the residuals beside them.

One row per curve. The line of a law is solid over the fitted range and then dashed up to twice its end, or dotted if
the law is not trusted. The range beyond is shaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib import rc_context, rcdefaults, rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogFormatterMathtext, LogLocator, NullFormatter, ScalarFormatter

from fewshot.scaling.fits.fit import CurveFit
from fewshot.scaling.fits.trust import FARTHEST
from fewshot.scaling.laws import Floats

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#8c564b")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")
_WIDTH, _HEIGHT = 11.0, 3.6  # inches per row
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "fewshot",
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.linewidth": 0.4,
    "grid.color": "#dddddd",
    "axes.axisbelow": True,
    "legend.frameon": False,
}


def figure(fits: Sequence[CurveFit], x_name: str, y_name: str, kind: str) -> bytes:
    """The figure of all fits as bytes of a file, "png" or "svg"; the same bytes for the same fits."""
    rows: dict[int, list[CurveFit]] = {}
    for each in fits:
        rows.setdefault(id(each.curve), []).append(each)
    with rc_context():
        rcdefaults()
        rcParams.update(_STYLE)
        whole = Figure(figsize=(_WIDTH, _HEIGHT * len(rows)), layout="constrained")
        panels = whole.subplots(len(rows), 2, squeeze=False, width_ratios=(3, 2))
        for (left, right), own in zip(panels, rows.values(), strict=True):
            _plot_laws(left, own, x_name, y_name)
            _plot_residuals(right, own, x_name)
        file = BytesIO()
        whole.savefig(file, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
    return file.getvalue()


def _plot_laws(axes: Axes, fits: Sequence[CurveFit], x_name: str, y_name: str) -> None:
    curve = fits[0].curve
    first, last = float(curve.points.x.min()), float(curve.points.x.max())
    end = max(FARTHEST * last, float(curve.rest_x.max(initial=0.0)))
    axes.scatter(curve.points.x, curve.points.errors, s=16, color="#222222", label="fitted", zorder=2)
    if len(curve.rest_x):
        axes.scatter(
            curve.rest_x, curve.rest_errors, s=16, facecolors="none", edgecolors="#888888", label="not fitted", zorder=2
        )
    for colour, each in zip(_colours(len(fits)), fits, strict=True):
        _plot_law(axes, each, colour, np.geomspace(first, last, 200), np.geomspace(last, end, 80))
    axes.axvline(last, color="#666666", linewidth=0.8)
    if end > FARTHEST * last:
        axes.axvspan(
            FARTHEST * last, end, color="#f2f2f2", zorder=0, label=f"beyond {FARTHEST:g} times the fitted range"
        )
    _log_axes(axes, curve.points.errors, curve.rest_errors)
    axes.set(title=curve.name, xlabel=x_name, ylabel=y_name)
    axes.legend(fontsize=7.5)


def _plot_law(axes: Axes, each: CurveFit, colour: str, inside: Floats, beyond: Floats) -> None:
    law, name = each.estimate.fit.law, each.law.__name__
    near = beyond[beyond <= FARTHEST * inside[-1] * (1 + 1e-9)]
    far = beyond[len(near) - 1 :]
    line: dict[str, Any] = {"color": colour, "linewidth": 1.5, "zorder": 4}
    label = f"{name}, RMSE {each.estimate.fit.rmse:.3f}" + ("" if each.trust.trusted else ", do not extrapolate")
    axes.plot(inside, law.predict(inside), label=label, **line)
    axes.plot(near, law.predict(near), linestyle="--" if each.trust.trusted else ":", **line)
    axes.plot(far, law.predict(far), linestyle=":", **line)
    if each.estimate.laws:
        everywhere = np.concatenate([inside, beyond])
        low, high = each.estimate.band(everywhere)
        axes.fill_between(everywhere, np.maximum(low, 1e-6), high, color=colour, alpha=0.15, linewidth=0)


def _plot_residuals(axes: Axes, fits: Sequence[CurveFit], x_name: str) -> None:
    curve = fits[0].curve
    for number, (colour, each) in enumerate(zip(_colours(len(fits)), fits, strict=True)):
        law, marker = each.estimate.fit.law, _MARKERS[number % len(_MARKERS)]
        for x, errors, filled in (
            (curve.points.x, curve.points.errors, True),
            (curve.rest_x, curve.rest_errors, False),
        ):
            residuals = np.log(errors) - np.log(np.maximum(law.predict(x), 1e-9))
            face = colour if filled else "none"
            axes.scatter(x, residuals, s=12, marker=marker, facecolors=face, edgecolors=colour, linewidths=0.8)
    axes.axhline(0, color="#666666", linewidth=0.8)
    axes.axvline(curve.points.x.max(), color="#666666", linewidth=0.8)
    _log_x(axes)
    axes.set(title="residuals", xlabel=x_name, ylabel="log error, measured - law")


def _log_axes(axes: Axes, errors: Floats, rest: Floats) -> None:
    every = np.concatenate([errors, rest])
    _log_x(axes)
    axes.set_yscale("log")
    top = every.max() * 1.25
    axes.set_ylim(every.min() / 1.25, min(1.5, top) if every.max() <= 1 else top)
    wide = every.max() / every.min() > 10
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)))
    axes.yaxis.set_major_formatter(LogFormatterMathtext() if wide else ScalarFormatter())
    axes.yaxis.set_minor_formatter(NullFormatter())


def _log_x(axes: Axes) -> None:
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    decades = float(np.log10(high / low))
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if decades > 2 else (1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _colours(count: int) -> list[str]:
    return [_COLOURS[number % len(_COLOURS)] for number in range(count)]
