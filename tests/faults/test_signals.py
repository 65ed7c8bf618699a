"""Ctrl-C and SIGTERM at any moment of a suite: it ends within seconds, keeps what is done, says how to go on, and the
same command gives the same bits."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.support.fault_counts import keep, tries
from tests.support.fault_suite import BENCH, outcome, write_suite
from tests.support.phases import STARTING, phase_of
from tests.support.warm_processes import finish, start

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
LONGEST = 5.0  # seconds from the signal to the end
HOW = "Stopped. Finished work is kept; the same command continues from there."


def interrupted(place: Path, number: signal.Signals, after: float) -> tuple[int, str, float]:
    """The exit code of a suite that gets a signal, the phase in which it came, and the seconds to the end."""
    process = start(place, *BENCH)
    began = time.monotonic()
    while phase_of(place / "phase") == STARTING and process.is_alive():  # the signal is for fewshot, not for the fork
        time.sleep(0.01)
    process.join(max(0.0, after - (time.monotonic() - began)))
    phase, sent = phase_of(place / "phase"), time.monotonic()
    if process.is_alive():
        assert process.pid is not None
        os.kill(process.pid, number)
    return finish(process, 60), phase, time.monotonic() - sent


@pytest.mark.parametrize("number", CODES, ids=lambda number: number.name)
def test_an_interrupted_suite_ends_soon_and_goes_on_to_the_same_bits(number, whole, tmp_path):
    numbers, phases, slowest, equal, stopped = tries(1, 20), Counter(), 0.0, 0, 0
    for at in numbers:
        place = write_suite(tmp_path / str(at))
        after = random.Random(f"{number.name} {at}").uniform(0.0, whole.seconds)
        code, phase, took = interrupted(place, number, after)
        said = (place / "phase.err").read_text()
        assert code in (0, CODES[number]), said
        if code:
            assert HOW in said
            assert "Traceback" not in said
            stopped += 1
            phases[phase] += 1
            slowest = max(slowest, took)
        assert finish(start(place, *BENCH)) == 0
        equal += outcome(place) == whole.outcome
    keep(
        "signals", f"{number.name} at a random moment",
        tried=len(numbers), stopped=stopped, equal=equal, slowest_seconds=round(slowest, 2),
        phases=dict(phases.most_common()),
    )  # fmt: skip
    assert equal == len(numbers)
    assert slowest < LONGEST
