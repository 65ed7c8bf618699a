"""Student's t for skewed values: against scipy where there is no skewness, its own inverse, and simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from fewshot.statistics.skewed import SkewedT

NUMBERS = st.lists(st.floats(-1, 1, allow_nan=False, allow_subnormal=False), min_size=3, max_size=30)


def test_symmetric_values_with_light_tails_have_the_interval_of_scipy() -> None:
    values = np.concatenate([np.linspace(-1, 1, 11), np.linspace(-1, 1, 11)]) + 0.2
    own = SkewedT.of(values, values.var(ddof=1) / len(values))
    wanted = stats.ttest_1samp(values, 0)
    assert own.bounds(values.mean(), 0.95) == pytest.approx(tuple(wanted.confidence_interval()))
    assert own.p_value(values.mean()) == pytest.approx(wanted.pvalue)


@given(NUMBERS, st.floats(0.5, 0.999))
@example([0.0, 0.0, 6.5e-158], 0.5)
def test_the_p_value_is_that_of_the_interval(numbers: list[float], level: float) -> None:
    values = np.array(numbers)
    own = SkewedT.of(values, values.var(ddof=1) / len(values))
    mean = float(values.mean())
    low, high = own.bounds(mean, level)
    assert low <= high
    for bound in (low, high):
        if own.error > 1e-6:
            assert own.p_value(mean - bound) == pytest.approx(1 - level, rel=1e-6)


@given(NUMBERS)
def test_turned_values_have_the_turned_interval(numbers: list[float]) -> None:
    values = np.array(numbers)
    variance = values.var(ddof=1) / len(values)
    low, high = SkewedT.of(values, variance).bounds(float(values.mean()), 0.95)
    assert SkewedT.of(-values, variance).bounds(-float(values.mean()), 0.95) == pytest.approx((-high, -low))


def test_the_longer_tail_has_the_longer_side() -> None:
    values = np.random.default_rng(0).exponential(size=12)
    low, high = SkewedT.of(values, values.var(ddof=1) / 12).bounds(values.mean(), 0.95)
    assert high - values.mean() > 1.2 * (values.mean() - low)


def test_skewed_values_are_covered_better_than_by_the_usual_interval() -> None:
    random, usual, own = np.random.default_rng(1), 0, 0
    for _ in range(2000):
        values = random.lognormal(0, 1, 12)
        low, high = SkewedT.of(values, values.var(ddof=1) / 12).bounds(values.mean(), 0.95)
        own += low <= np.exp(0.5) <= high
        plain = stats.ttest_1samp(values, 0).confidence_interval()
        usual += plain.low <= np.exp(0.5) <= plain.high
    assert usual / 2000 < 0.86
    assert own / 2000 > 0.91


def test_equal_values_leave_no_doubt() -> None:
    same = SkewedT.of(np.full(5, 0.3), 0.0)
    assert same.bounds(0.3, 0.95) == (0.3, 0.3)
    assert (same.p_value(0.3), same.p_value(0.0)) == (0.0, 1.0)


@given(NUMBERS, st.floats(0.001, 0.05), st.floats(0.8, 0.99))
def test_a_bound_moves_little_when_the_level_moves_little(numbers: list[float], step: float, level: float) -> None:
    # the inverse of the cubic alone has an infinite slope at -3 / skewness, among the usual quantiles of few values
    values = np.array(numbers)
    own = SkewedT.of(values, values.var(ddof=1) / len(values))
    mean, longer = float(values.mean()), level + step * (1 - level)
    moved = stats.t.ppf(0.5 + longer / 2, own.freedom) - stats.t.ppf(0.5 + level / 2, own.freedom)
    for before, after in zip(own.bounds(mean, level), own.bounds(mean, longer), strict=True):
        assert abs(after - before) <= own.error * moved / 0.36 * (1 + 1e-9) + 1e-12


def test_one_weak_class_of_eight_moves_no_bound_by_tens_of_points() -> None:
    rest = np.array([0.07, 0.19, 0.20, 0.21, 0.22, 0.22, 0.31])
    lows = []
    for weak in np.linspace(-0.05, 0.05, 21):
        values = np.append(rest, weak)
        lows.append(SkewedT.of(values, 0.9 * values.var(ddof=1) / 8).bounds(values.mean(), 0.95)[0])
    assert np.abs(np.diff(lows)).max() < 0.02  # for half a point in one class; the cubic alone moves by 0.15
