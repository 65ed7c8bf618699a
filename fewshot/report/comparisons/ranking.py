"""Rankings: the runs of a task from best to worst, with the group that no other run beats.

The group is a 95 % confidence set for the truly best run: statistics/best_runs.py says how, and why the winner's luck
is accounted for. Its tests are paired, on the episodes that two runs both solved, for new classes where the design
allows it and the classes are enough, else for new images of these classes if the episodes have disjoint pools of them,
else for these images. Runs without stored predictions are compared without pairing, from the intervals of
their rows, which separates less. Runs that chose hyperparameters on the test labels (oracles) are never in the group.

A ranking reads the predictions of each run once and keeps one accuracy per episode; 160 runs take seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fewshot.plugins.wording import listed
from fewshot.report.comparisons import ranking_words as words
from fewshot.report.comparisons.pairing import Contest
from fewshot.report.comparisons.run_tests import RunTests, paired_tests, run_tests
from fewshot.report.comparisons.standing import Standing
from fewshot.report.comparisons.suspicions import suspicions
from fewshot.report.comparisons.unique_names import UniqueNames
from fewshot.report.rows.intervals import of_images
from fewshot.report.rows.reasons import in_words
from fewshot.report.rows.selection_budgets import is_oracle
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import accuracy, measured
from fewshot.results.comparability import task_choices
from fewshot.results.predictions import Predictions
from fewshot.results.row import Row
from fewshot.statistics.best_runs import MOST_PAIRED, may_be_best
from fewshot.statistics.interval import Interval

__all__ = ["Ranking", "Standing", "ranking", "ranking_of", "rankings"]

LEVEL = 0.95
PredictionsOf = Callable[[Row], Iterator[Predictions]]  # raises a ValueError where none are stored
ORACLE = "an oracle: it chose hyperparameters on the test labels"


@dataclass(frozen=True)
class Ranking:
    """The runs of one task, best first."""

    task: str  # what they share: data, ways, shots, queries, and the backbone or evaluator
    standings: tuple[Standing, ...]
    population: str  # for which the group holds: "new classes", "new images of these classes" or "these images"
    verdict: str  # one sentence
    caveats: tuple[str, ...]  # one sentence each; the suspicions are the first of them
    suspicions: tuple[str, ...] = ()  # what looks like a fault
    few: bool = False  # the classes are too few for new ones, which the verdict says
    tests: RunTests | None = None  # of all pairs; None for a ranking by a mean over data sets
    untested: str = ""  # why no two runs have a test, so that none is known to be the best; "" if some have one
    of_accuracies: str = ""  # the population of the intervals of the accuracies, where it may be another one

    @property
    def best(self) -> Standing:
        """The most accurate run."""
        return self.standings[0]

    @property
    def group(self) -> tuple[Standing, ...]:
        """The runs that no other run beats."""
        return tuple(standing for standing in self.standings if standing.leads)


def rankings(rows: Sequence[Row], predictions: PredictionsOf | None = None) -> list[Ranking]:
    """A ranking for every task and number of shots among the measured rows, in order of appearance. `predictions`:
    reads those of a row, such as `Results.predictions`; None: all runs are compared without pairing."""
    return rankings_of(Shown.of(rows), predictions)


def rankings_of(shown: Shown, predictions: PredictionsOf | None = None) -> list[Ranking]:
    """The same of rows whose tasks and names are there already."""
    names, groups = UniqueNames.of(shown), dict[tuple[object, ...], list[Row]]()
    for row in filter(measured, shown.rows):
        groups.setdefault(task_choices(row), []).append(row)
    return [_ranking(group, run_tests(group, predictions), names) for group in groups.values()]


def ranking_of(rows: Sequence[Row], predictions: PredictionsOf | None = None) -> Ranking:
    """The ranking of measured rows that share whatever makes them comparable; the caller grouped them."""
    return _ranking(rows, run_tests(rows, predictions), UniqueNames.of(Shown.of(rows)))


def ranking(contest: Contest, names: UniqueNames) -> Ranking:
    """The ranking of runs whose predictions were read already."""
    return _ranking(contest.rows, paired_tests(contest), names)


def _ranking(rows: Sequence[Row], tests: RunTests, names: UniqueNames) -> Ranking:
    fair = np.array([not is_oracle(row) for row in rows]) | all(map(is_oracle, rows))
    p_values = np.full(len(rows), np.nan)
    block = np.ix_(fair, fair[tests.rivals])
    p_values[fair] = may_be_best(tests.means[block], tests.p_values[block])
    leads = fair & ~(p_values < 1 - LEVEL)
    untested = _why_untested(rows, tests, fair)
    alone = [""] * len(rows) if untested else _without_test(rows, tests, fair)
    without = np.array([bool(untested or why) for why in alone])
    p_values[without], leads[without] = np.nan, False
    order = _order(rows, tests, leads if leads.any() else fair, alone)
    standings = tuple(
        replace(
            _standing(rows[run], names, tests, run, order[0], float(p_values[run]), bool(leads[run]), bool(fair[run])),
            untested=alone[run],
        )
        for run in order
    )
    faults = suspicions(rows, names.run, partial(_minus, tests))
    return Ranking(
        names.task(rows[0]),
        standings,
        tests.population,
        words.verdict(standings, tests.population, tests.reason, tests.few, untested),
        (*faults, *words.caveats(standings, tests.reason, tests.few, untested), *_not_all_pairs(tests)),
        faults,
        bool(tests.few),
        tests,
        untested,
    )


def _why_untested(rows: Sequence[Row], tests: RunTests, fair: NDArray[np.bool_]) -> str:
    """Why no two of the runs that compete have a test, in words; "" if some have one, and for a single run."""
    pairs = _pairs(tests, fair)
    if not pairs.any() or np.isfinite(tests.p_values[pairs]).any():
        return ""
    reasons = dict.fromkeys(in_words(reason) for row in rows if (reason := of_images(row)))
    if all(row.n_episodes == 1 for row in rows):
        return "there is one episode"
    return listed(list(reasons)) or "the runs have no intervals"


def _without_test(rows: Sequence[Row], tests: RunTests, fair: NDArray[np.bool_]) -> list[str]:
    """Why a run has no test against any other that competes, in words; "" for runs that have one, and for oracles."""
    pairs = _pairs(tests, fair)
    tested = np.asarray((pairs & np.isfinite(tests.p_values)).any(1)) | ~np.asarray(pairs.any(1))
    without = f"it has no interval for {tests.population}"
    return [
        "" if known else "it has one episode" if row.n_episodes == 1 else without
        for row, known in zip(rows, tested.tolist(), strict=True)
    ]


def _pairs(tests: RunTests, fair: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """[R, A] which runs and rivals are two that compete."""
    others: NDArray[np.bool_] = tests.rivals != np.arange(len(fair))[:, None]
    return others & fair[:, None] & fair[tests.rivals]


def _minus(tests: RunTests, run: int, other: int) -> Interval | None:
    """The paired difference of two runs for these images; None if there is none."""
    compared = tests.compare(run, other)
    return None if compared is None else compared.these_images


def _not_all_pairs(tests: RunTests) -> list[str]:
    """That very many runs are not all tested against each other."""
    n_runs, n_rivals = tests.means.shape
    if n_rivals == n_runs or n_runs <= MOST_PAIRED:
        return []
    return [
        f"Each of the {n_runs:,} runs was tested against the best {n_rivals:,} alone, so the group may hold more runs "
        "than tests of all pairs would leave in it."
    ]


def _order(rows: Sequence[Row], tests: RunTests, leads: NDArray[np.bool_], alone: Sequence[str]) -> list[int]:
    """The runs, best first. The best is the most accurate of those in the group that have the most episodes; the others
    follow by their difference to it on common episodes, which is no luck of a few easy episodes. Runs without a test
    (`alone`) come last."""
    leading = [run for run in tests.rivals.tolist() if leads[run]] or tests.rivals.tolist()
    best = max(leading, key=lambda run: (rows[run].n_episodes, accuracy(rows[run])))
    behind = tests.means[:, tests.rivals.tolist().index(best)].copy()
    for run, row in enumerate(rows):
        if row.n_episodes < 2:  # its one episode is no measure of the difference
            behind[run] = accuracy(row) - accuracy(rows[best])
    others = (run for run in range(len(rows)) if run != best)
    return [best, *sorted(others, key=lambda run: (bool(alone[run]), -behind[run]))]


def _standing(
    row: Row, names: UniqueNames, tests: RunTests, run: int, best: int, p_value: float, leads: bool, fair: bool
) -> Standing:
    compared = None if run == best else tests.compare(run, best)
    reason = tests.reasons[run] if fair else ORACLE
    return Standing(
        row,
        names.parts(row),
        accuracy(row),
        tests.intervals[run],
        compared.these_images if compared else None,
        compared.new_classes if compared else None,
        None if run == best else tests.difference(run, best),
        p_value,
        leads,
        reason,
    )
