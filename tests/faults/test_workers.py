"""Three processes of one suite, one killed, one late and one slow: the others finish it without the first, each run has
one row, and all bits are those of one process."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from fewshot.results.files import Results
from tests.support.fault_counts import LONG, keep, tries
from tests.support.fault_suite import BENCH, outcome, write_suite
from tests.support.phases import phase_of
from tests.support.warm_processes import finish, start

# Seconds that the slow process stands still; a lease of one second expires in the longer ones.
MOMENT, LEASE = 0.05, 1.5
WORK = ("work", "plan", "--results", "rows.jsonl", "--patience", "1")
Start = Callable[[str], BaseProcess]  # of a process that shows its phase in the file of this name


def shard(place: Path) -> Start:
    """Processes that run the suite in the same folder."""
    return lambda name: start(place, *BENCH, watched=name)


def worker(place: Path) -> Start:
    """Processes that work on the plan of the suite."""
    assert finish(start(place, "bench", "suite.py", "--plan", "plan")) == 0
    return lambda name: start(place, *WORK, watched=name)


def stand_still(process: BaseProcess, seconds: float) -> None:
    """Stops a process for so long, then lets it go on as long."""
    for number in (signal.SIGSTOP, signal.SIGCONT):
        if process.is_alive() and process.pid is not None:
            os.kill(process.pid, number)
        time.sleep(min(seconds, MOMENT) if number == signal.SIGCONT else seconds)


def three(started: Start, moments: random.Random, seconds: float, phase: Callable[[], str]) -> tuple[list[int], str]:
    """The exit codes of three processes, and the phase in which the first one was killed."""
    processes = [started(f"phase{number}") for number in range(2)]
    began = time.monotonic()
    killed, late = moments.uniform(0, seconds), moments.uniform(0, seconds)
    last = "finished"
    while any(process.is_alive() for process in processes) or len(processes) < 3:
        passed = time.monotonic() - began
        if passed > killed and processes[0].is_alive():
            processes[0].kill()
            processes[0].join()
            last = phase()
        if passed > late and len(processes) < 3:
            processes.append(started("phase2"))
        stand_still(processes[1], LEASE if moments.random() < 0.02 else MOMENT)
    return [finish(process) for process in processes], last


@pytest.mark.parametrize("kind", [worker, shard] if LONG else [worker])
def test_of_three_processes_one_killed_one_late_and_one_slow_give_the_same_bits(kind, whole, tmp_path):
    numbers, phases, wrong = tries(1, 15), Counter(), []
    for number in numbers:
        place = write_suite(tmp_path / str(number))
        moments = random.Random(f"{kind.__name__} {number}")
        codes, phase = three(kind(place), moments, whole.seconds, partial(phase_of, place / "phase0"))
        phases[phase] += 1
        rows = Results(place / "rows.jsonl").rows()
        if codes[1:] != [0, 0] or len(rows) != 4 or outcome(place) != whole.outcome:
            wrong.append((number, phase, codes, len(rows), [p.read_text()[-300:] for p in place.glob("*.err")]))
        shutil.rmtree(place)
    name = f"three processes of fewshot {kind.__name__.replace('shard', 'bench').replace('worker', 'work')}"
    n = len(numbers)
    keep("workers", f"{name}, one killed, one late, one slow", tried=n, equal=n - len(wrong), phases=dict(phases))
    assert not wrong
