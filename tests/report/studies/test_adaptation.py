"""Figures of error over pre-training images: bands, what is extrapolated and how far, and residuals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from fewshot.report.figures.laws import error_scale, percent, plot_band, plot_law, reach
from fewshot.report.figures.svg import SERIES
from fewshot.report.studies import _adaptation_plot
from fewshot.report.studies._adaptation_plot import ladder_plots
from fewshot.results.row import Row
from fewshot.scaling.laws.m1 import M1
from fewshot.scaling.studies.adaptation import Exponent, exponent, ladders
from fewshot.scaling.studies.ladders import Names
from tests.support.trained_rows import row, trained_of

SIZES, SEEDS = (100, 200, 400, 800, 1600), (0, 1, 2)


def exponents_of(bend: float = 0.0, seeds: Sequence[int] = SEEDS, **changed: Any) -> list[Exponent]:
    """Ladders whose error is a power law times exp(bend) at the largest size, with seeds that differ in slope."""

    def of(size: int, seed: int) -> Row:
        error = 0.6 * (size / 100) ** -(0.3 + 0.02 * seed) * float(np.exp(bend * (size == SIZES[-1])))
        return row(size, seed, seen_error=None, accuracy=1 - error, accuracy_low=0.99 - error, **changed)

    rows = [of(size, seed) for size in SIZES for seed in seeds]
    return [exponent(ladder) for ladder in ladders(trained_of(*rows))]


def names_of(exponents: Sequence[Exponent]) -> Names:
    return Names.of(each.ladder for each in exponents)


def axes_of(plotted: list[Axes], exponents: Sequence[Exponent], monkeypatch: pytest.MonkeyPatch) -> list[Axes]:
    def kept(figure: Figure, *_: object) -> str:
        plotted.extend(figure.axes)
        return ""

    monkeypatch.setattr(_adaptation_plot, "inline_svg", kept)
    ladder_plots(exponents, names_of(exponents))
    return plotted


def test_residuals_are_log_error_minus_the_law():
    [straight], [bent] = exponents_of(), exponents_of(bend=0.5)
    np.testing.assert_allclose(straight.residuals, 0, atol=0.01)
    fitted = np.log(bent.law.predict(bent.ladder.sizes))
    np.testing.assert_allclose(bent.residuals, np.log(bent.ladder.errors.mean(0)) - fitted)
    assert np.average(bent.residuals, weights=bent.ladder.weights) == pytest.approx(0, abs=1e-9)
    assert bent.residuals[-1] > 0.1


def test_a_power_law_is_trusted_where_it_predicts_the_largest_sizes():
    assert exponents_of()[0].trust.trusted
    assert not exponents_of(bend=0.5)[0].trust.trusted


@pytest.mark.parametrize("trusted", [True, False])
def test_a_law_is_solid_where_fitted_and_marked_to_twice_the_range_and_no_further(trusted):
    axes = Figure().add_subplot()
    law, sizes = M1(2.0, -0.3), np.array(SIZES, float)
    plot_law(axes, law, sizes, trusted, "red")
    inside, beyond = axes.lines
    assert (inside.get_xdata()[[0, -1]] == [100, 1600]).all()
    assert inside.get_linestyle() == "-"
    np.testing.assert_allclose(beyond.get_xdata()[[0, -1]], [1600, 3200])
    assert beyond.get_linestyle() == "--"  # matplotlib's word for any pattern of dashes
    assert beyond._dash_pattern[1][0] == pytest.approx((4 if trusted else 1) * beyond.get_linewidth())
    np.testing.assert_allclose(beyond.get_ydata(), np.log10(100 * law.predict(beyond.get_xdata())))


def test_a_band_is_drawn_only_where_there_are_bounds():
    axes = Figure().add_subplot()
    x = np.array([1.0, 2.0])
    plot_band(axes, x, np.full(2, np.nan), np.full(2, np.nan), "red")
    assert not axes.collections
    plot_band(axes, x, np.array([0.1, 0.2]), np.array([0.2, 0.3]), "red")
    [band] = axes.collections
    corners = band.get_paths()[0].vertices[:, 1]
    assert (corners.min(), corners.max()) == (pytest.approx(1.0), pytest.approx(np.log10(30)))


def test_an_error_of_nothing_has_a_place_and_a_law_does_not_stretch_the_scale():
    assert np.isfinite(percent([0.0, -1.0])).all()
    axes = Figure().add_subplot()
    axes.plot([1, 2], percent([0.2, 1e-5]))
    error_scale(axes, np.array([0.2, 0.1]))
    assert axes.get_ylim() == (pytest.approx(np.log10(5)), pytest.approx(np.log10(26)))


def test_a_figure_has_the_band_of_the_estimate_and_residuals_below(monkeypatch):
    [exponent] = exponents_of()
    above, below = axes_of([], [exponent], monkeypatch)
    band = above.collections[0].get_paths()[0].vertices[:, 1]
    low, high = exponent.estimate.band(np.concatenate(reach(exponent.ladder.sizes)))
    assert band.min() == pytest.approx(percent(low.min()))
    assert band.max() == pytest.approx(percent(high.max()))
    [residuals, zero] = below.lines
    np.testing.assert_allclose(residuals.get_ydata(), exponent.residuals)
    assert zero.get_ydata()[0] == 0
    assert above.get_xlim() == below.get_xlim()
    assert above.get_xlim()[1] == 2 * SIZES[-1]


def test_one_seed_has_no_band(monkeypatch):
    above, _ = axes_of([], exponents_of(seeds=(0,)), monkeypatch)
    assert not above.collections


def test_many_ladders_are_plotted_in_figures_of_six_each_in_its_own_colour(monkeypatch):
    exponents = [each for k_shot in range(1, 9) for each in exponents_of(k_shot=k_shot)]
    plots = ladder_plots(exponents, names_of(exponents))
    assert len(plots) == 2
    shown = [set(re.findall(r"5-way (\d)-shot|20-way (\d)-shot", str(plot.svg))) for plot in plots]
    assert [len(each) for each in shown] == [6, 2]
    assert "as in the first figure" in plots[1].caption
    assert "pointwise 95 % intervals over seeds" in plots[0].caption
    above, _, *_ = axes_of([], exponents, monkeypatch)
    assert {to_hex(line.get_color()) for line in above.lines} == set(SERIES[:6])
