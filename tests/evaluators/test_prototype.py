"""Prototype against a direct float64 computation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestCentroid

from fewshot.evaluators.prototype import Prototype
from tests.support.support_sets import batch_of, episodes

pytestmark = pytest.mark.usefixtures("either_way")


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize(("metric", "named"), [("euclidean", "sqeuclidean"), ("cosine", "cosine")])
def test_logits_are_those_of_a_direct_computation(metric, named, scale):
    rows, labels = episodes(5, 4, 32, False, 6)
    queries = np.random.default_rng(1).normal(size=(6, 30, 32)) * scale
    found = Prototype(metric).fit(batch_of(rows * scale, labels, 5))(torch.as_tensor(queries)).numpy()
    for e in range(6):
        prototypes = np.stack([rows[e][labels == c].mean(0) for c in range(5)]) * scale
        distance = cdist(queries[e], prototypes, named)
        expected = -distance if metric == "euclidean" else 1 - distance
        np.testing.assert_allclose(
            found[e], expected, rtol=1e-9, atol=1e-12 * (scale**2 if metric == "euclidean" else 1)
        )


def test_a_common_offset_far_from_the_origin_costs_no_accuracy():
    rows, labels = episodes(5, 4, 32, False, 2)
    queries = torch.as_tensor(np.random.default_rng(1).normal(size=(2, 30, 32)))
    near = Prototype().fit(batch_of(rows, labels, 5))(queries)
    far = Prototype().fit(batch_of(rows + 1e6, labels, 5))(queries + 1e6)
    torch.testing.assert_close(near, far, rtol=1e-6, atol=1e-6)


def test_predictions_are_scikit_learns_nearest_centroid():
    rows, labels = episodes(5, 3, 16, False, 5)
    queries = np.random.default_rng(2).normal(size=(5, 40, 16))
    found = Prototype().fit(batch_of(rows, labels, 5))(torch.as_tensor(queries)).argmax(2).numpy()
    for e in range(5):
        assert np.array_equal(found[e], NearestCentroid().fit(rows[e], labels).predict(queries[e]))


def test_zero_vectors_have_cosine_zero():
    rows, labels = episodes(2, 1, 4, False, 1)
    assert (Prototype("cosine").fit(batch_of(rows, labels, 2))(torch.zeros(1, 3, 4, dtype=torch.float64)) == 0).all()


def test_an_unknown_metric_is_named():
    with pytest.raises(ValueError, match=r"must be one of euclidean, cosine. Got 'manhattan' instead"):
        Prototype("manhattan").fit(batch_of(*episodes(2, 1, 3, False, 1), 2))
