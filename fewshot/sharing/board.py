"""The submissions of a folder, verified, and their runs ranked: one table for each comparability key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from fewshot.report.comparisons.benchmark_ranking import BenchmarkRanking, accuracies_in, benchmark_rankings
from fewshot.report.comparisons.ranking import Ranking, ranking_of
from fewshot.report.rows.benchmark_means import SetRuns, set_runs
from fewshot.report.rows.costs import Costs, RunCost, duration
from fewshot.report.rows.errors import n_test_images
from fewshot.report.rows.shown import Shown
from fewshot.results.comparability import comparability_key
from fewshot.results.costs import seconds_per_episode
from fewshot.results.predictions import Predictions
from fewshot.results.reading import SAME
from fewshot.results.row import Row
from fewshot.results.row_specs import data_of
from fewshot.sharing.board_names import DataNames
from fewshot.sharing.claims import other_version
from fewshot.sharing.entries import Entry, checked_by, strongest
from fewshot.sharing.held_runs import Held, held_runs
from fewshot.sharing.shared import Shared, bounded, one_line
from fewshot.sharing.submission_names import submission_names
from fewshot.sharing.verify import Record, Verified, records, verify

_ALIKE = 10  # times as long: beyond it, two machines do not explain the seconds of one run


@dataclass(frozen=True)
class Table:
    """The runs of one comparability key, ranked."""

    key: str
    ranking: Ranking
    entries: Mapping[str, Entry]  # by the run id of its row
    data_names: tuple[str, ...] = ()  # what other submissions call the data, a sentence each


@dataclass(frozen=True, eq=False)
class BenchmarkTable:
    """The means of a benchmark over its data sets, ranked; each is that of one submission."""

    ranking: BenchmarkRanking
    sources: Mapping[SetRuns, tuple[Path, ...]]  # the folders of the submissions that hold the runs
    entries: Mapping[SetRuns, tuple[Entry, ...]]  # the runs of each mean
    verified_by: Mapping[SetRuns, tuple[str, ...]]  # those who checked all of the runs, with the weakest check

    def cost(self, row: Row) -> RunCost:
        """The cost of a run behind a mean."""
        return self._by_run[row.run_id].cost()

    @cached_property
    def _by_run(self) -> Mapping[str, Entry]:
        return {entry.row.run_id: entry for each in self.entries.values() for entry in each}


@dataclass(frozen=True)
class Board:
    """All tables, and all submissions of a folder."""

    tables: tuple[Table, ...]
    benchmarks: tuple[BenchmarkTable, ...]
    submissions: tuple[Verified, ...]  # that hold
    refused: tuple[Verified, ...]  # that do not, with their problems
    names: Mapping[Path, str] = field(default_factory=dict)  # of the submissions that hold, by their folder
    conflicts: tuple[str, ...] = ()  # rows that contradict each other, a sentence for each two submissions

    @property
    def n_runs(self) -> int:
        """The number of runs in all tables."""
        return sum(len(table.entries) for table in self.tables)


def board(folder: Path) -> Board:
    """The board of all submissions in a folder: its subfolders, except hidden ones. A ValueError if there are none."""
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}; collect submissions of `fewshot submit` in it")
    every = [_verified(path) for path in sorted(folder.iterdir()) if not path.name.startswith(".") and _is_folder(path)]
    if not every:
        raise ValueError(f"{folder} holds no folders; each submission of `fewshot submit` is a folder in it")
    holding = sorted((one for one in every if not one.problems), key=lambda one: (_made(one), one.folder.name))
    names = submission_names(holding)
    held = held_runs(holding, names)
    data = DataNames.of(held.runs, names)
    entries = _entries(held.runs, holding, names, data)
    tables = _tables(entries, data)
    means, refused = _benchmarks(holding, entries, tables), (one for one in every if one.problems)
    return Board(tuple(tables), tuple(means), tuple(holding), tuple(refused), names, held.conflicts)


def _is_folder(path: Path) -> bool:
    return path.is_symlink() or path.is_dir()


def _verified(path: Path) -> Verified:
    if path.is_symlink():
        return Verified(path, problems=("it is a link; a submission is a folder",))
    try:
        return verify(path)
    except Exception as error:  # one submission must not keep the others from their board
        return Verified(path, problems=(bounded(f"its verification failed: {one_line(error)}"),))


def _made(one: Verified) -> str:
    return one.manifest.about.made if one.manifest else ""


def _tables(entries: Iterable[Entry], data: DataNames) -> list[Table]:
    """The tables with the most runs first, and those of a benchmark that this release cannot check last."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(comparability_key(entry.shared.row), []).append(entry)
    tables = [_table(key, of_key, data) for key, of_key in groups.items()]
    return sorted(tables, key=lambda table: (bool(other_version(table.ranking.best.row)), -len(table.entries)))


