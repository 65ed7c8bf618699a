"""Where the engine becomes the limit: `python benchmarks/scheduler_limit.py` takes half a minute.

A simulation of workers that need a server for a short time before each task: the scheduler of Dask, or the file server
that holds a plan. Tasks take exponential times around a mean. The overheads of a task are those that
benchmarks/distribution.py measured. The script writes benchmarks/results/scheduler_limit.json: for each mean time, the
share of their time that workers spend on tasks, and the largest number of workers that keeps it at 90 %.
"""

from __future__ import annotations

import heapq
import json
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "results"
WORKERS = (1, 10, 100, 300, 1000, 3000, 10_000)
SECONDS = (1.0, 10.0, 60.0, 600.0)
TASKS_PER_WORKER = 20
ENOUGH = 0.9


def efficiency(n_workers: int, mean: float, service: float, seed: int = 0) -> float:
    """The share of their time that workers spend on tasks; the server takes `service` seconds for each, one by one."""
    times = np.random.default_rng(seed).exponential(mean, (TASKS_PER_WORKER, n_workers))
    free = [(0.0, worker, 0) for worker in range(n_workers)]  # when a worker asks for its next task
    heapq.heapify(free)
    server, end = 0.0, 0.0
    while free:
        asked, worker, done = heapq.heappop(free)
        server = max(server, asked) + service
        finished = server + float(times[done, worker])
        end = max(end, server)
        if done + 1 < TASKS_PER_WORKER:
            heapq.heappush(free, (finished, worker, done + 1))
    return min(1.0, float(times[:-1].sum()) / (n_workers * end))


def most_workers(mean: float, service: float) -> int:
    """The largest number of workers that spend enough of their time on tasks; workers x service = time of a task is
    where the server has no pause left."""
    low, high = 1, 2 * int(mean / service) + 2
    while high - low > max(1, low // 50):
        middle = (low + high) // 2
        low, high = (middle, high) if efficiency(middle, mean, service) >= ENOUGH else (low, middle)
    return low


def main() -> None:
    measured = json.loads((FOLDER / "distribution.json").read_text())["overhead_of_a_task"]
    found = {}
    for engine, milliseconds in measured.items():
        service = milliseconds / 1000
        shares = {
            f"{mean:g} s": {
                n: round(efficiency(n, mean, service), 3) for n in WORKERS if n * TASKS_PER_WORKER <= 200_000
            }
            for mean in SECONDS
        }
        limits = {f"{mean:g} s": most_workers(mean, service) for mean in SECONDS if mean / service < 20_000}
        found[engine] = {"milliseconds": milliseconds, "share": shares, "most_workers": limits}
        print(engine, limits)
    (FOLDER / "scheduler_limit.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
