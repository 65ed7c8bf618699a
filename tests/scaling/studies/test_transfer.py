"""Effective data transferred, and its law."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fewshot.scaling.studies.transfer import ScratchCurve, Transferred, effective_data
from fewshot.scaling.studies.transfer_law import TransferLaw, fit_transfer

IMAGES = np.geomspace(10, 1e6, 11)
SIZES = np.array([1e5, 1e6, 1e7, 1e8])
TEXT_TO_CODE = TransferLaw(1.9e4, 0.18, 0.38)


def scratch_loss(images: np.ndarray) -> np.ndarray:
    return 8.0 * np.asarray(images) ** -0.25


def drawn(law: TransferLaw, seed: int = 0, spread: float = 0.1) -> list[Transferred]:
    """Points whose D_T follows the law with noise in log(D_T / D_F), as if read off very long curves."""
    random = np.random.default_rng(seed)
    points = []
    for size in SIZES:
        for images in np.geomspace(1e4, 1e7, 8):
            given = law.transferred(images, size) * np.exp(spread * random.normal())
            points.append(Transferred(size, images, 1.0, images + given, "measured"))
    return points


def test_effective_data_is_exact_where_the_curve_is_a_power_law():
    for images in (17.0, 3e3, 9.9e5, IMAGES[3]):
        effective, bound = ScratchCurve.of(IMAGES, scratch_loss(IMAGES)).effective_images(float(scratch_loss(images)))
        assert effective == pytest.approx(images, rel=1e-9)
        assert bound == "measured"


def test_a_loss_outside_the_curve_is_a_bound_and_nothing_is_invented():
    curve = ScratchCurve.of(IMAGES, scratch_loss(IMAGES))
    assert curve.effective_images(0.01) == (1e6, "at least")
    assert curve.effective_images(100.0) == (10.0, "at most")


def test_a_bump_in_the_curve_is_levelled_and_seeds_are_averaged():
    curve = ScratchCurve.of(np.array([10, 10, 100, 1000, 10000.0]), np.array([4.0, 1.0, 1.0, 1.5, 0.5]))
    np.testing.assert_allclose(curve.losses, [2, 1.5**0.5, 1.5**0.5, 0.5])
    assert curve.effective_images(1.5**0.5) == (100.0, "measured")


def test_where_pre_training_hurts_the_transferred_data_is_negative_and_counted():
    sizes = np.ones(14)
    images = np.r_[IMAGES, 100, 1000, 1000]
    losses = np.r_[scratch_loss(IMAGES), scratch_loss(400), scratch_loss(250), scratch_loss(1000)]
    helped, hurt, equal = effective_data(sizes, images, losses, np.r_[np.zeros(11, bool), np.ones(3, bool)])
    assert helped.transferred == pytest.approx(300)
    assert helped.multiplier == pytest.approx(4)
    assert helped.fraction == pytest.approx(0.75)
    assert hurt.transferred == pytest.approx(-750)
    assert hurt.ossified
    assert hurt.role == equal.role == "left out" or equal.transferred == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("constants", [(1.9e4, 0.18, 0.38), (2.1e5, 0.096, 0.38)])
def test_the_papers_constants_are_found_again_within_their_intervals(constants):
    inside = []
    for seed in range(20):
        fit = fit_transfer(drawn(TransferLaw(*constants), seed))
        assert fit.law is not None
        inside.append([fit.low[name] <= true <= fit.high[name] for name, true in zip(fit.low, constants, strict=True)])
    assert np.mean(inside) > 0.85
    fit = fit_transfer(drawn(TransferLaw(*constants), spread=0.0))
    assert fit.law is not None
    np.testing.assert_allclose([fit.law.k, fit.law.alpha, fit.law.beta], constants, rtol=1e-6)


def test_the_papers_numbers_for_gpt_3_come_out():
    other = TransferLaw(2.1e5, 0.096, 0.38)
    assert TEXT_TO_CODE.transferred(1, 175e9) == pytest.approx(3.6e8, rel=0.02)
    assert other.transferred(1, 175e9) == pytest.approx(3.9e9, rel=0.02)
    assert TEXT_TO_CODE.transferred(300, 1e9) / TEXT_TO_CODE.transferred(1, 1e9) == pytest.approx(2.79, abs=0.005)
    assert other.transferred(300, 1e9) / other.transferred(1, 1e9) == pytest.approx(1.73, abs=0.005)


def test_censored_points_pull_the_law_up_to_the_truth():
    """D_E is cut at D_max: read as measured, the large networks would seem to gain nothing from their size."""
    cut, inside, betas = 8e7, [], []
    for seed in range(20):
        points = [
            point if point.effective <= cut else dataclasses.replace(point, effective=cut, bound="at least")
            for point in drawn(TEXT_TO_CODE, seed)
        ]
        fit, wrong = fit_transfer(points), fit_transfer([dataclasses.replace(p, bound="measured") for p in points])
        assert fit.law is not None
        assert wrong.law is not None
        assert fit.n_censored > 3
        assert not wrong.low["beta"] <= 0.38 <= wrong.high["beta"]
        inside.append(fit.low["beta"] <= 0.38 <= fit.high["beta"])
        betas.append(fit.law.beta)
    assert np.mean(inside) >= 0.85
    assert np.mean(betas) == pytest.approx(0.38, abs=0.01)


def test_points_of_ossification_are_omitted_counted_and_named():
    points = [*drawn(TEXT_TO_CODE), Transferred(1e5, 1e6, 1.0, 5e5, "measured")]
    fit = fit_transfer(points)
    assert (fit.n_left_out, fit.n_ossified) == (1, 1)
    assert fit.note == "1 point was omitted, which biases alpha and beta"


def test_too_few_sizes_or_sets_are_refused_with_the_reason():
    points = drawn(TEXT_TO_CODE)
    two = fit_transfer([p for p in points if p.size > 1e6])
    assert two.law is None
    assert two.note == "not fitted: network sizes with D_T > 0: 2, needed: 3"
    few = fit_transfer([p for p in points if p.images > 1e6])
    assert few.note.startswith("not fitted: numbers of images with D_T > 0: 3, needed: 5")
    tied = [Transferred(s, 10 * s, 1.0, 20 * s, "measured") for s in np.geomspace(1e3, 1e7, 6)]
    assert "vary together" in fit_transfer(tied).note


def test_curves_that_are_not_there_are_missed_in_a_sentence():
    with pytest.raises(ValueError, match="there are no pre-trained ones"):
        effective_data(np.ones(3), np.arange(1, 4.0), np.ones(3), np.zeros(3, bool))
    with pytest.raises(
        ValueError, match="from-scratch curve with 2 or more numbers of images, but that of network size 2 has 0"
    ):
        effective_data(np.array([1, 1, 2.0]), np.array([1, 2, 3.0]), np.ones(3), np.array([False, False, True]))
