"""Three processes of one suite in one folder, one killed, one late and one slow: the others finish it without the
first, each run has one row, and all bits are those of one process."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections import Counter
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.support.fault_counts import keep, times
from tests.support.fault_suite import BENCH, outcome, write_suite
from tests.support.phases import phase_of
from tests.support.warm_processes import finish, start

PAUSE = 0.05  # seconds that the slow process works, then stands still


def pause(process: BaseProcess, signals: tuple[signal.Signals, ...] = (signal.SIGSTOP, signal.SIGCONT)) -> None:
    """Stops a process for a moment."""
    for number in signals:
        if process.is_alive() and process.pid is not None:
            os.kill(process.pid, number)
        time.sleep(PAUSE)


def three(place: Path, moments: random.Random, seconds: float) -> tuple[list[int], str]:
    """The exit codes of three processes of a suite, and the phase in which the first one was killed."""
    processes = [start(place, *BENCH, watched=f"phase{number}") for number in range(2)]
    began = time.monotonic()
    killed, late = moments.uniform(0, seconds), moments.uniform(0, seconds)
    phase = "finished"
    while any(process.is_alive() for process in processes) or len(processes) < 3:
        passed = time.monotonic() - began
        if passed > killed and processes[0].is_alive():
            processes[0].kill()
            processes[0].join()
            phase = phase_of(place / "phase0")
        if passed > late and len(processes) < 3:
            processes.append(start(place, *BENCH, watched="phase2"))
        pause(processes[1])
    return [finish(process) for process in processes], phase


def test_of_three_processes_one_killed_one_late_and_one_slow_give_the_same_bits(whole, tmp_path):
    moments, phases, wrong = random.Random(9), Counter(), []
    for number in range(n := times(1, 30)):
        place = write_suite(tmp_path / str(number))
        (_, slow, late), phase = three(place, moments, whole.seconds)
        phases[phase] += 1
        lines = (place / "rows.jsonl").read_text().splitlines()
        if (slow, late, len(lines)) != (0, 0, 4) or outcome(place) != whole.outcome:
            wrong.append((number, phase, slow, late, len(lines)))
        shutil.rmtree(place)
    keep(
        "workers",
        "three processes, one killed, one late, one slow",
        tried=n, equal=n - len(wrong), phases=dict(phases.most_common()),
    )  # fmt: skip
    assert not wrong
