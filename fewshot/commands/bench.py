"""`fewshot bench`: a suite of runs, with its table and its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fewshot.commands import _options, _plan
from fewshot.commands._answers import answer, json_option, print_progress, row_values, wants_json
from fewshot.commands._names import NameOf
from fewshot.commands._plan import Plan
from fewshot.commands._ranked import measures_option, ranked
from fewshot.commands._rates import remember_rows
from fewshot.commands._request import ComputeRequest
from fewshot.commands._results import describe, percent, print_failures, writable_results
from fewshot.commands._running import starting

if TYPE_CHECKING:
    from fewshot.results.files import Results
    from fewshot.results.row import Row
    from fewshot.runs.pipeline import Workbench
    from fewshot.runs.specs import RunSpec

__all__ = ["Plan", "command"]


@click.command("bench", short_help="Run a suite; finished runs are skipped.")
@click.argument("suite", default="quick", type=NameOf("suites", with_files=True))
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
@_options.takes(compute=ComputeRequest)
@json_option
def command(
    suite: str,
    results: Path | None,
    report: Path | None,
    n_episodes: int | None,
    measures: bool,
    dry_run: bool,
    compute: ComputeRequest,
) -> int:
    """Run SUITE, a suite of benchmarks/ or a .py file of yours, and write a report. fewshot skips finished runs."""
    print_progress(f"Reading the suite {suite} ...")
    from fewshot.benchmarks import load
    from fewshot.results.files import Results

    specs = [replace(spec, n_episodes=n_episodes or spec.n_episodes) for spec in load(suite)()]
    rows_path = results or Path("results") / f"{Path(suite).stem}.jsonl"
    bench = compute.workbench()
    if dry_run:
        return _plan.dry_run(specs, Results(rows_path), bench)
    written = writable_results(rows_path)
    rows = _run(specs, written, bench, compute.shard)
    if len(rows) < len(specs):
        print_progress(compute.waiting(len(specs) - len(rows)))
    return _show(rows, written, report or rows_path.with_suffix(".html"), Path(suite).stem, measures)


def _run(specs: Sequence[RunSpec], results: Results, bench: Workbench, shard: tuple[int, int]) -> list[Row]:
    """The rows of all complete runs; prints one line per run as it finishes."""
    from fewshot.runs.pipeline import run_all

    known = {row.run_id: row for row in results.rows()}
    rows = {}
    for number, (spec, row) in enumerate(
        run_all(starting(specs, known.values(), bench.images), results, bench, shard), 1
    ):
        if row is None:
            continue
        rows[spec] = row
        if known.get(row.run_id) != row:
            seconds = row.seconds_embedding + row.seconds_solving
            print_progress(f"[{number}/{len(specs)}] {percent(row):>13}  {describe(row)}, {seconds:.1f} s")
            remember_rows([row])
    return [rows[spec] for spec in specs if spec in rows]


def _show(rows: Sequence[Row], results: Results, report: Path, title: str, measures: bool) -> int:
    """Answers with the comparison and the path of the report, which it writes if it is older than the rows."""
    text = ""
    if rows:
        from fewshot.report.rows.shown import Shown

        shown = Shown.of(rows)
        if not report.exists() or report.stat().st_mtime < results.path.stat().st_mtime:
            from fewshot.report import write_report

            write_report(shown, report, results, title)
        table = "" if wants_json() else ranked(shown, results, measures)
        text = f"\n{table}\nrows: {results.path}\nreport: {report}"
    if text or wants_json():
        values = row_values(rows) if wants_json() else []
        answer(text, {"rows": values, "results": results.path, "report": report if rows else None})
    return print_failures(rows)
