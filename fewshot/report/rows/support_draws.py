"""The accuracies after each draw of a support, of runs that answer a test set as a whole: the median, and every one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import Task, measured, shot_label
from fewshot.results.row import Row
from fewshot.statistics.intervals import median_range

DRAWS = ("backbone", "evaluator", "shots", "median (range)", "each draw")


@dataclass(frozen=True)
class Draws:
    """The accuracies after each of R draws of a support, in percent."""

    values: tuple[float, ...]

    @staticmethod
    def of(row: Row) -> Draws | None:
        """Those of a row; None where it lists none, or what it lists are no numbers."""
        try:
            values = tuple(100 * float(value) for value in row.draws.split())
        except ValueError:
            return None
        return Draws(values) if len(values) > 1 and all(map(math.isfinite, values)) else None

    @property
    def median(self) -> str:
        """The median with the range: "29.6 (26.2 to 31.7)"."""
        median, low, high, _ = median_range(np.array(self.values))
        return f"{median:.1f} ({low:.1f} to {high:.1f})"

    @property
    def points(self) -> str:
        """Every draw, in order."""
        return ", ".join(f"{value:.1f}" for value in self.values)

    @property
    def coverage(self) -> str:
        """How sure the range holds the median of all draws."""
        share = 100 * median_range(np.array(self.values))[3]
        return f"the range of {len(self.values)} draws holds the median of all draws with {share:.4g} % confidence"


@dataclass(frozen=True)
class DrawsLine:
    """The draws of a support of one run: their median with its range, and every one, in percent."""

    backbone: str
    learner: str
    shot: str
    median: str
    points: str


def draws_lines(task: Task, shown: Shown) -> tuple[tuple[DrawsLine, ...], str]:
    """The draws of all runs that list any, and what their ranges are."""
    rows = filter(measured, task.grouped)
    found = [(row, draws) for row in rows if (draws := Draws.of(row)) is not None]
    lines = tuple(DrawsLine(*shown.name(row), shot_label(row), d.median, d.points) for row, d in found)
    coverage = "; ".join(dict.fromkeys(draws.coverage for _, draws in found))
    return lines, f"Accuracy in percent after each draw of a support; {coverage}." if found else ""
