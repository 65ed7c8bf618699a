"""A worker: takes the first task that is ready and that nobody has, does it, and looks again until all are done."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fewshot.work.doing import Bench, Outcome, hindrance
from fewshot.work.places import WorkFolder
from fewshot.work.tasks import Task

MOST_LOSSES = 3  # of a task, before it is given up
_SHORTEST, _LONGEST = 0.05, 2.0  # seconds between two looks, while nothing is free
_SOON = 1.0  # seconds between two looks at least, while tasks are short
_LOOKS = 20  # times as long as a look: looks take a twentieth of the time at most


@dataclass(eq=False)
class Worker:
    """A process that works on a plan, with any number of others."""

    folder: WorkFolder
    bench: Bench
    ended: Callable[[Task, Outcome], None] = lambda task, outcome: None  # told of each task that this worker ends
    _last: Task | None = field(default=None)

    def work(self) -> None:
        """Does tasks until all have ended, here or elsewhere. An interruption gives the task back."""
        left, pause = self.folder.tasks, _SHORTEST
        while True:
            began = time.monotonic()
            statuses = self.folder.statuses()
            left = [task for task in left if task.name not in statuses]
            if not left:
                return
            ready = self._ready(left, statuses)
            look = time.monotonic() - began
            if self._do_some(ready, statuses, time.monotonic() + max(_SOON, _LOOKS * look)):
                pause = _SHORTEST
                continue
            time.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, _LONGEST)

    def _ready(self, left: list[Task], statuses: Mapping[str, str]) -> list[Task]:
        """The tasks that nobody has and whose needs are there; first those with the network of the last one."""
        taken = self.folder.leases.taken()
        ready = (task for task in left if task.name not in taken and all(need in statuses for need in task.needs))
        return sorted(ready, key=self._is_far)

    def _do_some(self, ready: list[Task], statuses: Mapping[str, str], until: float) -> bool:
        """Whether one of these tasks was still free. Does the first such task, and others while it is not too late to
        look at the folder again."""
        found = False
        for task in ready:
            if found and time.monotonic() > until:
                break
            with self.folder.leases.claimed(task.name) as mine:
                if mine and not self.folder.has_ended(task.name):
                    self._do(task, statuses)
                    found = True
        return found

    def _is_far(self, task: Task) -> bool:
        """Whether a task needs another network than the last one: this process would have to load it first."""
        return self._last is not None and _backbone(task) != _backbone(self._last)

    def _do(self, task: Task, statuses: Mapping[str, str]) -> None:
        self._last = task
        outcome = self._given_up(task, statuses) or self.bench.attempt(task)
        self.folder.end(task, outcome)
        self.ended(task, outcome)

    def _given_up(self, task: Task, statuses: Mapping[str, str]) -> Outcome | None:
        """The outcome of a task that is not tried, because its workers died, or because one that it needs failed."""
        losses = self.folder.leases.losses(task.name)
        if losses >= MOST_LOSSES:
            return self.bench.fail(task, lost_sentence(task, losses), "lost")
        cause = hindrance(self.folder.outcome(need, statuses[need]) for need in task.needs)
        return None if cause is None else self.bench.fail(task, cause.error, cause.status)


def lost_sentence(task: Task, losses: int) -> str:
    """Why a task is given up."""
    return (
        f"{losses} workers died or gave no sign of life while they had this task: {task.words}; look for too little "
        "memory or time, then run the same command again"
    )


def _backbone(task: Task) -> object:
    values = task.what.get("run", task.what)
    return values.get("backbone"), values.get("dataset")
