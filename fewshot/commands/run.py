"""`fewshot run`: backbones and evaluators on episodes of a data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fewshot.commands import _options
from fewshot.commands._answers import answer, json_option, print_progress, row_values, wants_json
from fewshot.commands._benchmark import BenchmarkRequest, Plan
from fewshot.commands._choice_request import ChoiceRequest
from fewshot.commands._compute_request import ComputeRequest
from fewshot.commands._data_request import DataRequest
from fewshot.commands._episode_request import EpisodeRequest
from fewshot.commands._grid_request import GridRequest
from fewshot.commands._ranked import larger_than_asked, measures_option, ranked
from fewshot.commands._rates import remember_rows
from fewshot.commands._results import print_failures, writable_results
from fewshot.commands._running import check_networks, starting

if TYPE_CHECKING:
    from fewshot.results.files import Results
    from fewshot.runs.specs import RunSpec
    from fewshot.runs.workbench import Workbench


@click.command("run", short_help="Score backbones on a folder of images or a data set.")
@_options.takes(named=BenchmarkRequest, data=DataRequest, grid=GridRequest, choice=ChoiceRequest)
@_options.takes(episodes=EpisodeRequest)
@click.option("--results", type=_options.FILE, default="results/runs.jsonl", help="Append the rows to this file.")
@_options.takes(compute=ComputeRequest)
@measures_option
@_options.dry_run_option
@json_option
def command(
    named: BenchmarkRequest,
    data: DataRequest,
    grid: GridRequest,
    choice: ChoiceRequest,
    episodes: EpisodeRequest,
    results: Path,
    compute: ComputeRequest,
    measures: bool,
    dry_run: bool,
) -> int:
    """Score backbones on few-shot episodes of a folder of images or a data set.

    fewshot skips finished runs; a larger --episodes adds only the missing episodes. For example:

    \b
      fewshot run --data birds --backbone resnet18 --shot 1,5
      fewshot run --benchmark cifar_fs --data ~/data --backbone resnet18
    """
    named.check()
    from fewshot.results.files import Results

    if not named.benchmark:
        grid.methods()  # unknown names are refused before data are read
    if not dry_run:  # a plan says it beside each run
        check_networks(grid.backbones, Results(results))
    print_progress("Reading the data ...")
    bench = compute.workbench(checks_counts=named.benchmark is not None)
    plan, unusual = None, ""
    if named.benchmark:
        methods = grid.methods(named.transforms()) if grid.names_methods else []
        grid.check_benchmark(named)
        plan = named.plan(data.data, grid.backbones, methods, grid.dtype, bench, grid.transform)
        specs = plan.specs
    else:
        specs, unusual = _own_specs(data, grid, choice, episodes, bench)
    written = Results(results) if dry_run else writable_results(results)
    if unusual:
        click.echo(unusual, err=True)
    if dry_run:
        from fewshot.commands._plan import dry_run as plan_of

        return plan_of(specs, written, bench)
    return _run(specs, written, bench, compute, measures, plan)


def _own_specs(
    data: DataRequest, grid: GridRequest, choice: ChoiceRequest, episodes: EpisodeRequest, bench: Workbench
) -> tuple[list[RunSpec], str]:
    """The runs on the user's own data, and a line if their episodes have an unusual shape."""
    opened = data.open(bench)
    if grid.listed is None:
        episodes = episodes.on(opened)
    specs = grid.specs(opened, choice, episodes)
    return specs, episodes.unusual(opened) if grid.listed is None else ""


def _run(
    specs: list[RunSpec], written: Results, bench: Workbench, compute: ComputeRequest, measures: bool, plan: Plan | None
) -> int:
    """The exit code. Answers with the rows of all complete runs, and with the averages of a benchmark."""
    from fewshot.report.rows.shown import Shown
    from fewshot.runs.pipeline import run_all

    known = {row.run_id: row for row in written.rows()}
    rows = dict(run_all(starting(specs, known.values(), bench.images), written, bench, compute.shard))
    done = list({row.run_id: row for spec in specs if (row := rows[spec]) is not None}.values())  # each run once
    n_waiting = sum(row is None for row in rows.values())
    remember_rows(row for row in done if known.get(row.run_id) != row)
    averages, values = ("", None) if plan is None else plan.averages(done, written.predictions)
    finished = any(row.status == "ok" for row in done)
    text = ""
    if finished and not wants_json():
        table, larger = ranked(Shown.of(done), written, measures), larger_than_asked(rows.items())
        parts = (table, larger, averages, f"rows: {written.path}")
        text = "\n" + "\n".join(filter(None, parts))
    if text or wants_json():
        content = {"rows": row_values(done), "results": written.path, "n_waiting": n_waiting}
        answer(text, content if values is None else content | {"averages": values})
    if n_waiting:
        print_progress(compute.waiting(n_waiting))
    return print_failures(done)
