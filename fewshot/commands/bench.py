"""`fewshot bench`: a suite of runs, with its table and its report."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fewshot.commands import _options, _plan
from fewshot.commands._answers import answer, json_option, print_progress, row_values, wants_json
from fewshot.commands._benchmark import BenchmarkRequest, backbones_option, partial_option
from fewshot.commands._benchmark import Plan as BenchmarkPlan
from fewshot.commands._compute_request import ComputeRequest
from fewshot.commands._engine_request import EngineRequest, rows_of, write_plan
from fewshot.commands._names import NameOf
from fewshot.commands._plan import Plan
from fewshot.commands._ranked import larger_than_asked, measures_option, ranked
from fewshot.commands._rates import remember_rows
from fewshot.commands._results import describe, percent, print_failures, writable_results
from fewshot.commands._running import check_networks, check_unfinished, starting

if TYPE_CHECKING:
    from fewshot.results.files import Results
    from fewshot.results.row import Row
    from fewshot.runs.specs import RunSpec
    from fewshot.runs.workbench import Workbench

__all__ = ["Plan", "command"]


@click.command("bench", short_help="Run a suite; finished runs are skipped.")
@click.argument("suite", default="quick", type=NameOf("suites", with_files=True))
@click.option(
    "--data",
    "root",
    type=_options.FOLDER,
    metavar="FOLDER",
    help="Run a benchmark of the field in place of a suite, such as cifar_fs, on the data sets below this folder.",
)
@backbones_option
@partial_option
@click.option("--results", type=_options.FILE, help="Append the rows to this file (default: results/SUITE.jsonl).")
@click.option("--report", type=_options.FILE, help="Write the HTML report to this file (default: beside the rows).")
@click.option(
    "--episodes",
    "n_episodes",
    type=click.IntRange(min=1),
    help="Set the number of episodes per run (default: that of the suite).",
)
@measures_option
@_options.dry_run_option
@_options.takes(compute=ComputeRequest, engine=EngineRequest)
@json_option
def command(
    suite: str,
    root: Path | None,
    backbones: tuple[str, ...],
    partial: bool,
    results: Path | None,
    report: Path | None,
    n_episodes: int | None,
    measures: bool,
    dry_run: bool,
    compute: ComputeRequest,
    engine: EngineRequest,
) -> int:
    """Run SUITE, a suite of benchmarks/ or a .py file of yours, and write a report. fewshot skips finished runs.

    With --data, SUITE is a benchmark of the field (fewshot list benchmarks):

    \b
      fewshot bench cifar_fs --data ~/data --backbone resnet18
    """
    engine.check()
    from fewshot.results.files import Results

    rows_path = results or Path("results") / f"{Path(suite).stem}.jsonl"
    check_networks(backbones if root is not None else (), Results(rows_path))
    bench = compute.workbench(checks_counts=root is not None)
    plan = _benchmark_plan(suite, root, backbones, partial, n_episodes, bench)
    specs = _suite(suite, n_episodes) if plan is None else plan.specs
    if dry_run:
        return _plan.dry_run(specs, Results(rows_path), bench, with_tasks=not engine.is_this_process)
    if not engine.is_this_process and compute.shard != (1, 1):
        raise click.UsageError("--shard divides the work among processes that start alone; remove it, or --jobs")
    if engine.plan is not None:
        return write_plan(engine.plan, specs, bench)
    written = writable_results(rows_path)
    printed = _Printed(len(specs), written)
    if engine.is_this_process:
        rows = _run(specs, written, bench, compute.shard, printed)
    else:
        rows = _worked(specs, written, bench, engine, printed)
    if len(rows) < len(specs):
        print_progress(compute.waiting(len(specs) - len(rows)))
    page = report or rows_path.with_suffix(".html")
    return _show(rows, written, page, Path(suite).stem, measures, plan)


def _suite(suite: str, n_episodes: int | None) -> list[RunSpec]:
    """The runs of a suite."""
    from fewshot import protocols
    from fewshot.benchmarks import load

    if suite in protocols.names():
        raise click.UsageError(f"{suite} is a benchmark of the field; add --data with the folder of its data sets")
    print_progress(f"Reading the suite {suite} ...")
    return [replace(spec, n_episodes=n_episodes or spec.n_episodes) for spec in load(suite)()]


def _benchmark_plan(
    name: str,
    root: Path | None,
    backbones: tuple[str, ...],
    partial: bool,
    n_episodes: int | None,
    bench: Workbench,
) -> BenchmarkPlan | None:
    """The runs of a benchmark of the field; None without --data."""
    from fewshot.runs.defaults import BACKBONE

    if root is None:
        if backbones or partial:
            raise click.UsageError(
                "--backbone and --partial need --data and a benchmark of the field, such as cifar_fs"
            )
        return None
    if n_episodes is not None:
        raise click.UsageError(
            f"--episodes changes the protocol: this would no longer be {name}; remove --episodes, or leave --data out"
        )
    request = BenchmarkRequest(name, (), partial)
    return request.plan(str(root), backbones or (BACKBONE, "pixels"), (), "float32", bench)


class _Printed:
    """Prints one line per run as it finishes."""

    def __init__(self, n_runs: int, results: Results) -> None:
        self._n_runs, self._n_seen = n_runs, 0
        self._known = {row.run_id: row for row in results.rows()}
        self.before = list(self._known.values())

    def add(self, row: Row, number: int = 0) -> None:
        """Prints the line of a row, unless it was there before or is printed. `number`: of the run in the suite."""
        if self._known.get(row.run_id) == row:
            return
        self._known[row.run_id] = row
        self._n_seen += 1
        seconds = row.seconds_embedding + row.seconds_solving
        counter = f"{number or self._n_seen}/{self._n_runs}"
        print_progress(f"[{counter}] {percent(row):>13}  {describe(row)}, {seconds:.1f} s")
        remember_rows([row])


def _run(
    specs: Sequence[RunSpec], results: Results, bench: Workbench, shard: tuple[int, int], printed: _Printed
) -> list[Row]:
    """The rows of all complete runs; prints one line per run as it finishes."""
    from fewshot.runs.pipeline import run_all

    rows = {}
    for number, (spec, row) in enumerate(
        run_all(starting(specs, printed.before, bench.images), results, bench, shard), 1
    ):
        if row is not None:
            rows[spec] = row
            printed.add(row, number)
    return _each_once(specs, rows)


def _worked(
    specs: Sequence[RunSpec], results: Results, bench: Workbench, engine: EngineRequest, printed: _Printed
) -> list[Row]:
    """The rows of all runs, after other processes did their tasks; prints one line per run as it finishes."""
    check_unfinished(specs, printed.before, bench.images)

    def seen() -> None:
        for row in results.rows():
            printed.add(row)

    engine.work(specs, results, bench, seen)
    return _each_once(specs, rows_of(specs, results, bench))


def _each_once(specs: Sequence[RunSpec], rows: Mapping[RunSpec, Row]) -> list[Row]:
    """The rows in the order of the suite, each once."""
    if larger := larger_than_asked(rows.items()):
        print_progress(larger)
    return list({row.run_id: row for spec in specs if (row := rows.get(spec)) is not None}.values())


def _show(
    rows: Sequence[Row], results: Results, report: Path, title: str, measures: bool, plan: BenchmarkPlan | None
) -> int:
    """Answers with the comparison and the path of the report, which it writes unless it is that of these rows."""
    text = ""
    averages, values_of_averages = ("", None) if plan is None else plan.averages(rows, results.predictions)
    if rows:
        from fewshot.report.rows.shown import Shown

        shown = Shown.of(rows)
        written = results.changed_ns
        if not report.exists() or report.stat().st_mtime_ns != written:
            from fewshot.report import write_report

            write_report(shown, report, results, title)
            os.utime(report, ns=(written, written))  # not by which is older: a clock may be set back
        table = "" if wants_json() else ranked(shown, results, measures)
        text = "\n" + "\n".join(filter(None, (table, averages, f"rows: {results.path}", f"report: {report}")))
    if text or wants_json():
        values = row_values(rows) if wants_json() else []
        content = {"rows": values, "results": results.path, "report": report if rows else None}
        answer(text, content if values_of_averages is None else content | {"averages": values_of_averages})
    return print_failures(rows)
