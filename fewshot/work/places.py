"""The folder of a plan, which worker processes share: its tasks, their outcomes and leases.

work.json        the tasks, and the folder in which they were planned
done/NAME.STATUS one file for each task that has ended: done, failed or lost
leases/, lost/   who works on which task (files/leases.py)
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fewshot.files.atomic import write_atomically
from fewshot.files.leases import PATIENCE, Leases
from fewshot.files.regular import parsed_json, read_text
from fewshot.work.doing import Outcome
from fewshot.work.tasks import Task

FORMAT = "fewshot-work-1"
STATUSES = ("done", "failed", "lost")


@dataclass(frozen=True)
class WorkFolder:
    """The folder of a plan."""

    path: Path
    patience: float = PATIENCE

    @staticmethod
    def make(path: Path, tasks: Sequence[Task], order: Sequence[str] = (), patience: float = PATIENCE) -> WorkFolder:
        """The folder with these tasks. Outcomes of an earlier plan stay while a process works on it; else they are
        removed, since what they left may be gone. `order`: run ids in the order of the suite."""
        folder = WorkFolder(path, patience)
        if not folder.leases.taken():
            for name in ("done", "lost"):
                shutil.rmtree(path / name, ignore_errors=True)
        plan = {
            "format": FORMAT,
            "folder": os.getcwd(),
            "order": list(order),
            "tasks": [task.to_json() for task in tasks],
        }
        write_atomically(path / "work.json", json.dumps(plan, indent=0).encode())
        return folder

    @cached_property
    def tasks(self) -> list[Task]:
        """The tasks, each after those that it needs; a ValueError if the file holds anything else."""
        plan = self._plan
        try:
            tasks = [Task.from_json(values) for values in plan["tasks"]]
        except ValueError as error:
            raise self._changed(str(error)) from error
        known: set[str] = set()
        for task in tasks:
            if not known.issuperset(task.needs):
                raise self._changed("it holds a task before one that it needs, or without it")
            known.add(task.name)
        return tasks

    def _changed(self, why: str) -> ValueError:
        return ValueError(
            f"{self.path / 'work.json'} was changed since it was planned: {why}; "
            f"`fewshot bench SUITE --plan {self.path}` writes it again"
        )

    @property
    def planned_in(self) -> str:
        """The folder in which the plan was made; relative paths in it start there."""
        return str(self._plan["folder"])

    @property
    def order(self) -> list[str]:
        """The run ids in the order of the suite."""
        return [str(run_id) for run_id in self._plan["order"]]

    @cached_property
    def _plan(self) -> dict[str, Any]:
        path = self.path / "work.json"
        try:
            plan = parsed_json(read_text(path))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ValueError(f"there is no plan {path}; `fewshot bench SUITE --plan {self.path}` writes one") from error
        except ValueError as error:
            raise ValueError(f"{path} is no plan: {error}; `fewshot bench SUITE --plan` writes one") from error
        lists = isinstance(plan, dict) and all(isinstance(plan.get(name), list) for name in ("tasks", "order"))
        if not lists or plan.get("format") != FORMAT:
            raise ValueError(f"{path} is no plan of this release ({FORMAT}); `fewshot bench SUITE --plan` writes one")
        return dict(plan)

    @cached_property
    def leases(self) -> Leases:
        """The leases of tasks, as this process sees them."""
        return Leases(self.path / "leases", self.patience)

    def statuses(self) -> dict[str, str]:
        """The status of every task that has ended, by its name."""
        try:
            names = os.listdir(self.path / "done")
        except FileNotFoundError:
            return {}
        pairs = (name.split(".") for name in names if not name.startswith("."))
        return {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and pair[1] in STATUSES}

    def has_ended(self, name: str) -> bool:
        """Whether a task has ended, without a look at all tasks."""
        return any((self.path / "done" / f"{name}.{status}").exists() for status in STATUSES)

    @property
    def n_left(self) -> int:
        """The number of tasks of the plan that have not ended."""
        ended = self.statuses()
        return sum(task.name not in ended for task in self.tasks)

    def end(self, task: Task, outcome: Outcome) -> None:
        """Stores how a task ended."""
        content = json.dumps(asdict(outcome) | {"task": task.words}).encode()
        write_atomically(self.path / "done" / f"{task.name}.{outcome.status}", content)

    def outcome(self, name: str, status: str) -> Outcome:
        """How a task ended that has this status."""
        return Outcome(status, error="" if status == "done" else self.error(name, status))

    def error(self, name: str, status: str) -> str:
        """The error of a task that failed or was lost."""
        try:
            return str(parsed_json(read_text(self.path / "done" / f"{name}.{status}"))["error"])
        except (OSError, ValueError, KeyError, TypeError):
            return "a task of this run failed"

    def failures(self) -> list[dict[str, str]]:
        """Each task that failed or was lost, in words, with its status and its error."""
        statuses = self.statuses()
        ended = ((task, statuses.get(task.name, "")) for task in self.tasks)
        return [
            {"task": task.words, "status": status, "error": self.error(task.name, status)}
            for task, status in ended
            if status in ("failed", "lost")
        ]

    def unfinished_runs(self) -> list[dict[str, Any]]:
        """The runs of the plan whose rows are still to be written, without trials; empty if no plan can be read."""
        try:
            tasks = self.tasks
        except (ValueError, OSError):  # nobody can work on it
            return []
        ended = self.statuses()
        rows = (task for task in tasks if task.kind == "row" and task.name not in ended)
        runs = (task.what.get("run") for task in rows if not task.what.get("trial"))
        return [run for run in runs if isinstance(run, dict)]
