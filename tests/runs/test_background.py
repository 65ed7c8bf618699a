"""A run compiles missing loops in a process beside it, once, and waits for it before it solves."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from fewshot.plugins.registry import EVALUATORS
from fewshot.runs import background
from fewshot.solvers import loop_cache


@pytest.fixture
def started(monkeypatch):
    """The arguments of the processes that were started; each of them ends after 0.2 s."""
    commands = []
    real = subprocess.Popen

    def start(command, **streams):
        commands.append(command[4:])
        return real([sys.executable, "-c", "import time; time.sleep(0.2)"], **streams)

    monkeypatch.setattr(subprocess, "Popen", start)
    monkeypatch.setattr(background, "_running", {})  # a command of another test may have started one
    monkeypatch.setattr(loop_cache, "can_keep", lambda: True)
    monkeypatch.setattr(loop_cache, "is_marked", lambda name: False)
    yield commands
    background._stop()


def wait(*evaluators):
    for one in evaluators:
        background.wait_for_loops(EVALUATORS.spec(one))


def start(*evaluators):
    background.compile_in_background([EVALUATORS.spec(one) for one in evaluators])


@pytest.mark.parametrize(
    ("evaluator", "loops"),
    [
        ("LinearProbe(C=3.0)", ["LinearProbe()"]),
        ("Prototype", ["Prototype()"]),
        ("Prototype(metric='cosine')", ["Prototype(metric='cosine')"]),
        ("CrossValidated(inner=Standardised(inner=LinearProbe()), grid=(('eps', (0.1, 1.0)),))", ["LinearProbe()"]),
        ("GaussianHead", ["RidgeProbe()"]),
    ],
)
def test_the_loops_of_an_evaluator_are_compiled(evaluator, loops, started):
    start(evaluator)
    assert started == [loops]


def test_the_first_loops_have_a_process_of_their_own_and_a_run_waits_only_for_its_loops(started, monkeypatch):
    start("LinearProbe", "LinearProbe(C=2.0)", "NearestNeighbour", "Prototype")
    start("GaussianHead")
    assert started == [["LinearProbe()"], ["NearestNeighbour()", "Prototype()"]]
    first, other, same = background._running.values()
    assert other is same
    wait("LinearProbe(C=7.0)")
    assert first.returncode == 0
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(loop_cache, "is_marked", lambda name: name == "NearestNeighbour()")
        meanwhile.setattr(other, "poll", lambda: None)  # it still compiles the last ones
        wait("NearestNeighbour(k=3)", "GaussianHead")
    wait("Prototype")
    assert other.returncode == 0
    wait("Prototype")  # nothing to wait for


def test_a_long_wait_is_announced_and_a_short_one_is_not(started, monkeypatch, caplog):
    with caplog.at_level(logging.INFO, "fewshot"):
        start("LinearProbe")
        wait("LinearProbe")
        assert caplog.messages == []
        background._running.clear()
        monkeypatch.setattr(background, "_SOON", 0.01)
        start("LinearProbe")
        wait("LinearProbe")
    assert caplog.messages == ["Compiling solvers, once on this machine (up to a minute) ..."]


@pytest.mark.parametrize("why", ["is_marked", "can_keep"])
def test_nothing_starts_where_it_would_not_help(why, started, monkeypatch):
    monkeypatch.setattr(loop_cache, why, lambda *names: why == "is_marked")
    start("LinearProbe")
    assert started == []


def test_what_is_marked_is_known_to_the_next_process(monkeypatch, tmp_path):
    pytest.importorskip("numba")
    monkeypatch.setattr(loop_cache, "kept_at", lambda: tmp_path / "loops")
    assert loop_cache.can_keep()
    assert not loop_cache.is_marked("LinearProbe()")
    loop_cache.mark("LinearProbe()")
    assert loop_cache.is_marked("LinearProbe()")
    assert not loop_cache.is_marked("Prototype()")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert not loop_cache.is_marked("LinearProbe()")
