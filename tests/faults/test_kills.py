"""SIGKILL at any moment of a suite that embeds, scores, fine-tunes and pre-trains: the same command goes on from there,
and rows, predictions, features and networks are those of a suite that nobody killed."""

from __future__ import annotations

import itertools
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.fault_counts import keep, tries
from tests.support.fault_suite import BENCH, outcome, write_suite
from tests.support.phases import phase_of
from tests.support.warm_processes import finish, start

KILLED = -9
HELD = 2  # kills in a row of the same suite


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Path]:
    """Folders with the suite, each removed when the next one is taken."""
    return _each(tmp_path)


def _each(folder: Path) -> Iterator[Path]:
    for number in itertools.count():
        place = write_suite(folder / str(number))
        yield place
        shutil.rmtree(place)


def killed_after(place: Path, seconds: float) -> str:
    """The phase in which a suite was killed; "finished" if it was faster."""
    process = start(place, *BENCH)
    process.join(seconds)
    process.kill()
    return phase_of(place / "phase") if finish(process) == KILLED else "finished"


def differences(place: Path, whole: Any) -> list[str]:
    """What differs from the whole suite after the same command has gone on, which takes as long as it needs."""
    if code := finish(start(place, *BENCH)):
        return [f"exit code {code}: {(place / 'phase.err').read_text()}"]
    now = outcome(place)
    return [part for part in now if now[part] != whole.outcome[part]]


def keep_kills(name: str, tried: int, wrong: list[Any], phases: Counter) -> None:
    """Keeps the counts of one kind of kill, before a failure ends the test."""
    keep("kills", name, tried=tried, equal=tried - len(wrong), phases=dict(phases.most_common()))


def test_a_suite_that_is_killed_at_random_moments_goes_on_to_the_same_bits(whole, places):
    phases, wrong, n = Counter(), [], len(tries(1, 50))
    for number in tries(1, 50):
        place = next(places)
        after = random.Random(f"moment {number}").uniform(0.0, whole.seconds)
        phases[phase := killed_after(place, after)] += 1
        if different := differences(place, whole):
            wrong.append((number, after, phase, different))
    keep_kills("kill at a random moment", n, wrong, phases)
    assert not wrong


def test_a_suite_that_is_killed_in_the_middle_of_a_write_goes_on_to_the_same_bits(whole, places):
    phases, wrong, n = Counter(), [], len(tries(1, 50))
    for number in tries(1, 50):
        place, moments = next(places), random.Random(f"write {number}")
        for _ in range(HELD):  # the second kill meets what the first one left
            phase = moments.choice(sorted(whole.writes))
            write = phase, moments.randint(1, whole.writes[phase])
            process = start(place, *BENCH, kill_at=write)
            phases[phase_of(place / "phase") if finish(process) == KILLED else "finished"] += 1
        if different := differences(place, whole):
            wrong.append((number, write, different))
    keep_kills("kill in the middle of a write", n, wrong, phases)
    assert not wrong
