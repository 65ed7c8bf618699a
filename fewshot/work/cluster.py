"""The tasks of a plan as futures of a Dask cluster, which the user starts; extra `cluster`.

Messages are texts of JSON: a task and the settings of a worker go there, an outcome comes back. Features, predictions
and rows are files on a folder that all workers share.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fewshot.features.settings import EmbeddingSettings
from fewshot.files.regular import parsed_json
from fewshot.runs.pipeline import Workbench
from fewshot.work.doing import Bench, Outcome, bench_at, workbench
from fewshot.work.places import WorkFolder
from fewshot.work.processes import n_cores
from fewshot.work.tasks import Task
from fewshot.work.worker import MOST_LOSSES, lost_sentence

_LOOK = 0.25  # seconds between two looks at the futures
_RECONNECT = 10.0  # seconds between two attempts to reach a scheduler that went away
_ATTEMPTS = 30
_FILE_WAIT = 5.0  # seconds, for the file of a scheduler that starts now
_HOST_AND_PORT = re.compile(r"[\w.-]+:\d+|\[[\da-fA-F:]+\]:\d+")
_LOOPBACK = "127.0.0.1"
_log = logging.getLogger("fewshot")


@dataclass(frozen=True)
class Settings:
    """What a worker needs to know besides its task."""

    results: str  # absolute
    folder: str  # the working folder of the plan: relative paths start there
    home: str  # $FEWSHOT_HOME of the one who asks; "" where it is not set
    budget_bytes: int | None = None
    device: str = ""
    allow_import: bool = False
    embedding: Mapping[str, Any] = field(default_factory=dict)  # the fields of EmbeddingSettings
    heads_device: str = ""

    def to_json(self) -> str:
        """The settings as a text."""
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True)
class Tls:
    """The files of an encrypted connection, as `dask scheduler` takes them; empty: Dask's own configuration."""

    ca_file: str = ""
    cert: str = ""
    key: str = ""


def do(task: str, settings: str, *needs: str) -> str:
    """The outcome of a task, as JSON. It runs on a worker, after the tasks that it needs."""
    wanted, bench = Task.from_json(parsed_json(task)), _bench(settings)
    outcomes = [Outcome(**parsed_json(need)) for need in needs]
    lost = next((o for o in outcomes if o.status == "lost"), None)
    failed = next((o for o in outcomes if o.status == "failed"), None) if wanted.kind == "row" else None
    if (hindrance := lost or failed) is not None:
        return json.dumps(asdict(bench.fail(wanted, hindrance.error, hindrance.status)))
    return json.dumps(asdict(bench.attempt(wanted)))


@functools.lru_cache(maxsize=1)
def _bench(settings: str) -> Bench:
    """The bench of this worker process: loaded images and networks stay."""
    given = Settings(**parsed_json(settings))
    if given.home:
        os.environ["FEWSHOT_HOME"] = given.home
    if Path(given.folder).is_dir():
        os.chdir(given.folder)
        if given.allow_import and "" not in sys.path:
            sys.path.append("")  # so that package.module:Class may lie in the working folder, as on the command line
    embedding = EmbeddingSettings(**given.embedding)
    bench = workbench(given.budget_bytes, given.device or None, False, embedding, given.heads_device or None)
    return bench_at(Path(given.results), bench, given.allow_import)


@dataclass(eq=False)
class Cluster:
    """A cluster that works on a plan. `scheduler`: an address, a scheduler file, or local:N for N workers here."""

    folder: WorkFolder
    settings: Settings
    scheduler: str
    tls: Tls = Tls()
    _n_rounds: int = 0

    def work(self, look: Callable[[], None]) -> None:
        """Returns when all tasks have ended; calls `look` now and then. A scheduler that goes away is asked again."""
        _check_scheduler(self.scheduler)
        for attempt in range(_ATTEMPTS):
            try:
                with self._client() as client:
                    return self._work(client, look)
            except (OSError, _Gone) as error:
                if attempt == _ATTEMPTS - 1 or not (attempt or self.folder.statuses()):
                    raise OSError(f"cannot reach the scheduler {self.scheduler}: {error}") from error
                _log.warning("lost the scheduler %s (%s); trying again", self.scheduler, error)
                time.sleep(_RECONNECT)
        return None

    def _work(self, client: Any, look: Callable[[], None]) -> None:
        while left := self._left():
            for task in self._round(client, left, look):
                ((_, future),) = self._submitted(client, [task]).items()
                while not future.done():
                    self._look(client, look)
                self.folder.end(task, self._outcome(task, future))
        look()

    def _look(self, client: Any, look: Callable[[], None]) -> None:
        time.sleep(_LOOK)
        if client.status not in ("running", "connecting"):
            raise _Gone(client.status)
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
        error = "" if status == "done" else self.folder.error(name, status)
        return json.dumps(asdict(Outcome(status, error=error)))

    def _outcome(self, task: Task, future: Any) -> Outcome:
        """The outcome of a task whose future has ended; one that killed its workers is lost, with its row."""
        if future.status == "finished":
            return Outcome(**parsed_json(future.result()))
        if _blamed(future):
            return _bench_here(self.settings).fail(task, lost_sentence(task, MOST_LOSSES), "lost")
        error = future.exception() if future.status == "error" else None
        if error is None:  # cancelled, or of a scheduler that went away
            raise _Gone(future.status)
        why = f"a worker could not do this task: {error}; it needs the same release of fewshot and its packages"
        return _bench_here(self.settings).fail(task, why)

    @contextmanager
    def _client(self) -> Iterator[Any]:
        with self._local_or_not() as where, _distributed().Client(**where, set_as_default=False) as client:
            yield client

    @contextmanager
    def _local_or_not(self) -> Iterator[dict[str, Any]]:
        """The arguments of a client: how it reaches the scheduler."""
        kind, _, number = self.scheduler.partition(":")
        if kind == "local":
            with _local_cluster(_count(self.scheduler, number)) as cluster:
                yield {"address": cluster}
        elif "://" in self.scheduler or not Path(self.scheduler).is_file():
            yield {"address": self.scheduler, **_security(self.tls)}
        else:
            yield {"scheduler_file": self.scheduler, **_security(self.tls)}


