"""Termination: SIGTERM ends a run as Ctrl-C does, with its finished batches stored."""

from __future__ import annotations

import os
import signal
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
