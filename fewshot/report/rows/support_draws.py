"""The accuracy of each draw of a support, for runs that answer whole test sets: the median, and all draws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fewshot.report.rows.dependence import draws_depend
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import Task, measured, shot_label
from fewshot.results.row import Row
from fewshot.statistics.intervals import median_range

DRAWS = ("backbone", "evaluator", "shots", "median (range)", "each draw")


@dataclass(frozen=True)
class Draws:
    """The accuracies of R draws of a support, in %."""

    values: tuple[float, ...]
    depend: bool = False  # whether each draw fixes the next

    @staticmethod
    def of(row: Row) -> Draws | None:
        """The draws of a row; None if it has fewer than two, or if its text is not a list of numbers."""
        values = _values(row.draws)
        return Draws(values, draws_depend(row)) if len(values) > 1 else None

    @property
    def median(self) -> str:
        """The median with the range: "29.6 (26.2 to 31.7)"."""
        median, low, high, _ = median_range(np.array(self.values))
        return f"{median:.1f} ({low:.1f} to {high:.1f})"

    @property
    def points(self) -> str:
        """All draws, in order."""
        return ", ".join(f"{value:.1f}" for value in self.values)

    @property
    def coverage(self) -> str:
        """The probability that the range covers the median of all draws, as a sentence."""
        if self.depend:
            return f"The {len(self.values)} draws depend on each other, so their range has no known confidence."
        share = 100 * median_range(np.array(self.values))[3]
        return f"The range of {len(self.values)} draws covers the median of all draws with {share:.4g} % confidence."


@dataclass(frozen=True)
class DrawsLine:
    """The draws of one run: their median with the range, and all of them, in %."""

    backbone: str
    learner: str
    shot: str
    median: str
    points: str


def draws_lines(task: Task, shown: Shown) -> tuple[tuple[DrawsLine, ...], str]:
    """The draws of all runs that list any, and the caption."""
    rows = filter(measured, task.grouped)
    pairs = [(row, draws) for row in rows if (draws := Draws.of(row)) is not None]
    lines = tuple(DrawsLine(*shown.name(row), shot_label(row), d.median, d.points) for row, d in pairs)
    coverage = dict.fromkeys(draws.coverage for _, draws in pairs)
    return lines, " ".join(["Accuracy in % of each draw of a support.", *coverage]) if pairs else ""


def unreadable(rows: Sequence[Row]) -> list[str]:
    """A sentence for rows whose text of draws is not a list of numbers; none if all texts can be read."""
    damaged = [row.run_id for row in rows if row.draws.strip() and not _values(row.draws)]
    if not damaged:
        return []
    more = f" and {len(damaged) - 1:,} more" if len(damaged) > 1 else ""
    whose = f"run {damaged[0]}{more}"
    return [f"Draws are not shown for {whose}: the column 'draws' is not a list of numbers."]


def _values(text: str) -> tuple[float, ...]:
    """The numbers of the column `draws`, in %; none if one of them is not a finite number."""
    try:
        values = tuple(100 * float(value) for value in text.split())
    except ValueError:
        return ()
    return values if all(map(math.isfinite, values)) else ()
