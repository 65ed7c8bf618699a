"""The request that says which processes do the work of a suite; none of its options changes a number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click

from fewshot.commands import _options
from fewshot.commands._answers import answer, print_progress, wants_json
from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    from fewshot.results.files import Results
    from fewshot.results.row import Row
    from fewshot.runs.pipeline import Workbench
    from fewshot.runs.specs import RunSpec
    from fewshot.work.places import WorkFolder


@dataclass(frozen=True)
class EngineRequest:
    """Which processes do the work."""

    jobs: Annotated[
        int,
        click.option("--jobs", type=click.IntRange(min=1), default=1, help="Work with this many processes here."),
    ]
    plan: Annotated[
        Path | None,
        click.option(
            "--plan",
            type=_options.NEW_FOLDER,
            metavar="FOLDER",
            help="Write the tasks into this folder for `fewshot work FOLDER`, then stop.",
        ),
    ]

    @property
    def is_this_process(self) -> bool:
        """Whether this process does the work itself."""
        return self.jobs == 1 and self.plan is None

    def work(self, specs: Sequence[RunSpec], results: Results, bench: Workbench, seen: Callable[[], None]) -> None:
        """Returns once other processes have ended all tasks of these runs; calls `seen` now and then. Their rows are in
        the results file, in the order of the runs."""
        from fewshot.files.progress import progress_bar
        from fewshot.work.processes import LocalWorkers

        folder = planned(results.path.with_suffix(".work"), specs, results, bench)
        print_progress(f"{counted(len(folder.tasks), 'task')} for {counted(self.jobs, 'worker')}.")
        workers = LocalWorkers(
            folder, results.path, self.jobs, _options_of(bench), lambda text: click.echo(text, err=True)
        )
        with progress_bar(len(folder.tasks), "tasks", "task", not wants_json()) as bar:

            def look() -> None:
                bar.update(len(folder.statuses()) - bar.n)
                seen()

            workers.work(look)
        gather(results, folder.order)


def planned(path: Path, specs: Sequence[RunSpec], results: Results, bench: Workbench) -> WorkFolder:
    """The folder with the tasks of these runs."""
    from fewshot.work.places import WorkFolder
    from fewshot.work.planning import plan

    tasks = plan(specs, results, bench)
    return WorkFolder.make(path, tasks, run_ids(specs, bench))


def gather(results: Results, order: Sequence[str]) -> None:
    """Moves the rows of all processes into the results file, in the order of the runs; those of trials into theirs."""
    results.gather(order)
    results.trials.gather()


def write_plan(folder: Path, specs: Sequence[RunSpec], bench: Workbench) -> int:
    """Writes the tasks of these runs into a folder; answers with their number and with what to do next."""
    from fewshot.results.files import Results

    made = planned(folder, specs, Results(folder / "rows.jsonl"), bench)
    text = f"{counted(len(made.tasks), 'task')} in {folder}. Start on any machine that sees it: fewshot work {folder}"
    answer(text, {"plan": folder, "n_tasks": len(made.tasks)})
    return 0


def run_ids(specs: Sequence[RunSpec], bench: Workbench) -> list[str]:
    """The run ids of these runs, in order; without those whose data side fails."""
    found = [_run_id(spec, bench) for spec in specs]
    return [run_id for run_id in found if run_id]


def _run_id(spec: RunSpec, bench: Workbench) -> str:
    try:
        return bench.prepare(spec).run_id
    except (ValueError, OSError):
        return ""


def rows_of(specs: Sequence[RunSpec], results: Results, bench: Workbench) -> dict[RunSpec, Row]:
    """The row of each run that has one: the result, or the failure of its last attempt."""
    from fewshot.commands._running import row_of

    rows = results.rows()
    done = {row.run_id: row for row in rows if row.status == "ok"}
    failed = {row.spec: row for row in rows if row.status != "ok"}
    found: dict[RunSpec, Row] = {}
    for spec in specs:
        row = done.get(_run_id(spec, bench)) or failed.get(row_of(spec).spec)
        if row is not None:
            found[spec] = row
    return found


def _options_of(bench: Workbench) -> list[str]:
    """The options of `fewshot work` for a worker with the settings of this workbench. The suite of the user named its
    members, so workers may import them."""
    device = [] if bench.device is None else ["--device", bench.device]
    budget = [] if bench.budget_bytes is None else ["--budget-mb", str(bench.budget_bytes >> 20)]
    return ["--allow-import", *device, *budget]
