"""Means of paired differences over data sets: scipy's tests on single sets, and the error rate on many."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fewshot.statistics.paired_means import over_other_sets, over_these_sets, paired_episodes

RNG = np.random.default_rng(0)


def test_on_one_set_the_test_is_the_paired_t_test() -> None:
    a, b = RNG.normal(0.7, 0.1, 50), RNG.normal(0.68, 0.1, 50)
    one = paired_episodes([a, b])
    assert one is not None
    both = over_these_sets([one])
    assert both.p_values[0, 1] == pytest.approx(stats.ttest_rel(a, b).pvalue)
    assert both.interval(0, 1, "these images").mean == pytest.approx((a - b).mean())
    wanted = stats.ttest_rel(a, b).confidence_interval(0.95)
    found = both.interval(0, 1, "these images")
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high))


def test_for_other_sets_the_test_is_the_paired_t_test_over_sets() -> None:
    values = RNG.normal(0.6, 0.2, (19, 3))
    found = over_other_sets(values)
    for a in range(3):
        for b in range(3):
            if a != b:
                assert found.p_values[a, b] == pytest.approx(stats.ttest_rel(values[:, a], values[:, b]).pvalue)
    assert (np.diag(found.p_values) == 1).all()


def test_the_error_of_a_mean_over_sets_is_right_as_often_as_it_says() -> None:
    """Ten sets of unequal noise and 30 paired episodes each, one truth: 5 % of the p-values are below .05."""
    below, trials = 0, 800
    for _ in range(trials):
        each = []
        for noise in np.linspace(0.02, 0.2, 10):
            a = RNG.normal(0.7, 0.1, 30)
            one = paired_episodes([a, a + RNG.normal(0, noise, 30)])
            assert one is not None
            each.append(one)
        below += over_these_sets(each).p_values[0, 1] < 0.05
    assert 0.03 <= below / trials <= 0.07


def test_runs_that_are_equal_everywhere_do_not_differ_and_an_equal_lead_everywhere_is_certain() -> None:
    a = RNG.normal(0.7, 0.1, 20)
    one = paired_episodes([a, a, a - 0.25])
    assert one is not None
    p = over_these_sets([one, one]).p_values
    assert p[0, 1] == 1
    assert p[0, 2] < 1e-12


def test_without_predictions_or_with_one_episode_there_are_no_pairs() -> None:
    a = RNG.normal(0.7, 0.1, 20)
    assert paired_episodes([a, None]) is None
    assert paired_episodes([a[:1], a[:1]]) is None
    longer = paired_episodes([a, a[:8] - 0.1])
    assert longer is not None
    assert longer.freedom == 7
