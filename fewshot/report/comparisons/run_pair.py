"""Two runs that solved the same episodes, with the test of their difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fewshot.results.row import Row
from fewshot.statistics.best_runs import pool_tests
from fewshot.statistics.comparison import Comparison, Needed, holm, needed
from fewshot.statistics.interval import DIFFERENCE, NEW_IMAGES, Floats, Interval, Ints
from fewshot.statistics.intervals import pool_interval
from fewshot.statistics.units import Units


@dataclass(frozen=True, eq=False)
class RunPair:
    """Two runs on the same E episodes."""

    a: Row
    b: Row
    accuracy_a: Floats  # [E]
    accuracy_b: Floats  # [E]
    units: Units
    comparison: Comparison
    pools: Ints | None = None  # [E] of the images, if they are disjoint

    @property
    def equal(self) -> bool:
        """Whether both runs have the same accuracy in every episode."""
        return bool((self.accuracy_a == self.accuracy_b).all())

    @property
    def few(self) -> str:
        """Why an interval for new classes is there but a ranking is not for them: too few classes; "" otherwise."""
        return "" if self.comparison.new_classes.reason else self.units.too_few

    @property
    def of_classes(self) -> bool:
        """Whether a ranking is for new classes: there is an interval for them, and they are enough."""
        return not self.few and not self.comparison.new_classes.reason

    @property
    def population(self) -> str:
        """What a ranking of these runs is for."""
        return f"new {self.units.name}" if self.of_classes else self.shown.population

    @property
    def shown(self) -> Interval:
        """The difference with its interval for the population of a ranking."""
        if self.of_classes:
            return self.comparison.new_classes
        if self.pools is None:
            return self.comparison.these_images
        of_pools = pool_interval(self.accuracy_a - self.accuracy_b, self.pools).inside(DIFFERENCE)
        return self.comparison.these_images if of_pools.reason else of_pools

    @property
    def p_value(self) -> float:
        """The p-value of "no difference" for this population."""
        if self.of_classes:
            return self.comparison.p_classes
        if self.shown.population == NEW_IMAGES and self.pools is not None:
            return float(pool_tests([self.accuracy_a, self.accuracy_b], self.pools)[0, 1])
        return self.comparison.p_images

    def turned(self) -> RunPair:
        """B minus A."""
        return RunPair(
            self.b, self.a, self.accuracy_b, self.accuracy_a, self.units, self.comparison.turned(), self.pools
        )

    def needed(self, delta: float) -> Needed:
        """The episodes and classes that detect a difference of `delta`."""
        return needed(self.accuracy_a - self.accuracy_b, self.units, delta)


def adjusted(pairs: Sequence[RunPair]) -> Floats:
    """Holm-adjusted p-values of all pairs that are shown together; NaN without a test."""
    p = np.array([pair.p_value for pair in pairs])
    tested = np.isfinite(p)
    result = np.full(len(p), np.nan)
    result[tested] = holm(p[tested])
    return result
