"""Feature transforms: the promises of each beyond the common laws."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from sklearn.covariance import ShrunkCovariance
from sklearn.preprocessing import normalize

from fewshot.transforms.centred_l2 import CentredL2
from fewshot.transforms.l2 import L2
from fewshot.transforms.tukey_power import TukeyPower
from fewshot.transforms.whitening import Whitening


def test_l2_is_scikit_learns_normalize_at_any_scale():
    rows = torch.randn(20, 7, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for scale in (1e-200, 1.0, 1e200):
        torch.testing.assert_close(L2().fit(None)(rows * scale), torch.as_tensor(normalize(rows.numpy())))


def test_a_zero_row_stays_zero():
    assert (L2().fit(None)(torch.zeros(2, 3)) == 0).all()


def test_centred_l2_takes_the_mean_of_the_seen_classes_only():
    seen, features = torch.full((4, 3), 2.0), torch.tensor([[2.0, 2.0, 5.0]])
    torch.testing.assert_close(CentredL2().fit(seen)(features), torch.tensor([[0.0, 0.0, 1.0]]))


def test_centred_l2_without_seen_classes_is_an_error():
    with pytest.raises(ValueError, match=r"this split has none; use L2 instead"):
        CentredL2().fit(None)


def test_tukey_power_is_the_signed_power():
    features = torch.tensor([[4.0, 0.0, -9.0]])
    torch.testing.assert_close(TukeyPower().fit(None)(features), torch.tensor([[2.0, 0.0, -3.0]]))
    assert torch.equal(TukeyPower(1.0).fit(None)(features), features)


@pytest.mark.parametrize("power", [0.0, -1.0, float("inf"), None])
def test_a_power_must_be_positive(power):
    with pytest.raises(ValueError, match="The 'power' parameter of TukeyPower must be a positive number"):
        TukeyPower(power).fit(None)


def test_whitened_features_of_the_seen_classes_have_mean_zero_and_the_identity_as_covariance():
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(6, 6, generator=generator, dtype=torch.float64)
    seen = torch.randn(400, 6, generator=generator, dtype=torch.float64) @ mixing
    white = Whitening(1e-12).fit(seen + 5)(seen + 5)
    torch.testing.assert_close(white.mean(0), torch.zeros(6, dtype=torch.float64), atol=1e-9, rtol=0)
    torch.testing.assert_close(white.T @ white / 400, torch.eye(6, dtype=torch.float64), atol=1e-5, rtol=0)


def test_whitening_is_scikit_learns_shrunk_covariance_and_its_symmetric_root():
    generator = torch.Generator().manual_seed(1)
    seen = torch.randn(20, 6, generator=generator, dtype=torch.float64)
    query = torch.randn(5, 6, generator=generator, dtype=torch.float64)
    shrunk = ShrunkCovariance(shrinkage=0.2).fit(seen.numpy()).covariance_
    expected = (query - seen.mean(0)).numpy() @ np.linalg.inv(sqrtm(shrunk))
    np.testing.assert_allclose(Whitening(0.2).fit(seen)(query), expected, rtol=1e-9)


def test_whitening_of_constant_features_is_finite():
    assert torch.isfinite(Whitening().fit(torch.ones(5, 3))(torch.randn(4, 3))).all()


@pytest.mark.parametrize(
    ("shrinkage", "seen", "message"),
    [
        (
            0.0,
            torch.ones(5, 3),
            r"The 'shrinkage' parameter of Whitening must be a number in \(0, 1\]. Got 0.0 instead",
        ),
        (0.1, None, "this split has none; use L2 instead"),
        (0.1, torch.ones(1, 3), "this split has none; use L2 instead"),
    ],
)
def test_the_errors_of_whitening_say_what_it_needs(shrinkage, seen, message):
    with pytest.raises(ValueError, match=message):
        Whitening(shrinkage).fit(seen)
