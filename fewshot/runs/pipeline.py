"""Runs and suites of runs: from a spec to its row.

    images -> class split -> episodes -> features -> transform -> evaluator -> predictions -> row

If the spec has a selection rule, ordinary runs choose the evaluator's hyperparameters first (selection.py). This file
imports torch and timm only if something has to be computed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from fewshot.files.locks import Busy
from fewshot.plugins.held import HeldSpec
from fewshot.results.files import Results
from fewshot.results.made_here import remember_run
from fewshot.results.row import Row
from fewshot.runs.computation import Computation
from fewshot.runs.failures import failed_row, why_failed
from fewshot.runs.prepared import PreparedRun
from fewshot.runs.run_rows import of_benchmark, with_all_columns
from fewshot.runs.selection import choose
from fewshot.runs.specs import RunSpec
from fewshot.runs.turns import in_turns
from fewshot.runs.workbench import Workbench

_log = logging.getLogger("fewshot")


def run(
    spec: RunSpec, results: Results | str | Path, workbench: Workbench | None = None, shard: tuple[int, int] = (1, 1)
) -> Row | None:
    """The row of a run; this computes only the episodes that the results file does not hold yet.

    `results` is a path, such as "runs.jsonl", or `Results(path)`. A wrong spec, or data that do not fit, is a
    ValueError of one sentence.

    With `shard=(i, n)`, process i of n solves its shard of the episodes. The process that solves the last missing
    episodes gets the row; the others get None. A process that is asked for episodes that another process solves waits
    for it, with a warning that names it, and takes its row.
    """
    return _run(spec, Results.at(results), workbench or Workbench(), shard)


def _run(spec: RunSpec, results: Results, bench: Workbench, shard: tuple[int, int], wait: bool = True) -> Row | None:
    """The row of a run; without `wait`, this raises Busy if another process solves one of its episodes or embeds its
    images."""
    if not 1 <= shard[0] <= shard[1]:
        raise ValueError(f"shard=(i, n) must be shard i of n with 1 <= i <= n; got {shard}")
    prepared = bench.prepare(spec)
    if not isinstance(spec.dataset, HeldSpec):
        remember_run(prepared.run_id, spec.dataset.text, prepared.images.images_digest)
    row = results.row(prepared.run_id)
    if row is None or row.n_episodes < prepared.n_episodes:
        chosen = _chosen(prepared, results, bench, shard, wait)
        return None if chosen is None else _compute(chosen, results, bench, shard, row, wait)
    repaired = _repaired(row, spec, results, bench, shard, wait)
    return None if repaired is None else of_benchmark(with_all_columns(repaired, prepared, results), spec, results)


def _repaired(
    row: Row, spec: RunSpec, results: Results, bench: Workbench, shard: tuple[int, int], wait: bool
) -> Row | None:
    """The row of a finished run, after this has solved the episodes again whose stored predictions are damaged; None if
    other shards have to. A row that was kept without predictions stays as it is."""
    if not (fault := results.fault(row)):
        return row
    _log.warning("run %s is finished, but %s; fewshot computes what is wrong again", row.run_id, fault)
    chosen = _chosen(bench.prepare(replace(spec, n_episodes=row.n_episodes)), results, bench, shard, wait)
    return None if chosen is None else _compute(chosen, results, bench, shard, row, wait)


def solve_range(spec: RunSpec, results: Results, bench: Workbench, first: int, last: int) -> None:
    """Stores the predictions of the episodes first to last - 1 of a run, as far as they are missing, and writes no row.

    A run that chooses hyperparameters takes the stored rows of its trials, and computes those that are missing.
    """
    prepared = bench.prepare(spec)
    row = results.row(prepared.run_id)
    if row is not None and row.n_episodes >= prepared.n_episodes and not results.fault(row):
        return
    chosen = _chosen(prepared, results, bench, (1, 1), True)
    assert chosen is not None
    Computation.of(chosen, results, bench, row).solve(first, min(last, prepared.n_episodes), True)


def _chosen(
    prepared: PreparedRun, results: Results, bench: Workbench, shard: tuple[int, int], wait: bool
) -> PreparedRun | None:
    """The run with the hyperparameters that it chooses; None while a trial is incomplete."""
    if prepared.spec.selection is None:
        return prepared
    choice = choose(prepared, bench.prepare, partial(_tried, results.trials, bench, shard), wait)
    return None if choice is None else replace(prepared, choice=choice)


def _tried(
    results: Results, bench: Workbench, shard: tuple[int, int], trial: PreparedRun, wait: bool = True
) -> Row | None:
    """The row of a trial, with exactly its episodes and the present weights."""
    row = results.row(trial.run_id)
    weights = bench.backbone(trial.spec.backbone).weights_digest
    if row is not None and (row.n_episodes, row.weights_digest) == (trial.n_episodes, weights):
        return row
    return _compute(trial, results, bench, shard, row, wait)


def _compute(
    prepared: PreparedRun, results: Results, bench: Workbench, shard: tuple[int, int], old: Row | None, wait: bool
) -> Row | None:
    """The row of a run, after this has solved the missing episodes of a shard; None if others are still missing."""
    computation = Computation.of(prepared, results, bench, old)
    first, last = (prepared.n_episodes * i // shard[1] for i in (shard[0] - 1, shard[0]))
    return computation.solve(first, last, wait) or computation.row()


def run_all(
    specs: Iterable[RunSpec],
    results: Results | str | Path,
    workbench: Workbench | None = None,
    shard: tuple[int, int] = (1, 1),
) -> Iterator[tuple[RunSpec, Row | None]]:
    """Every spec of a suite with its row, as they finish. A failed run leaves a row with its error; the suite
    continues. A run that another process computes comes last."""
    return in_turns(specs, partial(_row_or_error, Results.at(results), workbench or Workbench(), shard))


def _row_or_error(results: Results, bench: Workbench, shard: tuple[int, int], spec: RunSpec, wait: bool) -> Row | None:
    try:
        return _run(spec, results, bench, shard, wait)
    except Busy:
        raise
    except (Exception, SystemExit) as error:  # code of a user may call sys.exit
        _log.debug("%s failed", spec, exc_info=error)
        results.append(row := failed_row(spec, bench, why_failed(spec, error)))
        return row
