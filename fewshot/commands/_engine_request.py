"""The request that says which processes do the work of a suite; none of its options changes a number."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import click

from fewshot.commands import _options
from fewshot.commands._answers import answer, print_progress, wants_json
from fewshot.commands._device_options import device_arguments
from fewshot.files.regular import read_bytes
from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    from fewshot.results.files import Results
    from fewshot.results.row import Row
    from fewshot.runs.specs import RunSpec
    from fewshot.runs.workbench import Workbench
    from fewshot.work.places import WorkFolder


class Engine(Protocol):
    """Other processes that do the tasks of a folder."""

    def work(self, look: Callable[[], None]) -> None: ...


def _tls_option(name: str, what: str) -> Any:
    return click.option(name, type=_options.FILE, default=None, help=what)


def _check_pem(path: Path | None, option: str) -> None:
    """Raises a ValueError unless this is a file of certificates or keys as text."""
    _options.check_file(path)
    if path is not None and b"-----BEGIN " not in read_bytes(path):
        raise ValueError(f"{option} {path} holds no certificate and no key; give a PEM file, which has a BEGIN line")


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

    scheduler: Annotated[
        str,
        click.option(
            "--scheduler",
            metavar="ADDRESS|FILE|local:N",
            default="",
            help="Work on a Dask cluster: the address or the file of its scheduler, or local:N for N workers here.",
        ),
    ]
    tls_ca_file: Annotated[
        Path | None, _tls_option("--tls-ca-file", "Check the scheduler by this certificate authority (PEM).")
    ]
    tls_cert: Annotated[Path | None, _tls_option("--tls-cert", "Show this certificate to the scheduler (PEM).")]
    tls_key: Annotated[Path | None, _tls_option("--tls-key", "Use the key of that certificate (PEM).")]

    @property
    def is_this_process(self) -> bool:
        """Whether this process does the work itself."""
        return self.jobs == 1 and self.plan is None and not self.scheduler

    def check(self) -> None:
        """Raises a UsageError for options that contradict each other, and a ValueError for files without a key."""
        given = {
            f"--jobs {self.jobs}": self.jobs > 1,
            f"--scheduler {self.scheduler}": bool(self.scheduler),
            f"--plan {self.plan}": self.plan is not None,
        }
        if len(both := [option for option, is_given in given.items() if is_given]) > 1:
            raise click.UsageError(f"{both[0]} and {both[1]} each say who does the work; give one of them")
        _check_pem(self.tls_ca_file, "--tls-ca-file")
        _check_pem(self.tls_cert, "--tls-cert")
        _check_pem(self.tls_key, "--tls-key")

    def work(self, specs: Sequence[RunSpec], results: Results, bench: Workbench, seen: Callable[[], None]) -> None:
        """Returns once other processes have ended all tasks of these runs; calls `seen` now and then. Their rows are in
        the results file, in the order of the runs."""
        from fewshot.files.progress import progress_bar
        from fewshot.work.listing import stored_in_words

        folder, n_stored = planned(results.path.with_suffix(".work"), specs, results, bench)
        where = f"the cluster {self.scheduler}" if self.scheduler else counted(self.jobs, "worker")
        n_tasks = folder.n_left
        print_progress(f"{counted(n_tasks, 'task')} for {where}{stored_in_words(n_stored)}.")
        engine = self._engine(folder, results, bench)
        with progress_bar(n_tasks, "tasks", "task", not wants_json()) as bar:

            def look() -> None:
                bar.update(n_tasks - folder.n_left - bar.n)
                seen()

            engine.work(look)
        gather(results, folder.order)

    def _engine(self, folder: WorkFolder, results: Results, bench: Workbench) -> Engine:
        from fewshot.work.gpus import gpus_to_share

        gpus = gpus_to_share(bench.device, bench.heads_device)
        if self.scheduler:
            from fewshot.work.cluster import Cluster
            from fewshot.work.remote import Settings
            from fewshot.work.schedulers import Tls, opened

            tls = Tls(*(str(path or "") for path in (self.tls_ca_file, self.tls_cert, self.tls_key)))
            opener = partial(opened, gpus=gpus)
            return Cluster(folder, Settings.of(results.path, bench), self.scheduler, tls, opener)
        from fewshot.work.processes import LocalWorkers

        say = partial(click.echo, err=True)
        return LocalWorkers(folder, results.path, self.jobs, _options_of(bench), say, gpus)


def planned(path: Path, specs: Sequence[RunSpec], results: Results, bench: Workbench) -> tuple[WorkFolder, int]:
    """The folder with the tasks of these runs, and the number of images whose features are stored: tasks that would
    embed nothing else have ended."""
    from fewshot.work.doing import Bench
    from fewshot.work.places import WorkFolder
    from fewshot.work.planning import plan
    from fewshot.work.presence import end_stored

    folder = WorkFolder.make(path, plan(specs, results, bench), run_ids(specs, bench))
    return folder, end_stored(folder, Bench(results, bench))


def gather(results: Results, order: Sequence[str]) -> None:
    """Moves the rows of all processes into the results file, in the order of the runs; those of trials into theirs."""
    results.gather(order)
    results.trials.gather()


def write_plan(folder: Path, specs: Sequence[RunSpec], bench: Workbench) -> int:
    """Writes the tasks of these runs into a folder; answers with their number and with what to do next."""
    from fewshot.results.files import Results
    from fewshot.work.listing import stored_in_words

    _check_unfinished_work(folder, specs)
    plan, n_stored = planned(folder, specs, Results(folder / "rows.jsonl"), bench)
    n_tasks = plan.n_left
    tasks = f"{counted(n_tasks, 'task')} in {folder}{stored_in_words(n_stored)}."
    answer(
        f"{tasks} Start on any machine that sees it: fewshot work {folder}",
        {"plan": folder, "n_tasks": n_tasks, "n_stored": n_stored},
    )
    return 0


def _check_unfinished_work(folder: Path, specs: Sequence[RunSpec]) -> None:
    """Raises a ValueError if the folder holds unfinished runs that are not among these, or have more episodes there."""
    from fewshot.runs.spec_json import spec_to_json
    from fewshot.work.places import WorkFolder

    new: dict[str, int] = {}
    for spec in specs:
        run, n_episodes = _without_episodes(spec_to_json(spec))
        new[run] = max(n_episodes, new.get(run, 0))
    old = map(_without_episodes, WorkFolder(folder).unfinished_runs())
    if n_lost := sum(n_episodes > new.get(run, 0) for run, n_episodes in old):
        raise ValueError(
            f"{folder} holds a plan with {counted(n_lost, 'unfinished run')} that this suite lacks or gives fewer "
            f"episodes; give another folder with --plan, finish that plan (fewshot work {folder}), or remove the folder"
        )


def _without_episodes(run: Mapping[str, Any]) -> tuple[str, int]:
    """A run as a text without its number of episodes, and that number."""
    rest = {name: value for name, value in run.items() if name != "n_episodes"}
    n_episodes = run.get("n_episodes")
    return json.dumps(rest, sort_keys=True), n_episodes if isinstance(n_episodes, int) else 0


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
    return ["--allow-import", *device, *budget, *device_arguments(bench)]
