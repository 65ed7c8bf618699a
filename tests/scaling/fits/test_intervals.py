"""Intervals of exponents, and how far a fit may be trusted."""

from __future__ import annotations

import numpy as np
import pytest

from fewshot.scaling.fits.intervals import over_points, over_replicates, over_seeds, paired_difference, resampled
from fewshot.scaling.fits.trust import trust
from fewshot.scaling.laws.m1 import M1
from fewshot.scaling.laws.m2 import M2

X = np.geomspace(1e2, 1e5, 12)
LAW = M1(2.0, -0.3)


def noisy(count: int, seed: int = 0, spread: float = 0.03) -> np.ndarray:
    return LAW.predict(X) * np.exp(spread * np.random.default_rng(seed).normal(size=(count, len(X))))


def test_the_interval_over_points_holds_the_exponent_about_as_often_as_it_says():
    held = [
        estimate.low["c"] <= LAW.c <= estimate.high["c"]
        for estimate in (over_points(M1, X, errors, count=100) for errors in noisy(60))
    ]
    assert 0.8 < np.mean(held) <= 0.98  # a percentile interval of 12 points is somewhat too narrow


def test_few_seeds_are_fitted_one_by_one_and_many_drawn_as_a_whole():
    few, many = over_seeds(M1, X, noisy(3)), over_seeds(M1, X, noisy(8))
    assert few.how == "one fit for each of 3 seeds, Student's t"
    assert many.how == "200 resamples of 8 whole seeds"
    slopes = np.polyfit(np.log(X), np.log(noisy(3)).T, 1)[0]
    half = 4.302652729911275 * slopes.std(ddof=1) / np.sqrt(3)
    np.testing.assert_allclose([few.low["c"], few.high["c"]], [slopes.mean() - half, slopes.mean() + half], rtol=1e-9)
    assert many.low["c"] < LAW.c < many.high["c"]


def test_one_seed_has_no_interval_and_says_why():
    estimate = over_seeds(M1, X, noisy(1))
    assert np.isnan(estimate.low["c"])
    assert estimate.how == "one seed: no interval"


def test_the_band_of_few_seeds_is_of_students_t_and_no_span_of_their_laws():
    few = over_seeds(M1, X, noisy(3))
    logs = np.log([law.predict(X) for law in few.laws])
    half = 4.302652729911275 * logs.std(0, ddof=1) / np.sqrt(3)
    low, high = few.band(X)
    np.testing.assert_allclose(np.log(low), logs.mean(0) - half)
    np.testing.assert_allclose(np.log(high), np.minimum(logs.mean(0) + half, 0))
    many = over_seeds(M1, X, noisy(8))
    drawn = np.array([law.predict(X) for law in many.laws])
    np.testing.assert_allclose(many.band(X), np.quantile(drawn, [0.025, 0.975], axis=0))
    assert np.isnan(over_seeds(M1, X, noisy(1)).band(X)).all()


def test_replicates_of_the_caller_make_an_interval():
    errors = noisy(40)
    estimate = over_replicates(M1, X, errors.mean(0), resampled(errors, 100, seed=1), "100 draws of 40 episodes")
    assert estimate.low["c"] < estimate.fit.law.parameters()["c"] < estimate.high["c"]
    low, high = estimate.band(X)
    assert ((low < LAW.predict(X)) & (LAW.predict(X) < high)).mean() > 0.6


def test_a_paired_difference_is_narrower_than_two_exponents_apart():
    first = noisy(8, spread=0.1)
    second = first * (X / X[0]) ** -0.05
    difference = paired_difference(M1, "c", X, first, second)
    assert difference.low == pytest.approx(-0.05)
    assert difference.high == pytest.approx(-0.05)
    with pytest.raises(ValueError, match="needs the same seeds and x"):
        paired_difference(M1, "c", X, first, second[:4])


def test_the_same_seed_draws_the_same_interval():
    assert over_points(M2, X, noisy(1)[0]).low == over_points(M2, X, noisy(1)[0]).low


def test_a_law_that_predicts_its_largest_sizes_is_trusted_to_twice_the_range():
    outcome = trust(M1, X, LAW.predict(X))
    assert outcome.trusted
    assert [outcome.standing(x) for x in (X[0], X[-1], 2 * X[-1], 3 * X[-1])] == [
        "measured", "measured", "extrapolated", "beyond",
    ]  # fmt: skip


def test_a_law_that_misses_them_is_refused():
    bent = M2(1.5, -0.3, 0.2).predict(np.geomspace(10, 1e6, 8))
    outcome = trust(M1, np.geomspace(10, 1e6, 8), bent)
    assert not outcome.trusted
    assert outcome.standing(1.5e6) == "refused"
    assert "no extrapolation" in outcome.sentence


def test_too_few_sizes_to_hold_any_back_are_not_tested_and_not_trusted():
    outcome = trust(M1, X[:4], LAW.predict(X[:4]))
    assert not outcome.trusted
    assert "M1 needs 5 sizes to hold two back, got 4" in outcome.sentence
