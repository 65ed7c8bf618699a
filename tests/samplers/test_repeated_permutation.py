"""MIEB's draws are those of an independent count with numpy's global generator, seeded again before each draw."""

from __future__ import annotations

import numpy as np
import pytest

from fewshot.conformance.samplers import by_rank, labelled
from fewshot.episodes.shape import EpisodeShape
from fewshot.samplers.repeated_permutation import RepeatedPermutation

WORLD = labelled([20, 25, 30, 3], partition=by_rank(("train", "train", "test"), 1))
CLASSES = np.arange(4)


def drawn_by_hand(k_shot: int, n_draws: int) -> list[set[int]]:
    """The supports as mteb draws them: shuffle the indices in place after one seed, keep the first K of a label."""
    train = np.flatnonzero(WORLD.mask("partition=train"))
    indices = np.arange(len(train))
    supports = []
    for _ in range(n_draws):
        np.random.seed(42)
        np.random.shuffle(indices)
        counts, kept = dict.fromkeys(range(4), 0), set()
        for index in indices:
            label = int(WORLD.labels[train[index]])
            if counts[label] < k_shot:
                counts[label] += 1
                kept.add(int(train[index]))
        supports.append(kept)
    return supports


@pytest.mark.parametrize("k_shot", [1, 5, 16])
def test_the_draws_are_those_of_the_published_code(k_shot):
    shape = EpisodeShape(None, k_shot, None, k_shot_at_most=True)
    episodes = RepeatedPermutation().sample(WORLD, CLASSES, shape, 0, 0, 5)
    assert [set(episodes[e].support.tolist()) for e in range(5)] == drawn_by_hand(k_shot, 5)
    test = np.flatnonzero(WORLD.mask("partition=test"))
    for e in range(5):
        assert sorted(episodes[e].query) == test.tolist()
    episodes.check(WORLD)


def test_a_later_draw_alone_is_the_same_draw():
    shape = EpisodeShape(None, 3, None, k_shot_at_most=True)
    five = RepeatedPermutation().sample(WORLD, CLASSES, shape, 0, 0, 5)
    assert RepeatedPermutation().sample(WORLD, CLASSES, shape, 0, 3, 2).digest == five[3:].digest


@pytest.mark.parametrize(("shape", "seed"), [(EpisodeShape(2, 1, None), 0), (EpisodeShape(None, 1, None), 1)])
def test_other_episodes_are_refused(shape, seed):
    with pytest.raises(ValueError, match="has only the published draws"):
        RepeatedPermutation().sample(WORLD, CLASSES, shape, seed, 0, 1)
