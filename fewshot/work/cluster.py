"""The tasks of a plan as futures of a Dask cluster, which the user starts; extra `cluster`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from fewshot.files.regular import parsed_json
from fewshot.plugins.wording import counted
from fewshot.work.connection import Connection, WorkerWatch
from fewshot.work.doing import Outcome
from fewshot.work.places import WorkFolder
from fewshot.work.remote import Settings, bench_of, do
from fewshot.work.schedulers import Connect, Gone, Tls, distributed, opened
from fewshot.work.tasks import Task
from fewshot.work.worker import MOST_LOSSES, lost_sentence

_LOOK = 0.25  # seconds between two looks at the futures


@dataclass(eq=False)
class Cluster:
    """A cluster that works on a plan. `scheduler`: an address, a scheduler file, or local:N for N workers here."""

    folder: WorkFolder
    settings: Settings
    scheduler: str
    tls: Tls = field(default_factory=Tls)
    open: Callable[[str, Tls], AbstractContextManager[Connect]] = opened
    _n_rounds: int = 0
    _watch: WorkerWatch = field(default_factory=lambda: WorkerWatch(""))

    def work(self, look: Callable[[], None]) -> None:
        """Returns when all tasks have ended; calls `look` now and then. Waits for a scheduler that goes away."""
        with self.open(self.scheduler, self.tls) as connect:
            Connection(self.scheduler, connect).use(
                lambda client: self._work(client, look), lambda: f"{counted(self.folder.n_left, 'task')} left"
            )

    def _work(self, client: Any, look: Callable[[], None]) -> None:
        self._watch = WorkerWatch(self.scheduler)
        while left := self._left():
            for task in self._round(client, left, look):
                ((_, future),) = self._submitted(client, [task]).items()
                while not future.done():
                    self._look(client, look)
                self.folder.end(task, self._outcome(task, future))
        look()

    def _look(self, client: Any, look: Callable[[], None]) -> None:
        time.sleep(_LOOK)
        if client.status != "running":  # Dask's own attempts to connect again cancel the futures too
            raise Gone(client.status)
        with _talking():
            self._watch.look(client)
        look()

    def _round(self, client: Any, left: list[Task], look: Callable[[], None]) -> list[Task]:
        """Does these tasks. Returns those that may have killed their workers: Dask blames each task that waited at a
        dead worker too, so each of them has to run once more, alone."""
        tasks, futures = {task.name: task for task in left}, self._submitted(client, left)
        suspects: list[Task] = []
        while futures:
            self._look(client, look)
            for name in [name for name, future in futures.items() if future.done()]:
                future = futures.pop(name)
                blamed = _blamed(future)
                if blamed == future.key:
                    suspects.append(tasks[name])
                elif not blamed:  # else it waits for a suspect, and runs in the next round
                    self.folder.end(tasks[name], self._outcome(tasks[name], future))
        return suspects

    def _left(self) -> list[Task]:
        ended = self.folder.statuses()
        return [task for task in self.folder.tasks if task.name not in ended]

    def _submitted(self, client: Any, tasks: list[Task]) -> dict[str, Any]:
        """The future of each of these tasks; a task waits for those among them that it needs."""
        self._n_rounds += 1
        futures: dict[str, Any] = {}
        ended = self.folder.statuses()
        on_gpu = {"GPU": 1} if self.settings.device.startswith("cuda") else None
        for number, task in enumerate(tasks):
            needs = [futures.get(need) or self._ended(need, ended[need]) for need in task.needs]
            with _talking():
                futures[task.name] = client.submit(
                    do,
                    json.dumps(task.to_json()),
                    self.settings.to_json(),
                    *needs,
                    key=f"{task.kind}-{task.name}-{self._n_rounds}",  # a key that failed stays failed
                    priority=-number,
                    resources=None if task.kind == "row" else on_gpu,
                    pure=False,
                )
        return futures

    def _ended(self, name: str, status: str) -> str:
        return json.dumps(asdict(self.folder.outcome(name, status)))

    def _outcome(self, task: Task, future: Any) -> Outcome:
        """The outcome of a task whose future has ended; one that killed its workers is lost, with its row."""
        with _talking():
            if future.status == "finished":
                return Outcome(**parsed_json(future.result()))
            if future.status != "error":  # cancelled, or of a scheduler that went away
                raise Gone(future.status)
            error = future.exception()
        bench = bench_of(self.settings.to_json())
        if _blamed(future):
            return bench.fail(task, lost_sentence(task, MOST_LOSSES), "lost")
        why = f"a worker could not do this task: {error}; it needs the same release of fewshot and its packages"
        return bench.fail(task, why)


@contextmanager
def _talking() -> Iterator[None]:
    """Raises Gone where Dask says in one of its ways that the scheduler went away; other errors pass."""
    dask = distributed()
    closed = getattr(dask.client, "ClosedClientError", OSError)  # of newer releases
    try:
        yield
    except (OSError, dask.CancelledError, closed) as error:
        raise Gone(str(error)) from error


def _blamed(future: Any) -> str:
    """The key of the task that killed workers, if that ended this future; else ""."""
    with _talking():
        error = future.exception() if future.status == "error" else None
    return str(error.task) if isinstance(error, distributed().KilledWorker) else ""
