"""NearestNeighbour against scikit-learn's KNeighborsClassifier and a direct count of votes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.neighbors import KNeighborsClassifier

from fewshot.evaluators.nearest_neighbour import NearestNeighbour
from fewshot.solvers import similarity
from tests.support.support_sets import balanced, batch_of, every_support, queries


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("k", [1, 2, 5])
def test_shares_and_predictions_are_those_of_scikit_learn(metric, k):
    for batch, supports, n_way, dim in every_support():
        if k > len(supports[0][0]) or (dim == 1 and metric == "cosine"):  # there all cosines are 1 or -1
            continue
        asked = queries(len(supports), dim)
        found = NearestNeighbour(k, metric).fit(batch)(asked)
        for e, (rows, labels) in enumerate(supports):
            model = KNeighborsClassifier(k, metric=metric, algorithm="brute").fit(rows, labels)
            shares = model.predict_proba(asked[e].numpy())
            np.testing.assert_allclose(found[e].exp(), shares.clip(1e-9), rtol=1e-9)
            assert np.array_equal(found[e].argmax(1), model.predict(asked[e].numpy()))
            assert shares.shape[1] == n_way


@pytest.mark.parametrize(("metric", "temperature"), [("cosine", 0.07), ("euclidean", 20.0)])
@pytest.mark.parametrize("k", [3, 10, 200])
def test_votes_with_a_temperature_are_a_softmax_over_the_nearest(metric, temperature, k):
    for batch, supports, n_way, dim in every_support():
        if dim == 1:
            continue
        asked = queries(len(supports), dim)
        found = NearestNeighbour(k, metric, temperature).fit(batch)(asked)
        for e, (rows, labels) in enumerate(supports):
            distance = cdist(asked[e].numpy(), rows, "cosine" if metric == "cosine" else "sqeuclidean")
            nearest = np.argsort(distance, axis=1)[:, :k]
            votes = np.exp(-(np.take_along_axis(distance, nearest, 1) - distance.min(1, keepdims=True)) / temperature)
            votes /= votes.sum(1, keepdims=True)
            expected = np.stack([(votes * (labels[nearest] == c)).sum(1) for c in range(n_way)], 1)
            np.testing.assert_allclose(found[e].exp(), expected.clip(1e-9), rtol=1e-7)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("temperature", [None, 0.1])
def test_rows_that_tie_for_the_last_places_share_them_in_any_order(metric, temperature):
    rows = torch.tensor([[1.0, 0], [1, 0], [1, 0], [0, 1], [0, 1], [-1, 0.5]], dtype=torch.float64)
    labels = torch.tensor([0, 1, 1, 2, 0, 2])
    query = torch.tensor([[[2.0, 0.1], [0.0, 3.0]]], dtype=torch.float64)
    evaluator = NearestNeighbour(2, metric, temperature)
    for seed in range(6):
        order = torch.randperm(6, generator=torch.Generator().manual_seed(seed))
        found = evaluator.fit(batch_of(rows[order][None], labels[order], 3))(query).exp()
        expected = torch.tensor([[1 / 3, 2 / 3, 0], [1 / 2, 0, 1 / 2]], dtype=torch.float64).clamp_min(1e-9)
        torch.testing.assert_close(found[0], expected)


def test_a_row_seen_twice_under_two_names_is_a_tie_that_the_first_class_wins():
    rows = np.random.default_rng(0).normal(size=(1, 1, 50)).repeat(12, 1)
    asked = torch.as_tensor(rows[:, :1] + 1e-5)
    for metric in ("cosine", "euclidean"):
        logits = NearestNeighbour(1, metric).fit(batch_of(rows, np.arange(12) % 3, 3))(asked)
        torch.testing.assert_close(logits.exp(), torch.full((1, 1, 3), 1 / 3, dtype=torch.float64))
        assert logits.argmax(2) == 0


def test_more_neighbours_than_rows_are_an_error_for_equal_votes_and_all_rows_with_a_temperature():
    batch, _ = balanced(3, 2, 8)
    held = batch.support_mask.clone()
    held[1, 5] = False
    with pytest.raises(ValueError, match="needs 6 neighbours for equal votes, but an episode has 5 support rows"):
        NearestNeighbour(6).fit(replace(batch, support_mask=held))
    many, all_of_them = (NearestNeighbour(k, temperature=0.1).fit(batch)(queries(4, 8)) for k in (100, 6))
    assert torch.equal(many, all_of_them)


def test_queries_in_small_parts_have_the_same_answers(monkeypatch):
    batch, _ = balanced(5, 3, 16)
    for evaluator in NearestNeighbour.examples():
        whole = evaluator.fit(batch)(queries(4, 16))
        with monkeypatch.context() as patched:
            patched.setattr(similarity, "_HELD", 1)
            torch.testing.assert_close(evaluator.fit(batch)(queries(4, 16)), whole)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"k": 0}, "The 'k' parameter of NearestNeighbour must be an integer of at least 1. Got 0 instead"),
        ({"metric": "l1"}, "must be one of cosine, euclidean. Got 'l1' instead"),
        ({"temperature": 0.0}, "must be a positive number, or None. Got 0.0 instead"),
    ],
)
def test_wrong_hyperparameters_are_named(fields, message):
    with pytest.raises(ValueError, match=message):
        NearestNeighbour(**fields).fit(balanced(2, 1, 3)[0])


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize(("k", "temperature"), [(1, None), (3, None), (4, 0.07), (50, 0.5)])
@pytest.mark.parametrize("dim", [1, 2, 37])
def test_loops_and_matrices_vote_alike_on_ties_zeros_and_padding(metric, k, temperature, dim, monkeypatch):
    pytest.importorskip("numba")
    batch, _ = balanced(4, 3, dim, count=5)
    support, held = batch.support.float(), batch.support_mask.clone()
    support[0, 1] = support[0, 5] = support[0, 9]  # ties
    support[1, 2] = 0
    support[2] += 1e4
    held[3, [2, 5]] = False
    support[3] *= 1e-12
    support[3, 0] *= 1e13  # beside rows that are tiny
    support[4] = 1e-20 * support[4]
    batch = replace(batch, support=support, support_mask=held)
    query = queries(5, dim).float()
    query[0, :3] = support[0, [1, 0, 9]]
    query[1, 4] = 0
    evaluator = NearestNeighbour(k, metric, temperature)
    found = evaluator.fit(batch)(query)
    monkeypatch.setattr("fewshot.solvers.compiled.installed", lambda: False)
    torch.testing.assert_close(found, evaluator.fit(batch)(query), rtol=2e-6, atol=2e-6)


def test_queries_of_float64_are_answered_for_a_support_of_float32():
    batch, _ = balanced(3, 2, 6, count=2)
    batch = replace(batch, support=batch.support.float())
    query = queries(2, 6).float()
    head = NearestNeighbour(2).fit(batch)
    torch.testing.assert_close(head(query.double()), head(query).double(), rtol=1e-6, atol=1e-6)