def _benchmarks(
    submissions: Sequence[Verified], entries: Iterable[Entry], tables: Sequence[Table]
) -> list[BenchmarkTable]:
    """The rankings of benchmarks. The runs of one mean are those of one submission, so that all of its sets have the
    copies of one author; a mean that two submissions hold is there once."""
    known = {entry.row.run_id: entry for entry in entries}
    of_submission: dict[Path, list[Entry]] = {}
    for entry in known.values():
        for folder in entry.folders:
            of_submission.setdefault(folder, []).append(entry)
    held: dict[tuple[str, ...], tuple[SetRuns, list[Path]]] = {}
    for one in submissions:
        for runs in set_runs(entry.row for entry in of_submission.get(one.folder, [])):
            _, sources_of = held.setdefault(tuple(row.run_id for row in runs.rows.values()), (runs, []))
            sources_of.append(one.folder)
    every = [runs for runs, _ in held.values()]
    shown = Shown.of(entry.row for entry in known.values())
    accuracies = accuracies_in(table.ranking for table in tables)
    rankings = benchmark_rankings(every, shown.names, accuracies, n_test_images(_reader(known)))
    sources = {runs: tuple(of) for runs, of in held.values()}
    tables_of_means = []
    for ranking in rankings:
        of_mean = {runs: tuple(known[row.run_id] for row in runs.rows.values()) for runs in ranking.runs}
        verified_by = {runs: checked_by(each) for runs, each in of_mean.items()}
        tables_of_means.append(BenchmarkTable(ranking, sources, of_mean, verified_by))
    return tables_of_means


def _entries(
    runs: Sequence[tuple[Held, ...]], submissions: Sequence[Verified], names: Mapping[Path, str], data: DataNames
) -> list[Entry]:
    """Every run once; it names the other submissions that hold it."""
    known = {one.folder: _records(one) for one in submissions}
    costs = {one.folder: Costs.of(run.row for run in one.runs) for one in submissions}
    counts: dict[str, int] = {}
    entries = []
    for held in runs:
        first, *others = held
        run_id = first.row.run_id
        counts[run_id] = counts.get(run_id, 0) + 1
        kinds: dict[str, list[str]] = {}
        for one in known[first.source.folder]:
            if kind := one.covers(run_id):
                kinds.setdefault(one.by, []).append(kind)
        entries.append(
            Entry(
                first.shared,
                first.source,
                {by: strongest(each) for by, each in kinds.items()},
                costs[first.source.folder].cost(first.row),
                tuple(_also(one.shared, names[one.source.folder], first.row) for one in others),
                tuple(one.source.folder for one in held),
                data.dataset(first.row),
                counts[run_id] - 1,
                first.contested,
            )
        )
    return entries


def _records(one: Verified) -> list[Record]:
    return records(one.folder, one.manifest) if one.manifest else []


def _also(other: Shared, name: str, row: Row) -> str:
    """What the submission with this name says of the same run."""
    if other.row.n_episodes != row.n_episodes:
        return f"{name}, {other.row.n_episodes:,} episodes"
    accuracy, its = row.accuracy or 0.0, other.row.accuracy or 0.0
    equal = abs(accuracy - its) <= SAME and other.row.episodes_digest == row.episodes_digest
    number = "the same number" if equal else f"{100 * its:.2f} %"
    mine, theirs = seconds_per_episode(row), seconds_per_episode(other.row)
    if mine is None or theirs is None or mine / _ALIKE <= theirs <= mine * _ALIKE:
        return f"{name}, {number}"
    return f"{name}, {number}, {duration(theirs)} per episode"


def _table(key: str, entries: Sequence[Entry], data: DataNames) -> Table:
    by_run = {entry.row.run_id: entry for entry in entries}
    names = dict.fromkeys(name for entry in entries for name in data.others.get(data_of(entry.shared.row), ()))
    return Table(key, ranking_of([entry.row for entry in entries], _reader(by_run)), by_run, tuple(names))


def _reader(entries: Mapping[str, Entry]) -> Callable[[Row], Iterator[Predictions]]:
    """The predictions of an entry's row, which lie under the run id of its submission."""

    def predictions(row: Row) -> Iterator[Predictions]:
        entry = entries[row.run_id]
        return entry.source.results.predictions(entry.shared.row)

    return predictions
