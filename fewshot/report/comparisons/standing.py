"""The standing of a run in a ranking."""

from __future__ import annotations

from dataclasses import dataclass

from fewshot.report.rows.intervals import Bounds
from fewshot.results.row import Row
from fewshot.statistics.intervals import Interval


@dataclass(frozen=True)
class Standing:
    """A run in a ranking. Accuracies and differences are fractions."""

    row: Row
    name: str  # unique among all runs of the rankings
    accuracy: float
    interval: Bounds | None  # of the accuracy, for the population of the ranking
    images: Interval | None  # this run minus the best, for these images; None for the best, and without predictions
    classes: Interval | None  # the same for new classes
    p_adjusted: float  # of "this run is the best", after correction for its comparisons with all others
    leads: bool  # in the group that no other run beats
    reason: str = ""  # what cannot be known of this run, and why

    @property
    def difference(self) -> Interval | None:
        """This run minus the best: for new classes if there is an interval, else for these images."""
        return self.images if self.classes is None or self.classes.reason else self.classes
