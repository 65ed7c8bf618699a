"""The same two contenders on several data sets: the mean difference, for these sets and for new ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from fewshot.report.comparisons.run_pair import RunPair
from fewshot.report.rows.reasons import FEWEST_SETS
from fewshot.results.row import Row
from fewshot.statistics.comparison import over_sets
from fewshot.statistics.interval import Interval
from fewshot.statistics.units import few_units

_CONTENDER = ("backbone", "dtype", "transform", "evaluator", "selection_rule")
_TASK = ("sampler", "classes", "n_way", "k_shot", "k_shot_at_most", "seed")


@dataclass(frozen=True, eq=False)
class OverSets:
    """A minus B, one pair per data set; its rows are those of the first pair."""

    pairs: tuple[RunPair, ...]
    these_sets: Interval
    new_sets: Interval
    of_classes: bool  # whether the errors are for new classes on every set; if not, they are for these images

    @property
    def shown_new_sets(self) -> Interval:
        """The interval for new sets; without bounds for fewer than five sets, whose bounds say nothing."""
        n_sets, known = len(self.pairs), self.new_sets
        if known.reason or n_sets >= FEWEST_SETS:
            return known
        return Interval.unknown(known.mean, known.population, known.level, few_units(n_sets, "data sets"))

    @property
    def a(self) -> Row:
        """A run of A."""
        return self.pairs[0].a

    @property
    def b(self) -> Row:
        """A run of B."""
        return self.pairs[0].b


def over_data_sets(pairs: Iterable[RunPair]) -> list[OverSets]:
    """Summaries of pairs that were compared on two data sets or more, the better contender first.

    Pairs belong together if both contenders, ways, shots, sampler and seed are the same. The number of queries may
    differ: it does not change the expected accuracy, unless a method sees all queries at once.
    """
    groups: dict[tuple[object, ...], dict[str, RunPair]] = {}
    for pair in pairs:
        ordered = pair if _contender(pair.a) <= _contender(pair.b) else pair.turned()
        groups.setdefault(_key(ordered), {}).setdefault(ordered.a.dataset, ordered)  # the first of each data set
    return [_over(list(group.values())) for group in groups.values() if len(group) > 1]


def _over(pairs: list[RunPair]) -> OverSets:
    if sum(pair.comparison.these_images.mean for pair in pairs) < 0:
        pairs = [pair.turned() for pair in pairs]
    of_classes = not any(pair.comparison.new_classes.reason for pair in pairs)
    intervals = [pair.comparison.new_classes if of_classes else pair.comparison.these_images for pair in pairs]
    means, errors = (
        np.array([getattr(interval, name) for interval in intervals]) for name in ("mean", "standard_error")
    )
    return OverSets(tuple(pairs), *over_sets(means, errors), of_classes)


def _contender(row: Row) -> tuple[str, ...]:
    return tuple(str(getattr(row, name)) for name in _CONTENDER)


def _key(pair: RunPair) -> tuple[object, ...]:
    queries = pair.a.n_query if pair.a.transductive or pair.b.transductive else None
    return *_contender(pair.a), *_contender(pair.b), *(getattr(pair.a, name) for name in _TASK), queries
