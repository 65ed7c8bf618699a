"""Supports that the tests of several evaluators share: equal ones, and ragged ones padded with what would show."""

from __future__ import annotations

import numpy as np
import torch

from fewshot.episodes.episodes import EpisodeBatch
from tests.evaluators.test_linear_probe import batch_of, episodes

# N, K, D: more and fewer rows than features and as many, two to twenty classes, one feature
SHAPES = [(5, 1, 64), (5, 5, 160), (5, 5, 25), (5, 6, 8), (2, 1, 10), (2, 8, 5), (20, 3, 32), (3, 4, 1)]


def balanced(n_way, k_shot, dim, count=4, seed=0):
    """A batch, and each of its episodes as (rows, labels)."""
    rows, labels = episodes(n_way, k_shot, dim, False, count, seed)
    return batch_of(rows, labels, n_way), [(x, labels) for x in rows]


def ragged(dim, seed=0):
    """A batch of three-way episodes of unequal classes, padded with rows that are far away, and its episodes."""
    random = np.random.default_rng(seed)
    supports = []
    for counts in ([1, 9, 2], [5, 1, 1], [4, 4, 4]):
        labels = random.permutation(np.repeat(np.arange(3), counts))
        supports.append((random.normal(size=(3, dim))[labels] + random.normal(size=(len(labels), dim)), labels))
    rows, targets, mask = np.full((3, 12, dim), 1e3), np.zeros((3, 12), np.int64), torch.zeros(3, 12, dtype=torch.bool)
    for e, (x, y) in enumerate(supports):
        rows[e, : len(x)], targets[e, : len(x)], mask[e, : len(x)] = x, y, True
    seeds = torch.zeros(3, dtype=torch.int64)
    return EpisodeBatch(torch.as_tensor(rows), torch.as_tensor(targets), mask, 3, seeds), supports


def every_support():
    """(batch, episodes, N, D) of every shape, ragged ones included."""
    for n_way, k_shot, dim in SHAPES:
        yield (*balanced(n_way, k_shot, dim), n_way, dim)
    for dim in (4, 30):
        yield (*ragged(dim), 3, dim)


def queries(count, dim, n_query=20, seed=1):
    """[count, n_query, dim] float64 of the size of the supports."""
    return torch.as_tensor(1.3 * np.random.default_rng(seed).normal(size=(count, n_query, dim)))
