"""Feature transforms: what they promise, over the folder."""

from __future__ import annotations

import pytest
import torch
from sklearn.preprocessing import normalize

from fewshot.plugins import TRANSFORMS
from fewshot.transforms.centred_l2 import CentredL2
from fewshot.transforms.l2 import L2

MEMBERS = [member for name in TRANSFORMS.names() for member in TRANSFORMS.get(name).examples()]


@pytest.mark.parametrize("transform", MEMBERS, ids=repr)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_transform_keeps_shape_and_dtype_and_works_row_by_row(transform, dtype):
    generator = torch.Generator().manual_seed(0)
    seen = torch.randn(50, 8, generator=generator, dtype=dtype) + 1
    features = torch.randn(3, 4, 8, generator=generator, dtype=dtype)
    before = features.clone()
    mapped = transform.fit(seen)(features)
    assert mapped.shape == features.shape
    assert mapped.dtype == dtype
    assert torch.equal(features, before)
    assert torch.equal(transform.fit(seen)(features[1, 2:3]), mapped[1, 2:3])


@pytest.mark.parametrize("transform", MEMBERS, ids=repr)
def test_a_transform_is_made_again_from_its_repr(transform):
    assert TRANSFORMS.make(repr(transform)) == transform


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