def _blamed(future: Any) -> str:
    """The key of the task that killed workers, if that ended this future; else ""."""
    from distributed import KilledWorker

    error = future.exception() if future.status == "error" else None
    return str(error.task) if isinstance(error, KilledWorker) else ""


class _Gone(Exception):
    """The scheduler does not know a future any more."""


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise ValueError("--scheduler needs Dask; run: pip install 'fewshot[cluster]'") from error
    return distributed


def _check_scheduler(scheduler: str) -> None:
    """Raises a ValueError for a text that is neither an address, nor a file, nor local:N. A file may come a little
    later: one script starts both the scheduler and this command."""
    kind, colon, number = scheduler.partition(":")
    if kind == "local" and colon:
        _count(scheduler, number)
    elif "://" in scheduler or _HOST_AND_PORT.fullmatch(scheduler):
        return
    elif not (scheduler.endswith(".json") or "/" in scheduler):
        if not Path(scheduler).is_file():
            raise ValueError(
                f"{scheduler!r} is no scheduler; write an address such as tcp://host:8786, the file of a scheduler, or "
                "local:N for N workers here"
            )
    elif not _comes(Path(scheduler)):
        raise ValueError(
            f"there is no scheduler file {scheduler}; `dask scheduler --scheduler-file {scheduler}` writes one"
        )


def _comes(file: Path) -> bool:
    """Whether a file is there, or soon."""
    until = time.monotonic() + _FILE_WAIT
    while not file.is_file():
        if time.monotonic() > until:
            return False
        time.sleep(_LOOK)
    return True


def _count(scheduler: str, number: str) -> int:
    if not number.isascii() or not number.isdigit() or not int(number):
        raise ValueError(f"{scheduler!r} is no local cluster; write one such as local:4, for four workers here")
    return int(number)


@contextmanager
def _local_cluster(n_workers: int) -> Iterator[Any]:
    """Workers of this machine, which listen on the loopback device alone, without a dashboard."""
    import dask

    threads = str(max(1, n_cores() // n_workers))
    given = {"OMP_NUM_THREADS": threads, "NUMBA_NUM_THREADS": threads, "OMP_WAIT_POLICY": "passive"} | dict(os.environ)
    environment = {name: given[name] for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_WAIT_POLICY")}
    config = {
        "distributed.nanny.pre-spawn-environ": environment,
        "distributed.scheduler.allowed-failures": MOST_LOSSES - 1,
    }
    with (
        dask.config.set(config),
        _distributed().LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            host=_LOOPBACK,
            dashboard_address=f"{_LOOPBACK}:0",
            silence_logs=logging.ERROR,
        ) as cluster,
    ):
        yield cluster


def _security(tls: Tls) -> dict[str, Any]:
    if not (tls.ca_file or tls.cert or tls.key):
        return {}
    files = {"tls_ca_file": tls.ca_file, "tls_client_cert": tls.cert, "tls_client_key": tls.key}
    given = {name: path for name, path in files.items() if path}
    return {"security": _distributed().security.Security(require_encryption=True, **given)}


def _bench_here(settings: Settings) -> Bench:
    return _bench(settings.to_json())


def settings_of(results: Path, bench: Workbench) -> Settings:
    """The settings of workers for a results file. Workers may import what the suite of the user names."""
    return Settings(
        results=str(results.absolute()),
        folder=os.getcwd(),
        home=str(Path(home).absolute()) if (home := os.environ.get("FEWSHOT_HOME", "")) else "",
        budget_bytes=bench.budget_bytes,
        device=bench.device or "",
        allow_import=True,
        embedding=asdict(bench.embedding),
        heads_device=bench.heads_device or "",
    )
