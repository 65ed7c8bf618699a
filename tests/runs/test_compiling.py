"""Loops compiled in advance are those that runs call."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from fewshot.runs.compiling import WITH_LOOPS, compile_loops
from tests.support.command_line import call

pytest.importorskip("numba")


def test_compiling_keeps_nothing_but_loops(own_home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert compile_loops() == len(WITH_LOOPS)
    assert not (own_home / "runs_made_here").exists()
    assert not (own_home / "features").exists()


def test_without_numba_nothing_is_compiled(monkeypatch):
    monkeypatch.setattr("fewshot.solvers.loop_cache.installed", lambda: False)
    assert compile_loops() == 0
    findings = json.loads(call("doctor", "--compile", "--json").stdout)
    (solvers,) = [finding for finding in findings if finding["topic"] == "solvers"]
    assert solvers["state"] == "absent"
    assert "fewshot[fast]" in solvers["mend"]


def test_a_run_after_it_compiles_nothing():
    code = """
import numpy as np
import fewshot
from fewshot.runs.compiling import WITH_LOOPS, compile_loops

compile_loops()
from numba.core import event

images = fewshot.labelled_vectors(np.random.default_rng(0).normal(size=(200, 64)), np.arange(200) % 10)
heads = [*WITH_LOOPS, "NearestNeighbour(k=3)", "LinearSVM()", "GaussianHead()", "LinearProbe(C=100.0)"]
with event.install_recorder("numba:compile") as compiled:
    fewshot.evaluate("given", images, evaluators=heads, shots=(1, 5), n_episodes=5, split="AllNovel()", progress=False)
print(len(compiled.buffer))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"
