"""Termination: SIGTERM ends a run as Ctrl-C does, with its finished batches stored."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from fewshot.results.files import Results
from tests.support.command_line import QUICK, call, succeed


def test_a_terminated_run_keeps_its_finished_episodes(folder, tmp_path, monkeypatch):
    import fewshot.runs.solving

    monkeypatch.chdir(tmp_path)
    original, sizes = fewshot.runs.solving.solve, []

    def terminated(episodes, **kwargs):
        if len(sizes) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        sizes.append(len(episodes))
        return original(episodes, **kwargs)

    command = ("run", "--data", folder, *QUICK, "--episodes", "200", "--results", "t.jsonl")
    monkeypatch.setattr(fewshot.runs.solving, "solve", terminated)
    stopped = call(*command)
    assert stopped.exit_code == 128 + signal.SIGTERM, stopped.output
    assert "the same command continues from there" in stopped.stderr
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    before = sum(sizes[:2])
    del sizes[:]
    monkeypatch.setattr(fewshot.runs.solving, "solve", lambda e, **k: sizes.append(len(e)) or original(e, **k))
    succeed(*command)
    assert sum(sizes) == 200 - before
    assert Results(Path("t.jsonl")).rows()[0].n_episodes == 200


def test_a_terminated_run_that_tunes_a_network_keeps_the_episodes_that_ended(folder, tmp_path, threads, monkeypatch):
    """Of a batch of episodes too, the finished ones are stored, and the row is that of an uninterrupted run."""
    from fewshot.evaluators.fine_tune import FineTune

    monkeypatch.chdir(tmp_path)
    threads(1)
    fit, fitted = FineTune.fit, []

    def terminated(self, batch, backbone):
        fitted.append(batch)
        if len(fitted) == 5:
            os.kill(os.getpid(), signal.SIGTERM)
            until = time.monotonic() + 60
            while time.monotonic() < until:
                batch.watch(0, 0)  # ends the episode as its next step would
                time.sleep(0.01)
        return fit(self, batch, backbone)

    tuned = ("--backbone", "ConvNet(width=4, depth=2, image_size=8)", "--evaluator", "FineTune(tune='all', steps=1)")
    command = ("run", "--data", folder, *tuned, "--episodes", "12", "--results")
    succeed(*command, "whole.jsonl")
    monkeypatch.setattr("fewshot.runs.portions._GROWTH", 100)  # the second batch has all other episodes
    monkeypatch.setattr(FineTune, "fit", terminated)
    assert call(*command, "t.jsonl").exit_code == 128 + signal.SIGTERM
    monkeypatch.setattr(FineTune, "fit", fit)
    (whole,) = Results(Path("whole.jsonl")).rows()
    (part,) = Results(Path("t.jsonl")).parts(whole.run_id).files()
    assert part.name == f"{0:09d}-{4:09d}.safetensors"
    succeed(*command, "t.jsonl")
    (row,) = Results(Path("t.jsonl")).rows()
    assert (row.accuracy, row.episodes_digest) == (whole.accuracy, whole.episodes_digest)
