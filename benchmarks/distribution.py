"""Equality and overhead of all ways to divide a suite: `python -m benchmarks.distribution` takes ten minutes.

    python -m benchmarks.distribution [--suite smoke] [--episodes N] [--way WAY] [--overhead]

Each way starts with an empty cache: one process, shards of 1, 2 and 7, `--jobs 3`, three `fewshot work` processes on a
folder, and a Dask cluster of four worker processes that find their scheduler by its file: one is killed while it works,
one joins late, and one is slow (it is stopped half of the time). The script compares every row and every stored
prediction with those of one process, and measures wall and processor seconds. Then it measures the overhead of a task
by tasks that do nothing. It writes benchmarks/results/distribution.json.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from threading import Thread
from typing import Any

from fewshot.files.atomic import read_safetensors
from fewshot.results.resources import Resources
from fewshot.work.doing import Bench, Outcome
from fewshot.work.places import WorkFolder
from fewshot.work.tasks import Task
from fewshot.work.worker import Worker

OUT = Path(__file__).parent / "results" / "distribution.json"
COSTS = {"seconds_embedding", "seconds_solving", "n_embedded", "finished", "n_threads", "commit"} | {
    column.name for column in fields(Resources)
}
SIZES = (300, 3000)  # tasks that do nothing
LOOPBACK = ("--host", "127.0.0.1", "--no-dashboard")
Process = subprocess.Popen[bytes]
Options = Sequence[str]


def start(home: Path, *args: str, module: str = "fewshot") -> Process:
    """A command of a module in a process of its own, with one thread."""
    threads = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "NUMBA_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", module, *args],
        env=os.environ | threads | {"FEWSHOT_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(*processes: Process) -> None:
    """Waits for processes that must succeed."""
    for process in processes:
        _, err = process.communicate()
        if process.returncode:
            raise RuntimeError(err.decode())


def one(folder: Path, options: Options) -> None:
    finish(start(folder / "home", "bench", *options, "--results", str(folder / "rows.jsonl")))


def shards(count: int) -> Callable[[Path, Options], None]:
    """Shards that start at once."""

    def run(folder: Path, options: Options) -> None:
        args = ("bench", *options, "--results", str(folder / "rows.jsonl"))
        finish(*[start(folder / "home", *args, "--shard", f"{i}/{count}") for i in range(1, count + 1)])

    return run


def jobs(folder: Path, options: Options) -> None:
    finish(start(folder / "home", "bench", *options, "--results", str(folder / "rows.jsonl"), "--jobs", "3"))


def work(folder: Path, options: Options) -> None:
    finish(start(folder / "home", "bench", *options, "--plan", str(folder)))
    finish(*[start(folder / "home", "work", str(folder), "--quiet") for _ in range(3)])


def dask(folder: Path, options: Options) -> None:
    """A scheduler, and workers of which one is killed, one is late and one is slow."""
    file = str(folder / "scheduler.json")
    scheduler = start(folder, "scheduler", "--scheduler-file", file, *LOOPBACK, "--port", "0", module="dask")
    workers: list[Process] = []

    def add() -> Process:
        args = ("--scheduler-file", file, "--nthreads", "1", "--no-nanny", "--local-directory", str(folder))
        workers.append(start(folder / "home", "worker", *args, *LOOPBACK, module="dask"))
        return workers[-1]

    try:
        killed, slow, _ = add(), add(), add()
        suite = start(folder / "home", "bench", *options, "--results", str(folder / "rows.jsonl"), "--scheduler", file)
        Thread(target=trouble, args=(folder, killed, slow, add), daemon=True).start()
        finish(suite)
    finally:
        for process in (*workers, scheduler):
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.communicate()


def trouble(folder: Path, killed: Process, slow: Process, add: Callable[[], Process]) -> None:
    """Kills a worker after some tasks, starts another one, and stops the slow one for every other second."""
    done = folder / "rows.work" / "done"
    while not (done.is_dir() and len(list(done.iterdir())) > 4):
        time.sleep(0.1)
    killed.kill()
    add()
    while slow.poll() is None:
        for number in (signal.SIGSTOP, signal.SIGCONT):
            slow.send_signal(number)
            time.sleep(1)


WAYS: dict[str, Callable[[Path, Options], None]] = {
    "1 process": one,
    "shard 1/1": shards(1),
    "2 shards": shards(2),
    "7 shards": shards(7),
    "--jobs 3": jobs,
    "3 x fewshot work": work,
    "Dask: 4 workers, 1 killed, 1 late, 1 slow": dask,
}


def content(folder: Path) -> dict[str, tuple[dict[str, Any], str]]:
    """Every row without its costs, and a digest of its stored predictions, by run id."""
    files = [
        folder / "rows.jsonl",
        *(folder / "rows.rows").glob("*.jsonl"),
    ]  # of `fewshot work`, until the last one ends
    rows = [json.loads(line) for path in files if path.exists() for line in path.read_text().splitlines()]
    return {
        row["run_id"]: (
            {k: v for k, v in row.items() if k not in COSTS},
            digest(folder / "rows.predictions" / row["run_id"]),
        )
        for row in rows
    }


def digest(parts: Path) -> str:
    """A digest of all arrays of the parts together: parts may be divided in other ways."""
    arrays: dict[str, list[bytes]] = {}
    for path in sorted(parts.glob("*.safetensors")):
        for name, array in read_safetensors(path, "predictions")[0].items():
            arrays.setdefault(name, []).append(array.tobytes())
    joined = b"".join(name.encode() + b"".join(found) for name, found in sorted(arrays.items()))
    return hashlib.sha256(joined).hexdigest()


@contextmanager
def measured(into: dict[str, Any]) -> Iterator[None]:
    """Measures wall seconds, and processor seconds of processes that ended."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    yield
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    into |= {"seconds": round(time.monotonic() - began, 1), "cpu_seconds": round(used, 1)}


