"""Matching against a direct float64 computation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import softmax

from fewshot.evaluators.matching import Matching
from tests.support.support_sets import balanced, every_support, queries


@pytest.mark.parametrize("temperature", [1.0, 0.05])
def test_probabilities_are_labels_averaged_by_the_softmax_of_cosines(temperature):
    for batch, supports, n_way, dim in every_support():
        asked = queries(len(supports), dim)
        found = Matching(temperature).fit(batch)(asked).exp().numpy()
        for e, (rows, labels) in enumerate(supports):
            unit, ask = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (rows, asked[e].numpy()))
            weights = softmax(ask @ unit.T / temperature, axis=1)
            np.testing.assert_allclose(found[e], weights @ np.eye(n_way)[labels], rtol=1e-9)


def test_a_tiny_temperature_keeps_every_logit_finite():
    batch, supports = balanced(4, 2, 6)
    logits = Matching(1e-6).fit(batch)(queries(len(supports), 6))
    assert torch.isfinite(logits).all()


def test_a_zero_query_has_the_shares_of_the_classes():
    batch, _ = balanced(4, 2, 6)
    torch.testing.assert_close(Matching().fit(batch)(torch.zeros(4, 1, 6)).exp(), torch.full((4, 1, 4), 0.25))


def test_a_temperature_must_be_positive():
    with pytest.raises(ValueError, match="The 'temperature' parameter of Matching must be a positive number"):
        Matching(-1.0).fit(balanced(2, 1, 3)[0])
