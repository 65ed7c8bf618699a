"""Small episodes side by side: results in order, errors that end all, and predictions for any number of threads."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from fewshot.evaluators.big_transfer import BigTransfer
from fewshot.evaluators.fine_tune import FineTune
from fewshot.evaluators.lora import LoRA
from fewshot.evaluators.proto_maml import ProtoMAML
from fewshot.evaluators.scale_and_shift import ScaleAndShift
from fewshot.evaluators.task_specific_adapters import TaskSpecificAdapters
from fewshot.evaluators.tuned_vote import TunedVote
from fewshot.evaluators.tuning.network import shared_copy, unfreeze
from fewshot.runs import learners
from fewshot.runs.side_by_side import MOST_BYTES, MOST_IMAGES, fits_one_thread, lanes, side_by_side
from fewshot.runs.solving import solve
from tests.support.tuned_pictures import EPISODES, by_learner


def test_results_come_in_order_and_each_thread_computes_alone(threads):
    threads(3)
    begun = threading.Barrier(3)

    def work(number, step):
        if number < 3:
            begun.wait(10)  # three run at once
        if number == 0:
            torch.ones(9).sum()
        return number, torch.get_num_threads(), torch.is_grad_enabled()

    with torch.no_grad():
        assert list(side_by_side(work, range(9), 3)) == [(number, 1, False) for number in range(9)]
    assert torch.get_num_threads() == 3


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_ends_the_others_at_their_next_step(threads, error):
    threads(2)
    begun, ended = threading.Event(), []

    def work(number, step):
        if number == 0:
            begun.wait(10)
            raise error("stop")
        try:
            while True:
                begun.set()
                step(1, 2)
        finally:
            ended.append(number)

    with pytest.raises(error, match="stop"):
        list(side_by_side(work, range(5), 2))
    assert ended == [1]  # the later ones never began
    assert torch.get_num_threads() == 2


def interrupt():
    """What Ctrl-C does, from any thread."""
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_the_results_of_items_that_had_ended_come_before_the_error(threads, error):
    threads(2)
    ended, results = threading.Event(), []

    def work(number, step):
        if number == 1:
            ended.set()
            return number
        ended.wait(10)
        if error is ValueError:
            raise error
        interrupt()
        while True:
            step(0, 0)

    with pytest.raises(error):
        results.extend(side_by_side(work, range(5), 2))
    assert results == [1]


def test_results_are_kept_when_an_interruption_comes_before_their_thread_is_known(threads, monkeypatch):
    """Python returns from starting a thread only after that thread runs: by then an item may have ended."""
    threads(2)
    start, begun, results = threading.Thread.start, [], []

    def interrupted(thread):
        start(thread)
        if thread.name.startswith("episode"):
            begun.append(thread)
            if len(begun) == 2:
                raise KeyboardInterrupt

    def work(number, step):
        if number == 0:
            while True:
                step(0, 0)
        time.sleep(0.3)
        return number

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        results.extend(side_by_side(work, range(5), 2))
    assert results == [1]


def test_a_signal_that_another_thread_gets_ends_the_items(threads):
    """The system chooses the thread of a signal to a process; one that waits is not woken by that of another."""
    threads(1)
    signals = {signal.SIGINT}

    def work(number, step):
        if number == 0:
            return number
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
        os.kill(os.getpid(), signal.SIGINT)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            step(0, 0)
            time.sleep(0.01)
        return number

    results = []
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        with pytest.raises(KeyboardInterrupt):
            results.extend(side_by_side(work, range(3), 1))
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
    assert results == [0]


def test_an_interruption_ends_an_episode_between_two_chunks_and_keeps_those_that_ended(threads, monkeypatch):
    threads(2)
    learner, whole = by_learner(FineTune("all", steps=1))
    check, calls, finished = learners.check_logits, [], []

    def checked(*given):
        calls.append(given)
        if len(calls) >= 36:
            interrupt()
            time.sleep(0.1)
        return check(*given)

    monkeypatch.setattr(learners, "check_logits", checked)
    with pytest.raises(KeyboardInterrupt):
        solve(
            EPISODES, replace(learner, query_chunk=1), finished=finished
        )  # 15 chunks an episode, of which there are 7
    assert len(calls) < 41
    assert 1 <= len(finished) <= 2
    for part in finished:
        (index,) = part.episodes.index.tolist()
        assert part.predicted.tolist() == whole[index : index + 1].predicted.tolist()


def test_the_steps_of_the_first_open_item_are_shown():
    seen = []
    work = lambda number, step: [step(done, 2) for done in (1, 2)]  # noqa: E731
    list(side_by_side(work, range(3), 1, lambda done, steps: seen.append((done, steps))))
    assert seen == [(1, 2), (2, 2)] * 3


def test_size_and_network_decide_and_memory_limits_how_many(monkeypatch, threads):
    threads(4)
    assert fits_one_thread(25, MOST_BYTES // 25)
    assert not fits_one_thread(25, MOST_BYTES // 24)
    assert not fits_one_thread(MOST_IMAGES + 1, 1)
    assert not fits_one_thread(25, None)
    for free, expected in ((None, 4), (1 << 40, 4), (3 * 4 * 25 << 20, 3), (0, 1)):
        monkeypatch.setattr("fewshot.runs.side_by_side.free_bytes", lambda free=free: free)
        assert lanes(25, 1 << 20) == expected


@pytest.mark.parametrize(
    "evaluator",
    [
        *[FineTune(tune, steps=8, batchnorm=norm) for tune in ("all", "last 1") for norm in ("frozen", "support")],
        FineTune(steps=4, start="probe", augment="crop+flip", layout="channels_last"),
        LoRA(steps=4, layers="all"),
        ScaleAndShift(steps=4),
        TaskSpecificAdapters(steps=4, stem=True),
        ProtoMAML(),
        BigTransfer.examples()[0],
        TunedVote(FineTune(steps=4), (("lr", (0.02, 0.05)),)),
    ],
    ids=repr,
)
def test_the_number_of_threads_changes_no_bit(evaluator, threads):
    solved = []
    for count in (1, 3):
        threads(count)
        learner, predictions = by_learner(evaluator)
        assert learner.on_one_thread(12)
        solved.append(predictions)
    for name in ("logits", "predicted", "confidence", "log_probability"):
        np.testing.assert_array_equal(*(getattr(predictions, name) for predictions in solved))


def test_heads_that_are_trained_together_keep_all_threads():
    assert not by_learner(FineTune("head", 10, 0.1))[0].on_one_thread(12)


def test_copies_train_beside_each_other():
    network = torch.nn.Linear(3, 1).requires_grad_(False)
    copies = [shared_copy(network) for _ in range(2)]
    for copy in copies:
        unfreeze(copy.parameters())
    inputs = torch.ones(1, 3, requires_grad=True)
    loss = copies[0](inputs).sum()
    with torch.no_grad():
        copies[1].weight.add_(1)
    loss.backward()
    assert copies[0].weight.grad is not None
    assert not torch.equal(copies[0].weight, copies[1].weight)
