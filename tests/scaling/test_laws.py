"""Laws of error over a resource: what every one of them obeys, and that a known law is found again."""

from __future__ import annotations

import dataclasses
from typing import get_type_hints

import numpy as np
import pytest

from fewshot.plugins.registry import LAWS
from fewshot.scaling.laws import Meaning, Points, log_rmse, named
from fewshot.scaling.laws.algebraic_budget import AlgebraicBudget
from fewshot.scaling.laws.arctan_budget import ArctanBudget
from fewshot.scaling.laws.average import MEMBERS, Average
from fewshot.scaling.laws.bnsl0 import BNSL0
from fewshot.scaling.laws.bnsl1 import BNSL1
from fewshot.scaling.laws.bnsl2 import BNSL2
from fewshot.scaling.laws.logarithm_budget import LogarithmBudget
from fewshot.scaling.laws.m1 import M1
from fewshot.scaling.laws.m2 import M2
from fewshot.scaling.laws.m3 import M3
from fewshot.scaling.laws.m4 import M4
from fewshot.scaling.laws.m4_joint import M4Joint
from fewshot.scaling.laws.piecewise_power_law import PiecewisePowerLaw
from fewshot.scaling.laws.power_budget import PowerBudget
from fewshot.scaling.laws.shifted_power_law import ShiftedPowerLaw

X = np.geomspace(1e3, 1e6, 24)
TRUE = {
    "M1": M1(5.0, -0.3),
    "M2": M2(20.0, -0.5, 0.1),
    "M3": M3(10.0, -0.4, 1e-5),
    "M4": M4(30.0, -0.5, 0.3, 0.15, 1.0),
    "M4Joint": M4Joint(30.0, -0.5, 0.3, 0.15, 0.95),
    "ShiftedPowerLaw": ShiftedPowerLaw(20.0, 0.5, 0.1, 3e3),
    "BNSL0": BNSL0(0.1, 20.0, 0.5),
    "BNSL1": BNSL1(0.02, 1.0, 0.05, 0.4, 3e4, 0.3),
    "BNSL2": BNSL2(0.05, 1.0, 0.05, 0.5, 1e4, 0.2, -0.2, 2e5, 0.2),
    "PiecewisePowerLaw": PiecewisePowerLaw(-1.0, 0.2, -0.02, float(X[16])),
    "PowerBudget": PowerBudget(-300.0, -0.3, 90.0),
    "ArctanBudget": ArctanBudget(1e-6, 0.4, 5.0),
    "LogarithmBudget": LogarithmBudget(8.0, 500.0, -30.0),
    "AlgebraicBudget": AlgebraicBudget(1.3, 0.15, 10.0),
}
SMOOTH = [name for name in TRUE if name not in ("BNSL2", "AlgebraicBudget")]  # see the test of their fit


def test_every_law_has_a_known_truth():
    assert {*TRUE, "Average"} == set(LAWS.names())


@pytest.mark.parametrize("name", SMOOTH)
def test_a_law_is_found_again_from_its_own_points(name):
    law = TRUE[name]
    fit = named(name).fit(X, law.predict(X))
    assert fit.converged or name == "M4Joint"  # it creeps where no noise stops it
    beyond = np.array([2e6, 4e6])
    assert log_rmse(fit.law, beyond, law.predict(beyond)) < 0.01


@pytest.mark.parametrize("name", ["BNSL2", "AlgebraicBudget"])
def test_laws_of_many_or_entangled_parameters_come_close_to_their_own_points(name):
    errors = TRUE[name].predict(X)
    assert named(name).fit(X, errors).rmse < 0.01


def test_an_average_is_the_geometric_mean_of_its_members():
    errors = TRUE["M2"].predict(X) * np.exp(0.03 * np.random.default_rng(0).normal(size=len(X)))
    average = Average.fit(X, errors).law
    beyond = np.array([2e6, 1e7])
    alone = [law.fit(X, errors).law.predict(beyond) for law in MEMBERS]
    np.testing.assert_allclose(average.predict(beyond), np.exp(np.mean(np.log(alone), 0)), rtol=1e-5)


@pytest.mark.parametrize("name", TRUE)
def test_the_inverse_is_the_x_of_an_error(name):
    law = TRUE[name]
    x = np.array([2e3, 3e4])
    np.testing.assert_allclose(law.inverse(law.predict(x)), x, rtol=1e-5)


