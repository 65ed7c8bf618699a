"""`fewshot bench`: a suite of runs, its table and its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fewshot.commands import _options
from fewshot.commands._results import comparison_table, describe, percent, tell_failures, writable_results

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fewshot.results import Results, Row
    from fewshot.runs import Workbench
    from fewshot.specs import RunSpec, Task


@click.command("bench", short_help="Run a suite of runs; what is done is not done again.")
@click.argument("suite", default="quick")
@click.option("--results", type=_options.FILE, help="Rows are appended here; results/SUITE.jsonl.")
@click.option("--report", type=_options.FILE, help="The page to write; beside the rows.")
@click.option("--episodes", "n_episodes", type=click.IntRange(min=1), help="How many, instead of what the suite says.")
@click.option("--dry-run", is_flag=True, help="Say what would run, and compute nothing.")
@_options.shard_option
@_options.compute_options
def command(
    suite: str,
    results: Path | None,
    report: Path | None,
    n_episodes: int | None,
    dry_run: bool,
    shard: tuple[int, int],
    budget_mb: int,
    device: str | None,
) -> int:
    """Run a SUITE of benchmarks/, or of a .py file of yours; what is done already is not done again."""
    from fewshot.benchmarks import load
    from fewshot.results import Results
    from fewshot.runs import Workbench

    specs = [replace(spec, n_episodes=n_episodes or spec.n_episodes) for spec in load(suite)()]
    rows_path = results or Path("results") / f"{Path(suite).stem}.jsonl"
    bench = Workbench(budget_mb << 20, device)
    if dry_run:
        return _dry_run(specs, Results(rows_path), bench)
    written = writable_results(rows_path)
    rows = _run(specs, written, bench, shard)
    if len(rows) < len(specs):
        click.echo(f"part {shard[0]} of {shard[1]} is solved; {len(specs) - len(rows)} runs wait for the others")
    return _show(rows, written, report or rows_path.with_suffix(".html"), Path(suite).stem)


def _run(specs: Sequence[RunSpec], results: Results, bench: Workbench, shard: tuple[int, int]) -> list[Row]:
    """The rows of all runs that are complete; one line each as it finishes."""
    from fewshot.runs import run_all

    known = {row.run_id: row for row in results.rows()}
    rows = []
    for number, (_, row) in enumerate(run_all(specs, results, bench, shard), 1):
        if row is None:
            continue
        rows.append(row)
        if known.get(row.run_id) != row:
            seconds = row.seconds_embedding + row.seconds_solving
            click.echo(f"[{number}/{len(specs)}] {percent(row):>13}  {describe(row)}, {seconds:.1f} s")
    return rows


def _show(rows: Sequence[Row], results: Results, report: Path, title: str) -> int:
    """Prints the comparison and where the report is, which is written where it is older than the rows."""
    if rows:
        click.echo("\n" + comparison_table(rows))
        if not report.exists() or report.stat().st_mtime < results.path.stat().st_mtime:
            from fewshot.report import write_report

            write_report(rows, report, results, title)
        click.echo(f"rows: {results.path}\nreport: {report}")
    return tell_failures(rows)


def _dry_run(specs: Sequence[RunSpec], results: Results, bench: Workbench) -> int:
    """Prints every run and whether it is done or cannot run, and how many images would be embedded."""
    planned, code = Plan(), 0
    known = {row.run_id: row for row in results.rows()}
    for number, spec in enumerate(specs, 1):
        try:
            state = "to do" if planned.add(bench.task(spec), known) else "done"
        except (ValueError, OSError) as error:
            state, code = f"cannot run ({error})", 1
        click.echo(f"[{number}/{len(specs)}] {state}: {_name(spec)}, {spec.n_episodes} episodes")
    click.echo(f"at most {planned.n_images} images to embed, less what the feature cache holds")
    return code


def _name(spec: RunSpec) -> str:
    shot = getattr(getattr(spec.episodes, "shape", None), "k_shot", None)
    return f"{spec.backbone}, {spec.transform} + {spec.evaluator}, {spec.dataset}, {shot or 'all'}-shot"


class Plan:
    """Which images of which data sets the backbones have to embed for some runs."""

    def __init__(self) -> None:
        self._used: dict[tuple[str, str, str], NDArray[np.bool_]] = {}

    def add(self, task: Task, known: Mapping[str, Row]) -> bool:
        """Adds the images of a run, and whether there is anything to do: it may be done already. A run that tunes a
        network embeds none."""
        import numpy as np

        from fewshot.evaluators import ImageEvaluator
        from fewshot.plugins import EVALUATORS, TRANSFORMS

        spec, row = task.spec, known.get(task.run_id)
        if row is not None and row.status == "ok" and row.n_episodes >= task.n_episodes:
            return False
        if isinstance(EVALUATORS.make(spec.evaluator), ImageEvaluator):
            return True
        used = self._used.setdefault((spec.backbone, spec.dataset, spec.dtype), task.images.labels < 0)
        for block in task.blocks([(0, task.n_episodes)]):
            used[block.support] = used[block.query] = True
        if TRANSFORMS.make(spec.transform).needs_seen:
            used |= np.isin(task.images.labels, task.split.classes("seen", task.images))
        return True

    @property
    def n_images(self) -> int:
        """How many images in all; one that two backbones embed counts twice."""
        return sum(int(used.sum()) for used in self._used.values())
