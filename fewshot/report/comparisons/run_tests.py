"""The tests of all pairs among the runs of a task: paired where predictions are stored, else from the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from fewshot.plugins.short_name import one_line
from fewshot.report.comparisons.pairing import Contest
from fewshot.report.comparisons.solved import Solved, class_units, pools_of
from fewshot.report.rows.dependence import draws_depend
from fewshot.report.rows.intervals import KINDS, Bounds
from fewshot.report.rows.selection_budgets import is_oracle
from fewshot.report.rows.tasks import accuracy, interval
from fewshot.results.predictions import Predictions
from fewshot.results.row import Row
from fewshot.statistics.best_runs import MOST_PAIRED, PairTests, pair_tests, pool_tests, rivals_of, unpaired_tests
from fewshot.statistics.class_intervals import class_interval
from fewshot.statistics.comparison import Comparison, compare
from fewshot.statistics.interval import DIFFERENCE, NEW_IMAGES, THESE_IMAGES, Floats, Interval, Ints
from fewshot.statistics.intervals import pool_interval
from fewshot.statistics.units import Units

_UNPAIRED = "compared without pairing"
_LONGEST = 300  # characters of an error, which may quote a stranger's row


@dataclass(frozen=True, eq=False)
class RunTests:
    """R runs: every run minus every one of A rivals [R, A], and what single comparisons need."""

    rows: tuple[Row, ...]
    rivals: Ints  # [A] their places among the runs: all runs, or the best of very many
    means: Floats
    p_values: Floats  # for the population; NaN where there is no test
    population: str
    reason: str  # why the population is not that of new classes; "" if it is
    few: str  # the number of classes, such as "12 classes", if that is the reason; "" otherwise
    reasons: tuple[str, ...]  # what cannot be known of each run
    accuracies: tuple[Floats | None, ...]  # of each episode of each run; None without predictions
    units: Units | None  # of the longest run
    pools: Ints | None  # of the images of each episode of the longest run, if they are disjoint
    intervals: tuple[Bounds | None, ...]  # of the accuracy of each run, for the population
    _compared: dict[tuple[int, int], Comparison | None] = field(default_factory=dict)  # known comparisons

    def compare(self, run: int, other: int) -> Comparison | None:
        """The paired comparison of two runs on the episodes that both solved; None if there is none."""
        if (run, other) not in self._compared:
            self._compared[run, other] = self._compare(run, other)
        return self._compared[run, other]

    def _compare(self, run: int, other: int) -> Comparison | None:
        a, b = self.accuracies[run], self.accuracies[other]
        if (
            draws_depend(self.rows[run])
            or a is None
            or b is None
            or self.units is None
            or (count := min(len(a), len(b))) < 2
        ):
            return None
        return compare(a[:count], b[:count], self.units.first(count))

    def difference(self, run: int, other: int) -> Interval | None:
        """The paired difference of two runs with its interval for the population; None if there is none."""
        compared, a, b = self.compare(run, other), self.accuracies[run], self.accuracies[other]
        if compared is None or a is None or b is None:
            return None
        if self.population == NEW_IMAGES and self.pools is not None:
            count = min(len(a), len(b))
            return pool_interval(a[:count] - b[:count], self.pools[:count]).inside(DIFFERENCE)
        return compared.these_images if self.population == THESE_IMAGES else compared.new_classes


def run_tests(rows: Sequence[Row], predictions: Callable[[Row], Iterator[Predictions]] | None) -> RunTests:
    """The tests among the rows of one task. Missing or damaged predictions become a reason, never an error."""
    solved, reasons = _read(rows, predictions)
    rivals, there = _rivals(rows), [one for one in solved if one is not None]
    tests = PairTests.none(len(rows), len(rivals)) if len(there) == len(rows) else _unpaired(rows, rivals)
    longest = max(there, key=lambda one: len(one.accuracy), default=None)
    units = None if longest is None else class_units(longest, rows[0].n_classes)
    accuracies = tuple(None if one is None else one.accuracy for one in solved)
    pools = None if longest is None else pools_of(rows, longest)
    if units is not None:
        runs = np.array([run for run, values in enumerate(accuracies) if values is not None])
        known = np.flatnonzero(np.isin(rivals, runs))
        paired = pair_tests([one.accuracy for one in there], units, np.searchsorted(runs, rivals[known]))
        tests.replace(runs, known, paired, np.full(paired.means.shape, True))
    return _for_population(tests, rows, rivals, accuracies, units, reasons, pools)


def paired_tests(contest: Contest) -> RunTests:
    """The tests among runs that were read already."""
    runs, rivals = range(len(contest.rows)), _rivals(contest.rows)
    tests = pair_tests(contest.accuracy, contest.units, rivals)
    whole = _for_population(
        tests, contest.rows, rivals, contest.accuracy, contest.units, [""] * len(runs), contest.pools
    )
    if whole.reason:
        return whole
    of_units = [contest.interval(run) for run in runs]
    return replace(whole, intervals=tuple((one.low, one.high) if one.low < one.high else None for one in of_units))


def _for_population(
    tests: PairTests,
    rows: Sequence[Row],
    rivals: Ints,
    accuracies: tuple[Floats | None, ...],
    units: Units | None,
    reasons: Sequence[str],
    pools: Ints | None,
) -> RunTests:
    """The tests for new classes if there are any and the classes are enough; else for new images, if the episodes of
    all runs have disjoint pools of them; else those for these images."""
    if any(map(draws_depend, rows)):  # the spread of such draws is no error
        tests = PairTests(tests.means, *(np.full_like(tests.means, np.nan) for _ in range(2)))
    known = bool(np.isfinite(tests.p_classes).any())
    of = _units(rows, units)
    why = of.too_few if known else _why_not(rows, accuracies, units)
    few = of.counted if why and of.too_few and (known or not of.are_enough) else ""
    p_values, population, bounds = tests.p_classes, f"new {units.name if units else 'classes'}", KINDS[1].bounds
    if why or not known:
        p_values, population, bounds = tests.p_images, THESE_IMAGES, interval
        there = [values for values in accuracies if values is not None]
        of_pools = pool_tests(there, pools, rivals) if pools is not None and len(there) == len(rows) else p_values
        if of_pools is not p_values and np.isfinite(of_pools).all():
            p_values, population, bounds = of_pools, NEW_IMAGES, KINDS[0].bounds
    each = tuple(bounds(row) for row in rows)
    return RunTests(
        tuple(rows),
        rivals,
        tests.means,
        p_values,
        population,
        why,
        few,
        tuple(reasons),
        accuracies,
        units,
        pools,
        each,
    )


def _units(rows: Sequence[Row], units: Units | None) -> Units:
    """The units; without predictions their number alone."""
    held = np.empty(0, np.int64)
    return Units(held, held, rows[0].n_classes) if units is None else units


def _read(
    rows: Sequence[Row], predictions: Callable[[Row], Iterator[Predictions]] | None
) -> tuple[list[Solved | None], list[str]]:
    """The predictions of each run, and why some are not used. Runs whose episodes differ from those of the first run
    (another release made them) are not paired."""
    if predictions is None or len(rows) < 2:
        return [None] * len(rows), [f"without its predictions, {_UNPAIRED}" if len(rows) > 1 else ""] * len(rows)
    common, solved, reasons = min(row.n_episodes for row in rows), list[Solved | None](), list[str]()
    digest = ""
    for row in rows:
        try:
            one = Solved.read(predictions(row), common)
        except Exception as error:  # predictions of strangers may be damaged in any way
            solved.append(None)
            reasons.append(f"{_UNPAIRED}: {one_line(str(error), _LONGEST) or type(error).__name__}")
            continue
        digest = digest or one.digest
        same = one.digest == digest
        solved.append(one if same else None)
        reasons.append("" if same else f"{_UNPAIRED}: another release made its episodes; run it again")
    return solved, reasons


def _rivals(rows: Sequence[Row]) -> Ints:
    """The places of the runs that every run is tested against. Oracles, which do not compete, are none of them."""
    fair = np.flatnonzero([not is_oracle(row) for row in rows])
    fair = fair if len(fair) else np.arange(len(rows))
    if len(rows) <= MOST_PAIRED:
        return np.arange(len(rows))
    accuracies = np.array([accuracy(rows[run]) for run in fair.tolist()])
    return np.asarray(fair[rivals_of(accuracies, np.array([rows[run].n_episodes for run in fair.tolist()]))])


def _unpaired(rows: Sequence[Row], rivals: Ints) -> PairTests:
    """The tests from the intervals in the rows; those for these images only where none for new classes replaces them,
    because a thousand runs have a million pairs."""
    accuracies = np.array([accuracy(row) for row in rows])
    means, p_classes = unpaired_tests(accuracies, *_errors(rows, KINDS[1].bounds, "n_classes"), rivals=rivals)
    if np.isfinite(p_classes).any() and not _units(rows, None).too_few:
        return PairTests(means, np.full_like(means, np.nan), p_classes)
    of_images = unpaired_tests(accuracies, *_errors(rows, interval, "n_episodes"), rivals=rivals)[1]
    return PairTests(means, of_images, p_classes)


def _errors(rows: Sequence[Row], bounds: Callable[[Row], Bounds | None], freedom: str) -> tuple[Floats, Floats]:
    """[R] half of each interval, NaN without one, and its degrees of freedom."""
    halves = [(high - low) / 2 if (of := bounds(row)) and (low := of[0]) <= (high := of[1]) else np.nan for row in rows]
    return np.array(halves), np.array([max(1, getattr(row, freedom) - 1) for row in rows], dtype=np.float64)


def _why_not(rows: Sequence[Row], accuracies: Sequence[Floats | None], units: Units | None) -> str:
    """Why no pair has a test for new classes, as rows store it."""
    values = next((values for values in accuracies if values is not None), None)
    if units is None or values is None:
        return next((row.new_classes_reason for row in rows if row.new_classes_reason), "")
    return class_interval(values, units.first(len(values))).reason
