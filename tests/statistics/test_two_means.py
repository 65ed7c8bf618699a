"""The difference of two independent means: Welch's interval, against scipy's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fewshot.statistics.two_means import Error, difference

values = st.lists(st.floats(0, 1), min_size=2, max_size=12).filter(lambda v: np.std(v) > 1e-3)


@given(values, values)
def test_the_interval_is_scipys(a: list[float], b: list[float]) -> None:
    found = difference(float(np.mean(a)), float(np.mean(b)), [Error.of_draws(a), Error.of_draws(b)], "these images")
    wanted = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=1e-9)


def test_errors_that_are_known_exactly_give_the_normal_interval() -> None:
    found = difference(0.6, 0.5, [Error(0.03), Error(0.04)], "these images")
    assert found.high - found.mean == pytest.approx(stats.norm.ppf(0.975) * 0.05)


def test_numbers_without_any_error_have_an_interval_of_one_point() -> None:
    found = difference(0.6, 0.5, [Error(0.0)], "these images")
    assert found.low == found.mean == found.high == pytest.approx(0.1)


@pytest.mark.parametrize("digits", [3, 4])
def test_rounding_has_the_error_of_a_uniform_number(digits: int) -> None:
    exact = np.random.default_rng(0).random(100_000)
    assert Error.of_rounding(digits).standard_error == pytest.approx(np.std(exact - exact.round(digits)), rel=0.01)
    assert Error.of_rounding(digits).freedom == math.inf
