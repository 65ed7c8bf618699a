"""Supports that the tests of several evaluators share: equal ones, and ragged ones padded with what would show."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fewshot.episodes.batch import EpisodeBatch

# N, K, D: more and fewer rows than features and as many, two to twenty classes, one feature
SHAPES = [(5, 1, 64), (5, 5, 160), (5, 5, 25), (5, 6, 8), (2, 1, 10), (2, 8, 5), (20, 3, 32), (3, 4, 1)]


def episodes(n_way, k_shot, dim, unit, count, seed=0):
    """Rows [count, n_way * k_shot, dim] around a centre a class, of length one if `unit`, and the labels of all."""
    random = np.random.default_rng(seed)
    centres = 0.7 * random.normal(size=(count, n_way, 1, dim))
    rows = (centres + random.normal(size=(count, n_way, k_shot, dim))).reshape(count, n_way * k_shot, dim)
    if unit:
        rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    return rows, np.repeat(np.arange(n_way), k_shot)


def batch_of(rows, labels, n_way):
    """A batch of whole supports: the same labels for every episode."""
    support = torch.as_tensor(rows)
    held = torch.ones(support.shape[:2], dtype=torch.bool)
    targets = torch.as_tensor(labels).expand(support.shape[:2])
    return EpisodeBatch(support, targets, held, n_way, torch.zeros(len(support), dtype=torch.int64))


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


def hard_cases(count=24):
    """Supports that no sane person asks for: C from 1e-6 to 1e6, features of any size, doubled rows under other labels,
    huge margins, unequal classes."""
    for i in range(count):
        random = np.random.default_rng(100 + i)
        n_way, dim = int(random.integers(2, 8)), int(random.choice([1, 2, 5, 16, 40]))
        labels = np.repeat(np.arange(n_way), random.integers(1, 8, size=n_way))
        rows = (random.normal(size=(n_way, dim)) * random.choice([0, 0.5, 5, 50]))[labels]
        rows = (rows + random.normal(size=(len(labels), dim))) * 10.0 ** random.uniform(-3, 3)
        if i % 3 == 0:
            rows = rows[random.integers(0, max(2, len(rows) // 2), len(rows))]
        yield pytest.param(rows, labels, n_way, float(10.0 ** random.uniform(-6, 6)), id=f"case{i}")
