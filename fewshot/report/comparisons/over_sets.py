"""The same two contenders on several data sets: the mean difference, for these sets and for new ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from fewshot.report.comparisons.pairing import RunPair
from fewshot.results.row import Row
from fewshot.statistics.comparison import over_sets
from fewshot.statistics.intervals import Interval

_CONTENDER = ("backbone", "dtype", "transform", "evaluator", "selection_rule")
_TASK = ("sampler", "classes", "n_way", "k_shot", "k_shot_at_most", "seed")


@dataclass(frozen=True, eq=False)
class OverSets:
    """A minus B, a pair a data set; its rows are those of the first."""

    pairs: tuple[RunPair, ...]
    these_sets: Interval
    new_sets: Interval
    of_classes: bool  # whether the errors are those of new classes on every set, or of these images on some

    @property
    def a(self) -> Row:
        """A run of A."""
        return self.pairs[0].a

    @property
    def b(self) -> Row:
        """A run of B."""
        return self.pairs[0].b


def over_data_sets(pairs: Iterable[RunPair]) -> list[OverSets]:
    """What the pairs of two data sets or more say together, the larger mean first; none where all are of one.

    Pairs belong together where both contenders, ways, shots, sampler and seed are the same. The number of queries may
    differ: it changes no expected accuracy, unless a method sees all queries at once.
    """
    groups: dict[tuple[object, ...], dict[str, RunPair]] = {}
    for pair in pairs:
        ordered = pair if _contender(pair.a) <= _contender(pair.b) else pair.turned()
        groups.setdefault(_key(ordered), {}).setdefault(ordered.a.dataset, ordered)  # of each data set the first
    return [_over(list(group.values())) for group in groups.values() if len(group) > 1]


def _over(pairs: list[RunPair]) -> OverSets:
    if sum(pair.comparison.these_images.mean for pair in pairs) < 0:
        pairs = [pair.turned() for pair in pairs]
    of_classes = not any(pair.comparison.new_classes.reason for pair in pairs)
    told = [pair.comparison.new_classes if of_classes else pair.comparison.these_images for pair in pairs]
    means, errors = (np.array([getattr(one, name) for one in told]) for name in ("mean", "standard_error"))
    return OverSets(tuple(pairs), *over_sets(means, errors), of_classes)


def _contender(row: Row) -> tuple[str, ...]:
    return tuple(str(getattr(row, name)) for name in _CONTENDER)


def _key(pair: RunPair) -> tuple[object, ...]:
    queries = pair.a.n_query if pair.a.transductive or pair.b.transductive else None
    return *_contender(pair.a), *_contender(pair.b), *(getattr(pair.a, name) for name in _TASK), queries
