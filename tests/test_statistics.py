"""Intervals against scipy and their stated coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fewshot.statistics import episode_interval


def test_the_interval_is_students():
    values = np.random.default_rng(0).random(50)
    found = episode_interval(values)
    low, high = stats.t.interval(0.95, 49, loc=values.mean(), scale=stats.sem(values))
    assert (found.mean, found.low, found.high) == pytest.approx((values.mean(), low, high))
    assert found.population == "these images"


def test_it_covers_the_mean_of_independent_episodes_as_often_as_it_says():
    values = np.random.default_rng(1).binomial(75, 0.7, size=(2000, 20)) / 75
    covered = np.mean([i.low <= 0.7 <= i.high for i in map(episode_interval, values)])
    assert abs(covered - 0.95) < 3 * (0.95 * 0.05 / 2000) ** 0.5


def test_one_episode_has_a_mean_and_no_interval():
    found = episode_interval(np.array([0.5]))
    assert found.mean == 0.5
    assert np.isnan(found.low)
    assert np.isnan(found.high)


def test_no_episode_is_an_error():
    with pytest.raises(ValueError, match="at least one episode"):
        episode_interval(np.array([]))
