"""Rows as figures of matplotlib: accuracies with intervals, over shots or one line per run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any

from matplotlib.figure import Figure

from fewshot.notebooks.frames import names
from fewshot.report.rows.shown import Shown
from fewshot.results.row import Row

_MOST_LINES = 40  # of a figure
_INCH_PER_LINE, _WIDTH = 0.3, 7.0


class Plot(Figure):
    """A figure of matplotlib that notebooks show."""

    def _repr_png_(self) -> bytes:
        file = BytesIO()
        self.savefig(file, format="png", dpi=100, bbox_inches="tight")
        return file.getvalue()

    def __repr__(self) -> str:
        return f"Plot({self.get_figwidth():.0f} x {self.get_figheight():.0f} inches; .savefig('plot.png') writes it)"


def plot(rows: Sequence[Row]) -> Plot:
    """Accuracies over shots if there are several numbers of them, else one line per run."""
    shots = {row.k_shot for row in rows if row.accuracy is not None and row.k_shot}
    return shots_plot(rows) if len(shots) > 1 else _dots(rows)


def shots_plot(rows: Iterable[Row]) -> Plot:
    """Curves of accuracies over shots."""
    done = [row for row in rows if row.accuracy is not None and row.k_shot]
    if not done:
        raise ValueError("there is no row with a number of shots; run evaluate(..., shots=(1, 5, 10)) first")
    curves: dict[str, list[Row]] = {}
    for name, row in zip(_names(done), done, strict=True):
        curves.setdefault(name, []).append(row)
    figure = Plot(figsize=(_WIDTH, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, several in list(curves.items())[:_MOST_LINES]:
        points = sorted(several, key=lambda row: row.k_shot or 0)
        values = [100 * (row.accuracy or 0) for row in points]
        axes.errorbar([row.k_shot or 0 for row in points], values, _bars(points), marker="o", capsize=3, label=name)
    shots = sorted({row.k_shot or 0 for row in done})
    axes.set_xscale("log")
    axes.set_xticks(shots, [str(shot) for shot in shots])
    axes.minorticks_off()
    axes.set_xlabel("support images per class")
    axes.set_ylabel("accuracy in %")
    axes.legend(fontsize="small")
    axes.grid(alpha=0.3)
    return figure


def _dots(rows: Sequence[Row]) -> Plot:
    """One line per run, the best first."""
    done = sorted((row for row in rows if row.accuracy is not None), key=lambda row: -(row.accuracy or 0))[:_MOST_LINES]
    if not done:
        raise ValueError("there is no row with an accuracy to plot")
    figure = Plot(figsize=(_WIDTH, 1.2 + _INCH_PER_LINE * len(done)), layout="constrained")
    axes = figure.subplots()
    places = list(range(len(done)))
    axes.errorbar([100 * (row.accuracy or 0) for row in done], places, xerr=_bars(done), fmt="o", capsize=3)
    axes.set_yticks(places, _names(done))
    axes.invert_yaxis()
    axes.set_xlabel("accuracy in %")
    axes.grid(axis="x", alpha=0.3)
    return figure


def _names(rows: Sequence[Row]) -> list[str]:
    """The names of rows by what differs among them; matplotlib reads no formula in them."""
    shown = Shown.of(rows)
    parts = [names(row, shown) for row in rows]
    differ = [len(set(column)) > 1 for column in zip(*parts, strict=True)]
    kept = [[part for part, shows in zip(each, differ, strict=True) if shows] or list(each) for each in parts]
    return [", ".join(each).replace("$", r"\$") for each in kept]


def _bars(rows: Sequence[Row]) -> Any:
    """[2, n] the parts of the intervals below and above the accuracies, in %; 0 where there is none."""
    low, high = [], []
    for row in rows:
        value = row.accuracy or 0
        low.append(max(0.0, 100 * (value - (value if row.accuracy_low is None else row.accuracy_low))))
        high.append(max(0.0, 100 * ((value if row.accuracy_high is None else row.accuracy_high) - value)))
    return [low, high]