@pytest.mark.parametrize("name", ["M2", "M3", "M4"])
def test_an_error_below_the_last_one_is_never_reached(name):
    assert TRUE[name].inverse(0.01) == np.inf


def test_m4_meets_its_own_equation():
    law = M4(30.0, -0.5, 0.3, 0.15, 1.0)
    errors = law.predict(X)
    np.testing.assert_allclose((errors - law.e_inf) / (law.e_0 - errors) ** law.alpha, law.beta * X**law.c, rtol=1e-9)


@pytest.mark.parametrize("name", LAWS.names())
def test_a_fit_does_not_depend_on_its_neighbours_and_is_the_same_twice(name):
    law = named(name)
    random = np.random.default_rng(0)
    errors = TRUE["M2"].predict(X) * np.exp(0.05 * random.normal(size=(2, len(X))))
    together = law.fit_many(X, errors, np.ones_like(errors))
    alone = law.fit(X, errors[1])
    assert law.fit(X, errors[1]) == alone
    np.testing.assert_allclose(together[1].law.predict(2 * X), alone.law.predict(2 * X), rtol=1e-6)


@pytest.mark.parametrize("name", LAWS.names())
def test_points_of_weight_zero_are_left_out(name):
    errors = TRUE["M4"].predict(X)
    wild = errors.copy()
    wild[::3] = 0.999
    weights = np.ones(len(X))
    weights[::3] = 0
    kept = named(name).fit(X[weights > 0], errors[weights > 0]).law
    left = named(name).fit(X, wild, weights).law
    np.testing.assert_allclose(left.predict(X), kept.predict(X), rtol=1e-6)


@pytest.mark.parametrize("name", LAWS.names())
def test_every_parameter_says_what_it_means(name):
    law = named(name)
    assert law.formula
    assert law.__doc__
    hints = get_type_hints(law, include_extras=True)
    for field in dataclasses.fields(law):
        [meaning] = hints[field.name].__metadata__
        assert isinstance(meaning, Meaning)
        assert meaning.text
        assert meaning.unit


@pytest.mark.parametrize("name", LAWS.names())
def test_errors_that_do_not_fall_are_fitted_by_something_finite(name):
    for errors in (np.full(len(X), 0.5), np.linspace(0.3, 0.4, len(X)), np.full(len(X), 1.0)):
        fit = named(name).fit(X, errors)
        assert np.isfinite(fit.law.predict(X)).all()


def test_curves_of_different_length_are_fitted_at_once():
    long, short = X, X[10:]
    curves = [Points(x, TRUE["M2"].predict(x), np.ones(len(x))) for x in (long, short)]
    for fit, points in zip(M2.fit_curves(curves), curves, strict=True):
        np.testing.assert_allclose(fit.law.predict(X), M2.fit(points.x, points.errors).law.predict(X), rtol=1e-9)


@pytest.mark.parametrize(
    ("x", "errors", "message"),
    [
        ([0, 1, 2, 3], [0.5] * 4, "x must be a positive number, got 0"),
        ([1, np.nan, 2, 3], [0.5] * 4, "x must be a positive number, got nan"),
        ([1, 2, 3, 4], [0.5, 0.4, 1.2, 0.1], r"an error must lie in \(0, 1\], got 1.2"),
        ([1, 2, 3, 4], [0.5, 0.4, np.nan, 0.1], r"an error must lie in \(0, 1\], got nan"),
        ([1, 2, 2], [0.5, 0.4, 0.3], "M1 has 2 parameters and needs 3 different x, got 2"),
        ([1, 2, 3], [0.5, 0.4], r"must be of one length, got shapes \(3,\), \(2,\), \(2,\)"),
    ],
)
def test_points_that_cannot_be_fitted_are_refused_in_a_sentence(x, errors, message):
    with pytest.raises(ValueError, match=message):
        M1.fit(x, errors)


def test_an_unknown_law_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown law 'M4joint'; known: AlgebraicBudget, .* Did you mean M4Joint"):
        named("M4joint")


def test_a_class_from_outside_must_be_a_law():
    with pytest.raises(ValueError, match=r"pathlib:PurePath is not a law; derive it from fewshot\.scaling\.laws\.Law"):
        named("pathlib:PurePath")


@pytest.mark.parametrize("name", ["M2", "M4"])
def test_tiny_errors_do_not_push_the_last_error_below_zero(name):
    errors = np.geomspace(0.1, 1e-4, len(X))
    assert named(name).fit(X, errors).law.parameters()["e_inf"] >= 0
