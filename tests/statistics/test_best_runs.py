"""The tests of all pairs are those of two runs, and the group holds the truly best run."""

from __future__ import annotations

import numpy as np
import pytest

from fewshot.statistics.best_runs import (
    MOST_PAIRED,
    N_RIVALS,
    may_be_best,
    pair_tests,
    pool_tests,
    rank_sets,
    rivals_of,
    unpaired_tests,
)
from fewshot.statistics.comparison import compare
from fewshot.statistics.interval import DIFFERENCE
from fewshot.statistics.intervals import pool_interval
from fewshot.statistics.units import Units
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


def test_tests_against_some_rivals_are_columns_of_the_tests_of_all_pairs():
    accuracy, units = runs(np.linspace(0, 0.1, 7), 4, n_episodes=80)
    lengths = [80, 40, 80, 60, 80, 40, 80]
    shorter, rivals = [values[:count] for values, count in zip(accuracy, lengths, strict=True)], np.array([1, 2, 5, 6])
    every, some = pair_tests(shorter, units), pair_tests(shorter, units, rivals)
    for name in ("means", "p_images", "p_classes"):
        np.testing.assert_array_equal(getattr(some, name), getattr(every, name)[:, rivals])
    pools = np.arange(80) % 8
    np.testing.assert_array_equal(pool_tests(shorter, pools, rivals), pool_tests(shorter, pools)[:, rivals])
    half, freedom = np.array([0.01, 0.02, np.nan, 0.01, 0.03, 0.0, 0.01]), np.arange(7) + 5.0
    for whole, part in zip(
        unpaired_tests(accuracy.mean(1), half, freedom),
        unpaired_tests(accuracy.mean(1), half, freedom, rivals=rivals),
        strict=True,
    ):
        np.testing.assert_array_equal(part, whole[:, rivals])


def test_the_tests_over_pools_are_the_intervals_of_two_runs():
    accuracy, _ = runs(np.array([0.0, 0.01, 0.05]), 6, n_episodes=70)
    pools = np.arange(70) % 7
    p_values = pool_tests([accuracy[0], accuracy[1][:50], accuracy[2]], pools)
    for a, b, count in ((0, 1, 50), (1, 2, 50), (0, 2, 70)):
        interval = pool_interval(accuracy[a][:count] - accuracy[b][:count], pools[:count]).inside(DIFFERENCE)
        assert (p_values[a, b] < 0.05) == (interval.low > 0 or interval.high < 0)
        assert p_values[a, b] == pytest.approx(p_values[b, a], rel=1e-9)
    assert np.isnan(pool_tests(list(accuracy), np.arange(70) % 4)).all()  # too few pools


def test_of_very_many_runs_the_best_and_the_longest_are_the_rivals():
    generator = np.random.default_rng(0)
    few = rivals_of(generator.random(MOST_PAIRED), np.full(MOST_PAIRED, 600))
    assert few.tolist() == list(range(MOST_PAIRED))
    accuracies, counts = generator.random(MOST_PAIRED + 1), np.full(MOST_PAIRED + 1, 100)
    counts[:40] = 600
    rivals = rivals_of(accuracies, counts)
    assert len(set(rivals.tolist())) == len(rivals) == N_RIVALS
    assert rivals.tolist() == sorted(rivals)
    assert set(range(40)) <= set(rivals.tolist())
    assert set(np.argsort(-accuracies)[: N_RIVALS // 2].tolist()) <= set(rivals.tolist())


def test_fewer_rivals_only_leave_more_runs_in_the_group():
    accuracy, units = runs(np.linspace(0, 0.05, 30), 7, n_episodes=100)
    every = pair_tests(accuracy, units)
    rivals = np.sort(np.argsort(-accuracy.mean(1))[:8])
    some = pair_tests(accuracy, units, rivals)
    whole, part = may_be_best(every.means, every.p_classes), may_be_best(some.means, some.p_classes)
    assert (part >= whole).all()
    assert (part[rivals] == whole[rivals]).all()  # a better run of one of the best is one of them


def test_very_many_runs_have_no_ranges_of_ranks():
    values, units = runs(np.zeros(2), 0, n_episodes=4)
    assert rank_sets({str(number): values[number % 2] for number in range(MOST_PAIRED + 1)}, units) == {}
