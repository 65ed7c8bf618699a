"""Student's t is that of scipy.stats to the last bit, without importing it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy.stats import norm, t

from fewshot.statistics.student import quantile, quantiles, tail

freedoms = some.one_of(some.integers(1, 10**6).map(float), some.floats(1 / 3, 1e4))
probabilities = some.sampled_from((0.8, 0.95, 0.975, 0.995))


@given(probabilities, freedoms)
def test_quantiles_are_those_of_scipy(probability: float, freedom: float) -> None:
    assert quantile(probability, freedom) == t.ppf(probability, freedom)
    assert quantiles(probability, np.array([freedom, 5.0])).tolist() == t.ppf(probability, [freedom, 5.0]).tolist()


@given(some.floats(0, 1e6), freedoms)
def test_tails_are_those_of_scipy(value: float, freedom: float) -> None:
    assert tail(value, freedom) == t.sf(value, freedom)


@pytest.mark.parametrize("probability", [0.5, 0.8, 0.975])
def test_infinite_freedom_is_the_normal_distribution(probability: float) -> None:
    assert quantile(probability, np.inf) == norm.ppf(probability)


def test_comparisons_start_without_scipy_stats() -> None:
    code = "import sys, fewshot.report.comparisons.ranking; from fewshot.statistics.student import quantile; "
    code += "quantile(0.975, 5); sys.exit('scipy.stats' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
