"""What a column of scores is, and that nothing that rises is fitted as an error."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from fewshot.scaling.fits.curves import Curve, curves
from fewshot.scaling.fits.fit import fit_all
from fewshot.scaling.fits.tables import CurveTable
from fewshot.scaling.fits.trust import trust
from fewshot.scaling.laws.m1 import M1

X = (100, 200, 400, 800, 1600, 3200)
ERRORS = tuple(round(2.0 * x**-0.25, 4) for x in X)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "t.csv"


def curve(folder: Path, name: str, values: Sequence[object], metric: str = "") -> Curve:
    with open(folder, "w", newline="") as file:
        csv.writer(file).writerows([("x", name), *zip(X, values, strict=True)])
    [result] = curves(CurveTable.read(folder), "x", name, metric=metric)
    return result


def accuracies(scale: float = 1, sign: str = "") -> list[str]:
    return [f"{scale * (1 - error):.6g}{sign}" for error in ERRORS]


@pytest.mark.parametrize("name", ["acc1", "accuracy", "top-1", "val_acc", "Top1 Accuracy", "AUROC"])
@pytest.mark.parametrize(("scale", "sign", "percent"), [(1, "", False), (100, "", True), (100, "%", True)])
def test_a_column_that_is_named_like_an_accuracy_and_rises_is_one(folder, name, scale, sign, percent):
    result = curve(folder, name, accuracies(scale, sign))
    np.testing.assert_allclose(result.points.errors, ERRORS, atol=1e-5)
    assert result.scores is not None
    assert (result.scores.metric, result.scores.percent) == ("accuracy", percent)
    [fit] = fit_all([result], ["M1"], draws=0)
    assert fit.estimate.fit.law.parameters()["c"] == pytest.approx(-0.25, abs=1e-3)


@pytest.mark.parametrize("values", [accuracies(), accuracies(100), accuracies(100, " %")])
def test_the_user_can_say_what_a_column_is(folder, values):
    np.testing.assert_allclose(curve(folder, "y", values, "accuracy").points.errors, ERRORS, atol=1e-5)
    with pytest.raises(ValueError, match="the error rises with 'x' on the curve all, so no scaling law describes it"):
        curve(folder, "y", values, "error")


@pytest.mark.parametrize("name", ["y", "score", "error"])
def test_what_rises_and_is_not_named_like_an_accuracy_is_refused(folder, name):
    with pytest.raises(ValueError, match=f"if '{name}' is an accuracy, add --metric accuracy"):
        curve(folder, name, accuracies())


def test_an_accuracy_that_falls_is_refused(folder):
    with pytest.raises(ValueError, match="'acc' is named like an accuracy, but does not rise; add --metric"):
        curve(folder, "acc", ERRORS)
    with pytest.raises(ValueError, match=r"the accuracy falls with 'x' .* add --metric error"):
        curve(folder, "acc", ERRORS, "accuracy")
    assert curve(folder, "acc", ERRORS, "error").points.errors == pytest.approx(ERRORS)


@pytest.mark.parametrize("values", [[100 * e for e in ERRORS], [f"{100 * e:g}%" for e in ERRORS], list(ERRORS)])
def test_percent_is_understood(folder, values):
    np.testing.assert_allclose(curve(folder, "error", values).points.errors, ERRORS, rtol=1e-9)


def test_percent_signs_beside_fractions_are_each_their_own(folder):
    values = [f"{100 * e:g}%" if place % 2 else e for place, e in enumerate(ERRORS)]
    np.testing.assert_allclose(curve(folder, "error", values).points.errors, ERRORS, rtol=1e-9)


@pytest.mark.parametrize("places", [[2], [0], [5], [1, 3]])
@pytest.mark.parametrize(
    ("name", "values"), [("acc", [100 - 100 * e for e in ERRORS]), ("error", [100 * e for e in ERRORS])]
)
def test_fractions_among_percentages_are_refused_by_their_lines(folder, name, values, places):
    mixed = [value / 100 if place in places else value for place, value in enumerate(values)]
    lines = ", ".join(rf"0\.\d+ \(data line {place + 1}\)" for place in places)
    with pytest.raises(
        ValueError, match=f"'{name}' of .* seems to mix percentages and fractions: .* not {lines}; multip"
    ):
        curve(folder, name, mixed)


def test_a_percentage_below_1_at_the_end_of_a_curve_is_one(folder):
    values = [12.0, 6.0, 3.0, 1.5, 0.8, 0.4]
    np.testing.assert_allclose(curve(folder, "error", values).points.errors, [v / 100 for v in values], rtol=1e-9)


def test_a_loss_may_exceed_1(folder):
    losses = [5 * e for e in ERRORS]
    for name, metric in (("val_loss", ""), ("NLL", ""), ("y", "loss")):
        result = curve(folder, name, losses, metric)
        assert result.points.errors == pytest.approx(losses)
        assert result.points.most == np.inf
    [fit] = fit_all([result], ["M1"], draws=20)
    assert fit.estimate.fit.law.parameters()["beta"] == pytest.approx(10, rel=1e-2)
    with pytest.raises(ValueError, match="M4 is for errors of at most 1, not for losses; omit the law"):
        fit_all([result], ["M4"])


def test_what_may_be_a_loss_or_percent_needs_a_metric(folder):
    with pytest.raises(ValueError, match=r"'y' exceeds 1 \(up to 63\.\d+\), so it may be a loss or a percentage; add"):
        curve(folder, "y", [100 * e for e in ERRORS])


@pytest.mark.parametrize(
    ("value", "metric", "message"),
    [
        (7.0, "error", r"'error' of data line 6 of .* must be in \[0, 1\], or --metric loss, got 7"),
        (-0.1, "error", r"must be in \[0, 1\], or --metric loss, got -0.1"),
        (0, "error", r"must be of an error above 0, because 0 has no logarithm \(omit it with --where\), got 0"),
        ("150%", "error", r"must be in \[0, 1\], or --metric loss, got 150"),
        ("3%", "loss", "a loss is not a percentage, but 'error' of .* has % signs; add --metric error"),
        ("many", "error", "'error' of data line 6 of .* must be a number, got 'many'"),
        (0, "loss", "must be a loss above 0, got 0"),
    ],
)
def test_a_slip_names_its_line(folder, value, metric, message):
    with pytest.raises(ValueError, match=message):
        curve(folder, "error", [*ERRORS[:-1], value], metric)


def test_errors_that_hardly_rise_are_fitted_but_not_trusted(folder):
    wavering = (0.30, 0.31, 0.30, 0.33, 0.31, 0.32)
    result = curve(folder, "error", wavering)
    [fit] = fit_all([result], ["M1"], draws=0)
    assert fit.estimate.fit.law.parameters()["c"] > 0
    assert not fit.trust.trusted
    assert "it rises beyond the largest size, no extrapolation" in fit.trust.sentence


def test_a_law_that_rises_is_never_trusted():
    sizes = np.array(X, float)
    assert trust(M1, sizes, np.array(ERRORS)).trusted
    outcome = trust(M1, sizes, 0.2 * sizes**0.1)
    assert outcome.miss < 0.01
    assert (outcome.trusted, outcome.rises) == (False, True)
