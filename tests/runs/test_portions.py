"""Portions: a kill loses less than a minute for a solver of any pace, and the parts change no prediction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot.episodes.shape import EpisodeShape
from fewshot.results.predictions import Predictions
from fewshot.runs.portions import WRITE_SECONDS, portions
from fewshot.samplers.balanced import Balanced
from tests.support.predictions import answered
from tests.support.worlds import labelled

SLACK = 15.0  # one batch, of which a solver that slows down makes a longer one


class Solver:
    """Answers on a clock of its own: each call costs `call` seconds, the first also `first`, an episode `episode`."""

    def __init__(self, episode: float, first: float = 0.0, call: float = 0.0) -> None:
        self.now, self.first, self.call, self.episode = 0.0, first, call, episode
        self.sizes: list[int] = []

    def clock(self) -> float:
        return self.now

    def __call__(self, episodes, finished=None) -> Predictions:
        self.now += self.call + self.episode * len(episodes) + (0.0 if self.sizes else self.first)
        self.sizes.append(len(episodes))
        return answered(episodes)


BLOCK = Balanced().sample(labelled(4, 6), np.arange(4), EpisodeShape(2, 1, 2), 0, 0, 600)


@given(st.floats(0.001, 20.0), st.sampled_from([0.0, 25.0]), st.sampled_from([0.0, 0.5]))
def test_a_kill_loses_less_than_a_minute_or_one_episode(episode, first, call):
    solver, written = Solver(episode, first, call), 0.0
    for part in portions(BLOCK, solver, clock=solver.clock):
        assert solver.now - written <= WRITE_SECONDS + SLACK + episode + first
        written = solver.now
        assert len(part.episodes) > 0
    assert sum(solver.sizes) == len(BLOCK)


def test_a_slow_head_writes_its_first_part_within_a_minute():
    solver = Solver(0.12)
    next(portions(BLOCK, solver, clock=solver.clock))
    assert solver.now < 45


@pytest.mark.parametrize("pace", [0.0, 0.5, 40.0])
def test_parts_of_any_size_are_the_same_predictions(pace):
    solver = Solver(pace)

    def solved(episodes, finished=None) -> Predictions:
        solver(episodes)
        return Predictions.concatenate(
            [answered(episodes[i : i + 1], int(episodes.index[i])) for i in range(len(episodes))]
        )

    short = BLOCK[:90]
    whole, parts = solved(short), Predictions.concatenate(list(portions(short, solved, clock=solver.clock)))
    assert parts.episodes.query.tolist() == whole.episodes.query.tolist()
    assert parts.predicted.tolist() == whole.predicted.tolist()
    assert parts.confidence.tolist() == whole.confidence.tolist()


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interruption_keeps_the_finished_batches(error):
    solver, kept = Solver(0.01), []

    def interrupted(episodes, finished):
        if len(solver.sizes) == 3:
            raise error
        return solver(episodes)

    with pytest.raises(error):
        kept.extend(len(part.episodes) for part in portions(BLOCK, interrupted, clock=solver.clock))
    assert kept == [sum(solver.sizes)]
    assert solver.now < WRITE_SECONDS  # nothing was due


@given(st.permutations(range(8)), st.integers(0, 8), st.integers(0, 1))
def test_an_interruption_keeps_the_finished_episodes_of_its_batch_in_any_order(order, n_finished, n_batches):
    solver, parts = Solver(0.01), []

    def interrupted(episodes, finished):
        if len(solver.sizes) < n_batches:
            return solver(episodes)
        finished.extend(answered(episodes[place : place + 1], place) for place in order[:n_finished])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        parts.extend(portions(BLOCK, interrupted, at_least=8, clock=solver.clock))
    indices = [part.episodes.index.tolist() for part in parts]
    assert all(index == list(range(index[0], index[-1] + 1)) for index in indices)
    assert [one for index in indices for one in index] == [
        *range(8 * n_batches),
        *sorted(8 * n_batches + place for place in order[:n_finished]),
    ]
    for part in parts:
        for at, index in enumerate(part.episodes.index.tolist()):
            if index >= 8 * n_batches:
                alone = answered(BLOCK[index : index + 1], index - 8 * n_batches)
                assert part[at : at + 1].logits.tolist() == alone.logits.tolist()
