"""The tests of all pairs are those of two runs, and the group holds the truly best run."""

from __future__ import annotations

import numpy as np
import pytest

from fewshot.statistics.best_runs import may_be_best, pair_tests, unpaired_tests
from fewshot.statistics.comparison import compare
from fewshot.statistics.intervals import Units
from tests.support.paired_runs import episodes


def runs(gains: np.ndarray, seed: int, n_classes: int = 20, n_episodes: int = 200) -> tuple[np.ndarray, Units]:
    """Accuracies [R, E] of runs on the same episodes. Each run has its own skill for each class, with mean `gains`."""
    shared, units = episodes(seed, n_classes, n_episodes)
    generator = np.random.default_rng(seed + 5000)
    skill = gains[:, None] + generator.normal(0, 0.05, (len(gains), n_classes))
    own = skill[:, units.held.reshape(n_episodes, -1)].mean(2)
    return shared + own + generator.normal(0, 0.02, own.shape), units


@pytest.mark.parametrize("n_classes", [5, 8, 20])
def test_all_pairs_are_the_comparisons_of_two(n_classes: int):
    accuracy, units = runs(np.array([0.0, 0.01, 0.05, 0.05]), 3, n_classes, 60)
    accuracy[3] = accuracy[2]
    tests = pair_tests(accuracy, units)
    for a in range(4):
        for b in range(4):
            one = compare(accuracy[a], accuracy[b], units)
            assert tests.means[a, b] == pytest.approx(one.these_images.mean, abs=1e-12)
            assert tests.p_classes[a, b] == pytest.approx(one.p_classes, rel=1e-6, nan_ok=True)
            excludes = one.these_images.low > 0 or one.these_images.high < 0
            assert (tests.p_images[a, b] < 0.05) == excludes


def test_the_group_is_where_no_other_run_is_better_for_sure():
    accuracy, units = runs(np.array([0.0, 0.2, 0.2, -0.2]), 1)
    accuracy[2] = accuracy[1]
    tests = pair_tests(accuracy, units)
    assert (may_be_best(tests.means, tests.p_classes) >= 0.05).tolist() == [False, True, True, False]
    assert (may_be_best(tests.means, np.full((4, 4), np.nan)) == 1).all()  # without a test all may be the best


def test_two_runs_need_no_correction():
    accuracy, units = runs(np.array([0.02, 0.0]), 2)
    tests = pair_tests(accuracy, units)
    worse = int(tests.means[0, 1] > 0)
    assert may_be_best(tests.means, tests.p_classes)[worse] == pytest.approx(tests.p_classes[0, 1])


@pytest.mark.parametrize(("n_runs", "apart"), [(2, 0.0), (10, 0.0), (10, 0.01), (30, 0.005)])
def test_the_group_holds_the_best_run_with_95_percent(n_runs: int, apart: float):
    gains = -apart * np.arange(n_runs)  # the first is the best, or as good as all others
    held = []
    for seed in range(200):
        tests = pair_tests(*runs(gains, seed, n_episodes=100))
        held.append(may_be_best(tests.means, tests.p_classes)[0] >= 0.05)
    assert np.mean(held) >= 0.93  # 2 standard errors below 0.95, of 200 data sets


def test_without_pairing_the_tests_are_those_of_two_independent_means():
    means, p = unpaired_tests(np.array([0.8, 0.7, 0.75]), 1.96 * np.array([0.03, 0.04, np.nan]), np.full(3, 1e9))
    assert means[0, 1] == pytest.approx(0.1)
    assert p[0, 1] == pytest.approx(0.0455, abs=1e-3)  # 0.1 / 0.05 is 2 standard errors
    assert np.isnan(p[0, 2])
