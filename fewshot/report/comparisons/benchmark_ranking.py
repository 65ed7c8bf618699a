"""The ranking of a benchmark of the field by its mean over data sets.

Contenders stand in one ranking if they solved the same tasks on the same sets: the ranking of the benchmark holds those
that have all of its sets, and others are ranked apart, under the sets that they have.

The difference of two contenders is the mean of their differences on each set. If every set has two or more independent
episodes that both solved, its error comes from these paired episodes, and the ranking is for other episodes of these
sets. If not (one draw per set, draws that depend on each other, medians, no predictions), the sets themselves are the
sample: t over their differences, for other sets of this kind, if they are five or more; fewer are not tested. The group
of the best is that of every ranking (statistics/best_runs.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.wording import agreeing, counted, listed
from fewshot.protocols import Benchmark
from fewshot.protocols._heads import OTHER_HEAD
from fewshot.report.comparisons import ranking_words as words
from fewshot.report.comparisons.ranking import LEVEL, ORACLE, PredictionsOf, Ranking, rankings_of
from fewshot.report.comparisons.standing import Standing
from fewshot.report.rows.benchmark_means import MOST_NAMES, Average, SetRuns, set_runs
from fewshot.report.rows.contenders import Name, Names
from fewshot.report.rows.dependence import draws_depend
from fewshot.report.rows.errors import TestImages, n_test_images
from fewshot.report.rows.reasons import FEWEST_SETS
from fewshot.report.rows.selection_budgets import is_oracle
from fewshot.report.rows.shown import Shown
from fewshot.results.comparability import task_choices
from fewshot.results.row import Row
from fewshot.results.short_names import ShortNames
from fewshot.statistics.best_runs import may_be_best
from fewshot.statistics.interval import THESE_IMAGES, Floats
from fewshot.statistics.paired_means import PairedMeans, over_other_sets, over_these_sets, paired_episodes

OTHER_SETS = "other data sets of this kind"
AccuraciesOf = Callable[[Sequence[Row]], Sequence[Floats | None]]  # of each episode, of rows that share a task


@dataclass(frozen=True, eq=False)
class BenchmarkRanking:
    """Contenders by their mean over the same sets of a benchmark, best first."""

    benchmark: Benchmark
    ranking: Ranking  # the row of a standing is that of the first set
    runs: tuple[SetRuns, ...]  # of each standing
    averages: tuple[tuple[Average, ...], ...]  # of each standing: of all sets, then of each group

    @property
    def missing(self) -> tuple[str, ...]:
        """The sets of the benchmark that no run is on."""
        return self.runs[0].missing

    def values(self) -> dict[str, Any]:
        """The JSON values."""
        of = self.ranking
        lines = zip(of.standings, self.runs, self.averages, strict=True)
        return {
            "benchmark": self.benchmark.protocol,
            "task": of.task,
            "verdict": of.verdict,
            "population": of.population,
            "missing": self.missing,
            "standings": [_values(standing, runs, averages) for standing, runs, averages in lines],
        }


def _values(standing: Standing, runs: SetRuns, averages: Sequence[Average]) -> dict[str, Any]:
    difference = standing.difference
    return {
        "name": standing.name,
        "run_ids": {name: row.run_id for name, row in runs.rows.items()},
        "averages": [asdict(one) for one in averages],
        "minus_best": None if difference is None else asdict(difference),
        "p_adjusted": standing.p_adjusted,
        "leads": standing.leads,
    }


def benchmark_rankings_of(
    shown: Shown, rankings: Iterable[Ranking], predictions: PredictionsOf | None
) -> list[BenchmarkRanking]:
    """The rankings of the benchmarks among these rows. `rankings`: those of their tasks, which have read the
    predictions already."""
    return benchmark_rankings(set_runs(shown.done), shown.names, accuracies_in(rankings), n_test_images(predictions))


def rankings_on_sets(
    rows: Iterable[Row], short_names: ShortNames | None, predictions: PredictionsOf | None
) -> list[BenchmarkRanking]:
    """The same from rows whose tasks are not ranked yet; none if no two are on different sets of a benchmark."""
    own = [row for row in rows if row.benchmark_set]
    if len({row.benchmark_set for row in own}) < 2:
        return []
    shown = Shown.of(own, short_names)
    return benchmark_rankings_of(shown, rankings_of(shown, predictions), predictions)


def accuracies_in(rankings: Iterable[Ranking]) -> AccuraciesOf:
    """The accuracies of runs in the rankings of their tasks."""
    every = {
        row.run_id: values
        for one in rankings
        if one.tests is not None
        for row, values in zip(one.tests.rows, one.tests.accuracies, strict=True)
    }
    return lambda rows: [every.get(row.run_id) for row in rows]


def benchmark_rankings(
    runs: Iterable[SetRuns], names: Names, accuracies: AccuraciesOf, n_test: TestImages
) -> list[BenchmarkRanking]:
    """The rankings of every benchmark and shape with runs on two or more sets; those of all sets of their benchmark
    first, then those with the most sets."""
    groups: dict[tuple[str, EpisodeShape, object], list[SetRuns]] = {}
    for one in runs:
        if len(one.rows) > 1:
            tasks = tuple((name, task_choices(row)) for name, row in one.rows.items())
            groups.setdefault((one.benchmark.protocol, one.shape, tasks), []).append(one)
    n_runs = Counter[tuple[str, EpisodeShape]]()
    for (protocol, shape, _), group in groups.items():
        n_runs[protocol, shape] += len(group)
    ranked = [
        _ranked(group, names, accuracies, n_test, n_runs[protocol, shape] - len(group))
        for (protocol, shape, _), group in groups.items()
    ]
    return sorted(ranked, key=lambda one: (bool(one.missing), -len(one.runs[0].rows)))


def _ranked(
    runs: Sequence[SetRuns], names: Names, accuracies: AccuraciesOf, n_test: TestImages, n_apart: int
) -> BenchmarkRanking:
    """The ranking of contenders on the same sets; `n_apart` others are on other sets, or on other copies of them."""
    averages = [tuple(one.averages(names[one.contender], n_test)) for one in runs]
    paired, population = _paired(runs, accuracies)
    of_means = " or ".join(dict.fromkeys(each[0].population for each in averages if each[0].population))
    if len(runs) == 1:
        population = of_means or population
    fair = np.array([not any(map(is_oracle, one.rows.values())) for one in runs])
    fair |= not fair.any()
    p_values = np.full(len(runs), np.nan)
    p_values[fair] = may_be_best(paired.means[np.ix_(fair, fair)], paired.p_values[np.ix_(fair, fair)])
    leads = fair & ~(p_values < 1 - LEVEL)
    if untested := _why_untested(population, len(runs[0].rows), int(fair.sum())):
        p_values[:], leads[:] = np.nan, False
    order = _order([average[0].value for average in averages], leads if leads.any() else fair)
    parts = _parts([names[one.contender] for one in runs])
    standings = []
    for run in order:
        difference = None if run == order[0] or untested else paired.interval(run, order[0], population)
        standings.append(
            Standing(
                row=next(iter(runs[run].rows.values())),
                parts=parts[run],
                accuracy=averages[run][0].value,
                interval=averages[run][0].bounds,
                images=difference,
                classes=None,
                difference=difference,
                p_adjusted=float(p_values[run]),
                leads=bool(leads[run]),
                reason="" if fair[run] else ORACLE,
            )
        )
    title, verdict = (
        _title(averages[0][0], runs[0], [names[one.contender] for one in runs]),
        _verdict(standings, population, runs[0], untested, n_apart),
    )
    return BenchmarkRanking(
        runs[0].benchmark,
        Ranking(
            title,
            tuple(standings),
            population,
            verdict,
            _caveats(standings, runs, order),
            untested=untested,
            of_accuracies=of_means,
        ),
        tuple(runs[run] for run in order),
        tuple(averages[run] for run in order),
    )


def _caveats(standings: Sequence[Standing], runs: Sequence[SetRuns], order: Sequence[int]) -> tuple[str, ...]:
    """Which contenders learned with another head than the benchmark's own, in one sentence."""
    names = [standing.name for standing, run in zip(standings, order, strict=True) if runs[run].label]
    if not names:
        return ()
    which = "All" if len(names) == len(standings) > 1 else listed(names)
    return (f"{which}: {OTHER_HEAD}.",)


