"""The standing of a run in a ranking."""

from __future__ import annotations

from dataclasses import dataclass

from fewshot.report.rows.intervals import Bounds
from fewshot.results.row import Row
from fewshot.statistics.interval import Interval


@dataclass(frozen=True)
class Standing:
    """A run in a ranking. Accuracies and differences are fractions."""

    row: Row
    parts: tuple[str, ...]  # the backbone, the evaluator or both: what differs among the runs
    accuracy: float
    interval: Bounds | None  # of the accuracy, for the population of the ranking, or its `of_accuracies`
    images: Interval | None  # this run minus the best, for these images; None for the best, and without predictions
    classes: Interval | None  # the same for new classes
    difference: Interval | None  # the same for the population of the ranking
    p_adjusted: float  # of "this run is the best", after correction for its comparisons with all others
    leads: bool  # in the group that no other run beats
    reason: str = ""  # what cannot be known of this run, and why
    untested: str = ""  # why it has no test, where others have one; it is then not in the group

    @property
    def name(self) -> str:
        """A short name, different for all runs of the ranking."""
        return ", ".join(self.parts)
