"""Student's t: the numbers of scipy.stats to the last bit, without importing it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fewshot.statistics import students_t

FREEDOM = st.one_of(st.floats(0.5, 1e6), st.integers(1, 5000))
PROBABILITY = st.floats(0.0, 1.0, exclude_min=True, exclude_max=True)


@given(PROBABILITY, FREEDOM)
def test_a_quantile_is_that_of_scipy_to_the_last_bit(probability, freedom):
    expected = stats.t.ppf(probability, freedom)
    assert students_t.quantile(probability, freedom) == expected
    assert students_t.quantiles(probability, np.array([freedom, freedom])).tolist() == [expected, expected]


@given(PROBABILITY)
def test_a_normal_quantile_is_that_of_scipy_to_the_last_bit(probability):
    assert students_t.quantile(probability, np.inf) == stats.norm.ppf(probability)


@given(st.floats(-1e9, 1e9), FREEDOM)
def test_a_two_sided_probability_is_that_of_scipy_to_the_last_bit(ratio, freedom):
    assert students_t.two_sided(ratio, freedom) == 2 * stats.t.sf(abs(ratio), freedom)


def test_what_is_not_known_stays_unknown():
    assert np.isnan(students_t.quantiles(0.975, np.array([np.nan]))).all()
    assert np.isnan(students_t.two_sided(np.array([np.nan]), 3.0)).all()


@pytest.mark.parametrize(("loads", "what"), [("scipy.stats", "run('two')"), ("scipy", "run('one')")])
def test_tests_of_runs_load_no_more_of_scipy_than_they_need(loads, what):
    code = f"""
import sys
import numpy as np
from fewshot.statistics.best_runs import unpaired_tests

def run(number):
    n = {{"one": 1, "two": 2}}[number]
    unpaired_tests(np.full(n, 0.5), np.full(n, 0.1), np.full(n, 10.0))

{what}
print({loads!r} in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