def _why_untested(population: str, n_sets: int, n_fair: int) -> str:
    """Why there is no test: the sets are the sample, and too few for one; else ""."""
    if population != OTHER_SETS or n_fair < 2 or n_sets >= FEWEST_SETS:
        return ""
    return f"{n_sets} sets are too few to speak for other data sets"


def _order(means: Sequence[float], leads: NDArray[np.bool_]) -> list[int]:
    """The contenders, best first: the best is of the group, and the others follow by their means."""
    best = max(np.flatnonzero(leads).tolist(), key=lambda run: means[run])
    return [best, *sorted((run for run in range(len(means)) if run != best), key=lambda run: -means[run])]


def _paired(runs: Sequence[SetRuns], accuracies: AccuraciesOf) -> tuple[PairedMeans, str]:
    """The tests of all pairs, and the population that they are for."""
    sets, of = list(runs[0].rows), runs[0].benchmark
    if of.draws == "mean" and not any(map(draws_depend, runs[0].rows.values())):
        each = [paired_episodes(accuracies([one.rows[name] for one in runs])) for name in sets]
        known = [one for one in each if one is not None]
        these = over_these_sets(known) if len(known) == len(each) else None
        if these is not None and not ((these.errors == 0) & (these.means != 0)).any():  # equal leads prove nothing
            return these, THESE_IMAGES
    values = [one.values() for one in runs]
    return over_other_sets(np.array([[each[name] for each in values] for name in sets])), OTHER_SETS


def _parts(names: Sequence[Name]) -> list[tuple[str, ...]]:
    """The backbone, the evaluator or both: what differs among the contenders."""
    differ = [len(set(column)) > 1 for column in zip(*names, strict=True)]
    kept = differ if any(differ) else [True, True]
    return [tuple(part for part, shows in zip(name, kept, strict=True) if shows) for name in names]


def _title(average: Average, of: SetRuns, names: Sequence[Name]) -> str:
    """Benchmark, shape and sets, and the part of the names that all contenders share."""
    shared = [column[0] for column in zip(*names, strict=True) if len(set(column)) == 1 < len(names)]
    about = [of.benchmark.protocol, of.shape_text, f"mean of {average.counted}", *shared]
    return ", ".join(filter(None, about))


def _verdict(standings: Sequence[Standing], population: str, of: SetRuns, untested: str, n_apart: int) -> str:
    """The verdict; a mean over fewer sets is not the benchmark's."""
    text = words.verdict(standings, population, untested=untested)
    if n_apart:
        others = counted(n_apart, "method")
        text += f" No test compares {agreeing(len(standings), 'it', 'them')} with {others} on other sets or copies."
    if not of.missing:
        return text
    few = len(of.missing) <= MOST_NAMES
    lacking = listed(list(of.missing)) if few else f"{len(of.missing)} of its {len(of.wanted)} sets"
    verb = "is" if len(of.missing) == 1 else "are"
    return f"{text} This is not the number of {of.benchmark.name}: {lacking} {verb} missing."