class Idle(Bench):
    """A bench whose tasks do nothing."""

    def attempt(self, task: Task) -> Outcome:
        return Outcome("done")


def overhead_of_folder(folder: Path, n_tasks: int) -> float:
    """Milliseconds that a worker spends on a task beside doing it."""
    tasks = [Task("row", {"number": number}) for number in range(n_tasks)]
    work = WorkFolder.make(folder / str(n_tasks), tasks)
    began = time.monotonic()
    Worker(work, Idle(None, None)).work()  # type: ignore[arg-type]
    return round(1000 * (time.monotonic() - began) / n_tasks, 2)


def overhead_of_dask(n_tasks: int) -> float:
    """Milliseconds from task to task of a Dask cluster with one worker, with messages of the usual size."""
    distributed: Any = importlib.import_module("distributed")  # without types

    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.submit(len, "warm", pure=False).result()
        began = time.monotonic()
        distributed.wait([client.submit(len, f"{n:01000d}", pure=False) for n in range(n_tasks)])
        return round(1000 * (time.monotonic() - began) / n_tasks, 2)


def measured_ways(options: Options, names: Sequence[str], scratch: Path) -> list[dict[str, Any]]:
    """What each way took, and whether its rows and predictions are those of the first one."""
    ways, reference = [], None
    for number, name in enumerate(names):
        way = WAYS[name]
        folder = scratch / str(number)
        found: dict[str, Any] = {"way": name}
        folder.mkdir()
        with measured(found):
            way(folder, options)
        rows = content(folder)
        reference = rows if reference is None else reference
        ways.append(found | {"rows": len(rows), "equal": rows == reference})
        print(ways[-1], flush=True)
    return ways


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default="smoke")
    parser.add_argument("--episodes", type=int)
    parser.add_argument("--way", choices=WAYS, action="append", help="measure this way; the others stay; repeatable")
    parser.add_argument("--overhead", action="store_true", help="measure the overhead of a task alone")
    given = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="distribution-"))
    if given.overhead:
        values = json.loads(OUT.read_text())
    else:
        options = [given.suite, *(["--episodes", str(given.episodes)] if given.episodes else [])]
        machine = f"{os.cpu_count()} cores, load {os.getloadavg()[2]:.1f}"
        names = [name for name in WAYS if name == "1 process" or name in (given.way or WAYS)]
        ways = {one["way"]: one for one in measured_ways(options, names, scratch)}
        stored = json.loads(OUT.read_text())
        before = stored["ways"] if given.way and stored["suite"] == " ".join(options) else []
        every = [ways.get(one["way"], one) for one in before] or list(ways.values())
        values = {"suite": " ".join(options), "machine": machine, "ways": every}
    overhead = {f"folder, plan of {n} tasks": overhead_of_folder(scratch, n) for n in SIZES}
    overhead |= {f"Dask, {n} tasks": overhead_of_dask(n) for n in SIZES}
    shutil.rmtree(scratch, ignore_errors=True)
    print(overhead)
    OUT.write_text(json.dumps(values | {"milliseconds_of_a_task": overhead}, indent=1) + "\n")


if __name__ == "__main__":
    main()
