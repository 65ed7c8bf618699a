"""Paired differences with both intervals as a separate figure, for a paper or a slide."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fewshot.files.atomic import write_atomically
from fewshot.plugins.wording import counted
from fewshot.report.comparisons.claims import Claims
from fewshot.report.comparisons.naming import Naming
from fewshot.report.comparisons.run_pair import RunPair
from fewshot.report.figures.svg import figure, settings
from fewshot.statistics.interval import Interval

FORMATS = (".svg", ".png", ".pdf")
_WIDTH, _LINE, _HEADING, _MOST = 900, 24, 34, 60  # pixels, pixels, pixels, pairs
_INK, _FAINT, _IMAGES, _CLASSES = "#1b1b1b", "#8a8a8a", "#0b62a4", "#c1440e"
_COLOURS = {"text.color": _INK, "axes.labelcolor": _INK, "xtick.labelcolor": _INK, "ytick.labelcolor": _INK}
_COLOURS |= {"axes.edgecolor": _FAINT, "xtick.color": _FAINT, "grid.color": "#dddddd", "figure.facecolor": "white"}


def write_forest(shown: Sequence[Claims], path: Path) -> None:
    """Writes a figure with one line per pair, at most 60, contest by contest; the same claims give the same bytes.
    Raises a ValueError for a suffix other than .svg, .png or .pdf."""
    if path.suffix not in FORMATS:
        raise ValueError(f"a figure needs a name that ends in {', '.join(FORMATS)}; got {path.name!r}")
    parts = [(claim.title, claim.naming, claim.pairs) for claim in shown]
    nothing = {".svg": {"Date": None, "Creator": None}, ".png": {"Software": None}, ".pdf": {"CreationDate": None}}
    with settings(**_COLOURS):
        file = io.BytesIO()
        whole = _figure(parts, "groups" if any("groups" in c.contest.units.name for c in shown) else "classes")
        whole.savefig(file, format=path.suffix[1:], metadata=nothing[path.suffix], dpi=144)
    write_atomically(path, file.getvalue())


def _figure(parts: Sequence[tuple[str, Naming, Sequence[RunPair]]], units: str) -> Figure:
    places: list[tuple[float, RunPair]] = []
    headings: list[tuple[float, str]] = []
    names, y, n_omitted = [], 0.0, 0
    for title, naming, pairs in parts:
        kept = pairs[: max(0, _MOST - len(places))]
        n_omitted += len(pairs) - len(kept)
        if kept:
            y += _HEADING
            headings.append((y, title))
        for pair in kept:
            y += _LINE
            places.append((y, pair))
            names.append(naming.pair(pair))
    left = 24 + 6.6 * max(map(len, names))
    whole, axes = figure(_WIDTH + left, y + 96, left, 24, 40, 56)
    axes.set_ylim(y + _LINE, 0)
    axes.axvline(0, color=_INK, linewidth=1)
    for place, pair in places:
        _plot(axes, pair.comparison.new_classes, place, _CLASSES, 1.4)
        _plot(axes, pair.comparison.these_images, place, _IMAGES, 4)
    axes.set_yticks([place for place, _ in places], names)
    for place, title in headings:
        axes.annotate(title, (0, place), (8 - left, 0), xycoords=axes.get_yaxis_transform(), weight="bold",
                      textcoords="offset points", va="center", annotation_clip=False,
                      bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5})  # fmt: skip
    omitted = f"; {counted(n_omitted, 'more pair')} not shown" if n_omitted else ""
    axes.set_xlabel(f"difference of accuracy in points, 95 % intervals{omitted}")
    axes.grid(axis="x")
    _legend(axes, units)
    return whole


def _plot(axes: Axes, interval: Interval, y: float, colour: str, width: float) -> None:
    if math.isfinite(interval.low):
        axes.plot([100 * interval.low, 100 * interval.high], [y, y], color=colour, linewidth=width)
    axes.plot([100 * interval.mean], [y], color=_IMAGES, marker="o", markersize=6)


def _legend(axes: Axes, units: str) -> None:
    handles = [
        Line2D([], [], color=_IMAGES, linewidth=4, label="interval for these images"),
        Line2D([], [], color=_CLASSES, linewidth=1.4, label=f"interval for new {units}"),
    ]
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
