"""A run that another process computes comes last: the process does its other runs first, and waits only then."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace

import pytest

from fewshot.episodes.shape import EpisodeShape
from fewshot.files.locks import Busy
from fewshot.results.selection_rule import Selection
from fewshot.runs.pipeline import run, run_all
from fewshot.runs.selection import trials
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.runs.turns import in_turns
from tests.support.workbenches import bench

HOLD = """
import sys, time
from pathlib import Path
from fewshot.results.files import Results
with Results(Path(sys.argv[1])).locked_episodes(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])):
    print('held', flush=True)
    time.sleep(120)
"""


@pytest.fixture
def specs(folder):
    data, shape = f"ImageFolderSet(root={str(folder)!r})", Sampled(EpisodeShape(3, 2, 4))
    evaluators = ("Prototype", "Prototype('cosine')", "NearestNeighbour")
    return [RunSpec(data, "RawPixels(image_size=4)", e, shape, split="AllNovel", n_episodes=40) for e in evaluators]


@contextmanager
def holding(results, run_id, start, stop):
    """Another process that computes these episodes until it is killed."""
    command = [sys.executable, "-c", HOLD, str(results.path), run_id, str(start), str(stop)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


class Killer(logging.Handler):
    """Kills a process when a warning names it."""

    def __init__(self, process):
        super().__init__(logging.WARNING)
        self.process, self.messages = process, []

    def emit(self, record):
        self.messages.append(record.getMessage())
        if f"process {self.process.pid} on " in self.messages[-1]:
            os.kill(self.process.pid, signal.SIGKILL)


@contextmanager
def killed_when_named(process):
    handler = Killer(process)
    logging.getLogger("fewshot").addHandler(handler)
    try:
        yield handler.messages
    finally:
        logging.getLogger("fewshot").removeHandler(handler)


def test_a_run_of_another_process_comes_last_and_only_then_is_it_named(specs, results):
    run_id = bench().prepare(specs[0]).run_id
    with holding(results, run_id, 0, 40) as process, killed_when_named(process) as messages:
        rows = run_all(specs, results, bench())
        assert [next(rows)[0], next(rows)[0]] == specs[1:]
        assert not messages
        assert [(spec, row.status) for spec, row in rows] == [(specs[0], "ok")]
    (message,) = messages
    assert message.endswith(f"computes run {run_id} for {results.path}; waiting for it to finish")
    assert len(results.rows()) == 3


def test_a_trial_of_another_process_does_not_hold_up_the_other_trials(specs, results):
    rule = Selection("oracle", (("metric", ("euclidean", "cosine")),), n_episodes=10)
    spec = replace(specs[0], selection=rule)
    first, second = (bench().prepare(trial).run_id for trial in trials(spec))
    with holding(results.trials, first, 0, 10) as process, killed_when_named(process) as messages:
        (row,) = (row for _, row in run_all([spec], results, bench()))
    assert row.status == "ok"
    assert [trial.run_id for trial in results.trials.rows()] == [second, first]
    assert len(messages) == 1


@pytest.mark.parametrize(
    ("held", "shard"), [((0, 20), (1, 3)), ((0, 13), (1, 2)), ((0, 60), (1, 1)), ((30, 40), (2, 2))]
)
def test_a_shard_waits_for_episodes_of_other_shards_and_solves_none_twice(specs, results, held, shard):
    run_id = bench().prepare(specs[0]).run_id
    with holding(results, run_id, *held) as process, killed_when_named(process) as messages:
        run(specs[0], results, bench(), shard=shard)
    assert len(messages) == 1


def test_a_shard_beside_others_does_not_wait(specs, results):
    with holding(results, bench().prepare(specs[0]).run_id, 0, 20) as process, killed_when_named(process) as messages:
        assert run(specs[0], results, bench(), shard=(2, 2)) is None
    assert not messages


def test_turns_end_with_what_is_busy_and_raise_it_if_nobody_waits():
    busy = {"a", "c"}

    def attempt(item, wait):
        if item in busy and not wait:
            raise Busy(item)
        return item.upper()

    assert list(in_turns("abcd", attempt)) == [("b", "B"), ("d", "D"), ("c", "C"), ("a", "A")]
    with pytest.raises(Busy):
        list(in_turns("abcd", attempt, wait=False))
    assert list(in_turns("", attempt)) == []
