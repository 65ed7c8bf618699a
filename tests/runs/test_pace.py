"""The time of an episode is that of the solver, whichever run of a process comes first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot.episodes.shape import EpisodeShape
from fewshot.results.costs import includes_start, seconds_per_episode
from fewshot.results.predictions import Predictions
from fewshot.results.row import Row
from fewshot.runs import pace as module
from fewshot.runs.pace import N_STEADY, STEADY, Pace
from fewshot.runs.pipeline import run
from fewshot.runs.portions import portions
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.samplers.balanced import Balanced
from tests.support.predictions import answered
from tests.support.workbenches import bench
from tests.support.worlds import labelled

BLOCK = Balanced().sample(labelled(4, 6), np.arange(4), EpisodeShape(2, 1, 2), 0, 0, 300)


class Solver:
    """Answers on a clock of its own: the first batch costs `first` seconds more than `episode` for each episode. Like
    `solve`, it answers the first episode of a call alone, or so many `lanes` at the same time, one after the other on
    the clock."""

    def __init__(self, episode: float, first: float, lanes: int = 1) -> None:
        self.now, self.first, self.episode, self.lanes, self.n_calls = 0.0, first, episode, lanes, 0

    def clock(self) -> float:
        return self.now

    def __call__(self, episodes, advance: Callable[[int], object], finished: object = None) -> Predictions:
        self.n_calls += 1
        counts = [1] * len(episodes) if self.lanes > 1 else filter(None, (1, len(episodes) - 1))
        for number, count in enumerate(counts):
            self.now += 0.0 if number % self.lanes else self.first + self.episode * count * self.lanes
            self.first = 0.0
            advance(count)
        return answered(episodes)


@pytest.fixture(autouse=True)
def new_process(monkeypatch):
    monkeypatch.setattr(module, "_started", set())


def measured(solver: Solver, n_episodes: int, shown: Callable[[int], object] = lambda _: None) -> float:
    """The pace of a run that writes parts, as its row has it."""
    pace = Pace("Prototype()", n_episodes, shown, solver.clock)
    lanes = solver.lanes
    costs = []
    for _ in portions(BLOCK[:n_episodes], partial(pace.solved, solver, lanes), lanes, solver.clock):
        costs.append(pace.costs())
        solver.now += 7.0  # writes the part
    return sum(float(each[STEADY]) for each in costs if each) / sum(int(each[N_STEADY]) for each in costs if each)


@given(st.integers(1, 300), st.floats(0.001, 0.2), st.floats(0.0, 2.5))
def test_the_start_of_a_process_is_not_in_the_time_of_an_episode(n_episodes, episode, first):
    module._started.clear()
    assert measured(Solver(episode, first), n_episodes) == pytest.approx(episode, rel=1e-3)


@given(st.integers(2, 60), st.floats(5.0, 50.0))
def test_a_slow_solver_solves_nothing_twice(n_episodes, episode):
    module._started.clear()
    solver, done = Solver(episode, 0.0), []
    assert measured(solver, n_episodes, done.append) == pytest.approx(episode, rel=1e-3)
    assert sum(done) == n_episodes


@given(st.integers(1, 60), st.integers(2, 4))
def test_episodes_that_are_solved_side_by_side_have_their_share_of_the_time(n_pairs, lanes):
    """The first of them ends after the time of all, and the others at once."""
    solver = Solver(5.0, 0.0, lanes)
    assert measured(solver, n_pairs * lanes) == pytest.approx(5.0, rel=1e-3)


def test_one_episode_is_solved_twice_once_in_a_process_and_shown_once():
    done: list[int] = []
    solver = Solver(0.1, 2.0)
    assert measured(solver, 1, done.append) == pytest.approx(0.1)
    assert (solver.n_calls, done) == (2, [1])
    assert measured(solver, 1, done.append) == pytest.approx(0.1)
    assert (solver.n_calls, done) == (3, [1, 1])
    slow = Solver(5.0, 0.0)
    module._started.clear()
    assert measured(slow, 1) == pytest.approx(5.0)
    assert slow.n_calls == 1


@pytest.mark.parametrize("n_episodes", [1, 4])
def test_rows_have_the_pace_and_the_same_predictions_first_and_later(tmp_path: Path, n_episodes: int) -> None:
    shape = Sampled(EpisodeShape(3, 1, 2))
    spec = RunSpec("Digits()", "RawPixels(8)", "Prototype()", shape, split="AllNovel()", n_episodes=n_episodes)
    rows = [run(spec, tmp_path / f"{name}.jsonl", bench(folder=tmp_path / "features")) for name in ("a", "b")]
    assert len({each.accuracy for each in rows if each is not None}) == 1
    for each in rows:
        assert each is not None
        assert each.seconds_per_episode is not None
        assert 0 < each.seconds_per_episode <= max(0.001, each.seconds_solving)
        assert seconds_per_episode(each) == each.seconds_per_episode
        assert Row.from_json(each.to_json()) == each


def test_rows_of_older_releases_say_that_their_times_include_the_start() -> None:
    old = Row(run_id="a", seconds_solving=6.0, n_episodes=60)
    assert (seconds_per_episode(old), includes_start(old)) == (0.1, True)
    new = Row(run_id="a", seconds_solving=6.0, n_episodes=60, seconds_per_episode=0.02)
    assert (seconds_per_episode(new), includes_start(new)) == (0.02, False)
    assert not includes_start(Row(run_id="a"))
