"""Accuracies of episodes that share the skill and luck of their classes, of one run and of two on the same episodes."""

from __future__ import annotations

import numpy as np

from fewshot.statistics.units import Units


def episodes(seed: int, n_classes: int, n_episodes: int, n_way: int = 5) -> tuple[np.ndarray, Units]:
    """Accuracies, each the mean of skill and luck of the classes of its episode, and which classes those are."""
    generator = np.random.default_rng(seed)
    skill = generator.normal(0.7, 0.1, n_classes)
    held = np.argsort(generator.random((n_episodes, n_classes)), axis=1)[:, :n_way]
    values = (skill[held] + generator.normal(0, 0.05, held.shape)).mean(1)
    return values, Units(held.reshape(-1), np.full(n_episodes, n_way), n_classes)


def two_runs(gain: float = 0.02, seed: int = 0, n_classes: int = 20, n_episodes: int = 600):
    """Two runs on the same episodes that share the luck of the episode; the first is better by `gain`."""
    values, units = episodes(seed, n_classes, n_episodes)
    generator = np.random.default_rng(seed + 1000)
    return values + gain + generator.normal(0, 0.02, n_episodes), values, units
