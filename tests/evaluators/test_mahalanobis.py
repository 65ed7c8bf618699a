"""Mahalanobis against a direct float64 computation with D x D matrices."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from fewshot.evaluators.mahalanobis import Mahalanobis
from fewshot.evaluators.prototype import Prototype
from tests.support.support_sets import balanced, batch_of, episodes, every_support, queries


def covariance(rows):
    """Unbiased, and 0 of a single row."""
    centred = rows - rows.mean(0)
    return centred.T @ centred / max(1, len(rows) - 1)


@pytest.mark.parametrize("beta", [1.0, 1e-3])
def test_distances_are_those_of_the_inverted_matrices(beta):
    for batch, supports, n_way, dim in every_support():
        asked = queries(len(supports), dim)
        found = torch.log_softmax(Mahalanobis(beta).fit(batch)(asked), 2).numpy()
        for e, (rows, labels) in enumerate(supports):
            scores = []
            for c in range(n_way):
                own = rows[labels == c]
                share = len(own) / (len(own) + 1)
                q = share * covariance(own) + (1 - share) * covariance(rows) + beta * np.eye(dim)
                moved = asked[e].numpy() - own.mean(0)
                scores.append(-(moved * np.linalg.solve(q, moved.T).T).sum(1) / 2)
            np.testing.assert_allclose(found[e], log_softmax(np.stack(scores, 1), axis=1), rtol=1e-6, atol=1e-6)


def test_a_large_beta_is_the_nearest_mean():
    batch, _ = balanced(5, 3, 20)
    asked = queries(4, 20)
    assert torch.equal(Mahalanobis(1e9).fit(batch)(asked).argmax(2), Prototype().fit(batch)(asked).argmax(2))


def test_degenerate_supports_have_finite_logits():
    for n_way, k_shot, dim in ((5, 2, 6), (2, 1, 1), (5, 2, 40)):
        rows, labels = episodes(n_way, k_shot, dim, False, 1)
        for support in (0 * rows, 0 * rows + 1, rows * 1e-30, rows * 1e15):
            for beta in (1e-6, 1.0):
                head = Mahalanobis(beta).fit(batch_of(support, labels, n_way))
                assert torch.isfinite(head(torch.as_tensor(support))).all()


def test_beta_must_be_positive():
    with pytest.raises(ValueError, match=r"The 'beta' parameter of Mahalanobis must be a positive number. Got 0.0"):
        Mahalanobis(0.0).fit(balanced(2, 1, 3)[0])
