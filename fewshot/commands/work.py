"""`fewshot work`: works on the plan in a folder, with any number of other processes on any machines."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fewshot.commands import _device_options, _options
from fewshot.commands._answers import answer, json_option, print_progress, printable
from fewshot.commands._engine_request import gather
from fewshot.commands._option_words import in_own_options
from fewshot.commands._results import writable_results
from fewshot.plugins.wording import counted, listed

if TYPE_CHECKING:
    from fewshot.work.doing import Bench, Outcome
    from fewshot.work.places import WorkFolder
    from fewshot.work.tasks import Task


@click.command("work", short_help="Work on the plan in a folder, with other processes.")
@click.argument("folder", type=_options.FOLDER)
@click.option("--status", is_flag=True, help="Print how many tasks are done, claimed, left and lost, then stop.")
@_options.dry_run_option
@click.option("--results", type=_options.FILE, help="Write the rows beside this file (default: FOLDER/rows.jsonl).")
@click.option(
    "--patience",
    type=_options.Number(min=1),
    default=60.0,
    metavar="SECONDS",
    help="Take over the task of a worker that gave no sign of life for this long.",
)
@click.option("--allow-import", is_flag=True, help="Import members that the plan names as package.module:Class.")
@_device_options.budget_option
@_options.device_option("Run networks")
@_device_options.embedding_batch_option
@_device_options.compile_option
@_device_options.decoders_option
@_device_options.heads_device_option
@click.option("--quiet", is_flag=True, help="Print no progress.")
@click.option("--with-parent", is_flag=True, hidden=True)
@json_option
def command(
    folder: Path,
    status: bool,
    dry_run: bool,
    results: Path | None,
    patience: float,
    allow_import: bool,
    budget_mb: int,
    device: str | None,
    embedding_batch: int | None,
    compiled: bool,
    decoders: int | None,
    heads_device: str | None,
    quiet: bool,
    with_parent: bool,
) -> int:
    """Work on the plan in FOLDER, which `fewshot bench SUITE --plan FOLDER` writes.

    Start it as often as you like, on every machine that sees the folder: each process takes tasks that nobody has. A
    killed process loses one task, which another one takes up. Set FEWSHOT_HOME to a folder that all machines share, so
    that they share features.
    """
    from fewshot.work.places import WorkFolder

    plan = WorkFolder(folder, patience)
    if status:
        return _status(plan)
    if not dry_run:
        _check_folder(plan)
    if with_parent:
        from fewshot.work.processes import stop_with_parent

        stop_with_parent()
    from fewshot.work.doing import bench_at, check_imports, workbench
    from fewshot.work.worker import Worker

    path = results or folder / "rows.jsonl"
    settings = _device_options.embedding_settings(embedding_batch, compiled, decoders)
    computing = workbench(budget_mb << 20, device, not quiet, settings, heads_device)
    bench = bench_at(path, computing, allow_import)
    if dry_run:
        return _list_tasks(plan, bench)
    if not plan.n_left:  # it may lie on a disk that nobody can write any more
        return _ended(plan, path, 0, quiet, with_parent)
    if not allow_import:
        check_imports(plan.tasks)
    writable_results(path)
    n_done = 0

    def ended(task: Task, outcome: Outcome) -> None:
        nonlocal n_done
        n_done += 1
        if not quiet:
            print_progress(f"{outcome.status}: {task.words}, {outcome.seconds:.1f} s")

    Worker(plan, bench, ended).work()
    return _ended(plan, path, n_done, quiet, with_parent)


def _ended(plan: WorkFolder, results: Path, n_done: int, quiet: bool, with_parent: bool) -> int:
    """The exit code: 1 if a task failed or was lost. Answers with the rows, and prints each error once, unless the
    parent of this worker does."""
    from fewshot.results.files import Results

    failures, written = [] if with_parent else plan.failures(), Results(results)
    if not with_parent:
        with suppress(OSError):  # the disk may be read-only: all commands read the rows where they are
            gather(written, plan.order)
    if not quiet:
        n_tasks = len(plan.tasks)
        lines = [f"All tasks have ended: {counted(n_tasks, 'task')}, {n_done:,} here."]
        lines += [f"rows: {listed(list(map(str, written.places)))}", f"report: fewshot report {results}"]
        values = {"n_tasks": n_tasks, "n_rows": len(written.rows()), "results": results, "failures": failures}
        answer("\n".join(lines), values)
    _print_failures(failures)
    return 1 if failures else 0


def _print_failures(failures: Sequence[Mapping[str, str]]) -> None:
    """Prints one sentence per error, however many tasks it stopped; the last of them writes the row of the run."""
    by_error: dict[str, list[str]] = {}
    for each in failures:
        by_error.setdefault(each["error"], []).append(each["task"])
    for error, tasks in by_error.items():
        more = f" (and {counted(len(tasks) - 1, 'more task')})" if len(tasks) > 1 else ""
        click.echo(printable(f"Error: cannot {tasks[0]}{more}: {in_own_options(error)}"), err=True)


def _check_folder(plan: WorkFolder) -> None:
    """Raises a ValueError if relative paths of the plan would start in another folder than where it was made."""
    from fewshot.work.listing import relative_paths

    if plan.planned_in != os.getcwd() and (paths := relative_paths(plan.tasks)):
        raise ValueError(
            f"the plan was made in {plan.planned_in} and names {paths[0]} from there; start `fewshot work` in that "
            "folder, or plan with absolute paths"
        )


def _status(plan: WorkFolder) -> int:
    """Answers with the counts of tasks."""
    from fewshot.work.listing import counts, counts_in_words

    found = counts(plan)
    answer("\n".join(counts_in_words(plan, found)), found)
    return 0


def _list_tasks(plan: WorkFolder, bench: Bench) -> int:
    """Answers with the tasks that have not ended, and with the features that are stored already."""
    from fewshot.commands._rates import rates
    from fewshot.work.listing import grouped
    from fewshot.work.presence import stored_images

    ended = plan.statuses()
    left = [task for task in plan.tasks if task.name not in ended]
    lines, values = grouped(left, rates(), stored_images(left, bench))
    answer("\n".join(lines), values)
    return 0
