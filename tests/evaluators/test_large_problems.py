"""Many classes and many rows: the code of few shots, and the same answers where both ways of computing meet."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from fewshot.evaluators.gaussian_head import GaussianHead
from fewshot.evaluators.linear_svm import LinearSVM
from fewshot.evaluators.mahalanobis import Mahalanobis
from fewshot.evaluators.matching import Matching
from fewshot.evaluators.nearest_neighbour import NearestNeighbour
from fewshot.evaluators.prototype import Prototype
from fewshot.evaluators.ridge_probe import RidgeProbe
from fewshot.solvers import gram
from tests.support.support_sets import balanced, queries

ALL_WAY = (100, 25, 48)  # classes, rows a class, features: 2500 rows


@pytest.mark.parametrize(
    "evaluator", [RidgeProbe(), RidgeProbe(10.0, 100.0), GaussianHead(), GaussianHead(0.3)], ids=repr
)
@pytest.mark.parametrize(("n_way", "k_shot", "dim"), [(5, 4, 20), (20, 2, 39), (20, 2, 41), (50, 1, 30), (100, 3, 64)])
def test_both_gram_matrices_give_the_same_logits(evaluator, n_way, k_shot, dim, monkeypatch):
    batch, _ = balanced(n_way, k_shot, dim, count=2)
    found = []
    for wide in (True, False):
        monkeypatch.setattr(gram.Rows, "wide", wide)
        found.append(torch.log_softmax(evaluator.fit(batch)(queries(2, dim)), 2))
    torch.testing.assert_close(*found, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("n_way", [20, 50, 100])
@pytest.mark.parametrize(
    "evaluator",
    [
        RidgeProbe(),
        GaussianHead(),
        Prototype(),
        NearestNeighbour(),
        Matching(0.05),
        Mahalanobis(),
        LinearSVM(),
    ],
    ids=repr,
)
def test_many_ways_with_more_rows_than_features_are_solved(evaluator, n_way):
    generator = torch.Generator().manual_seed(0)
    batch, _ = balanced(n_way, 2, 24, count=1)
    centres = 30 * torch.randn(1, n_way, 24, generator=generator, dtype=torch.float64)
    support = centres.repeat_interleave(2, 1) + torch.randn(1, 2 * n_way, 24, generator=generator, dtype=torch.float64)
    batch.support[:] = support
    logits = evaluator.fit(batch)(centres)
    wrong = (logits.argmax(2) != torch.arange(n_way)).double().mean()
    assert wrong <= (
        0 if not isinstance(evaluator, RidgeProbe | LinearSVM) else 0.6
    )  # 24 features part few half-spaces


def test_all_way_problems_agree_with_scikit_learn():
    n_way, _, dim = ALL_WAY
    batch, [(rows, labels)] = balanced(*ALL_WAY, count=1)
    asked = queries(1, dim, n_query=200)
    q = asked[0].numpy()
    targets = 2.0 * (labels[:, None] == np.arange(n_way)) - 1
    ridge = RidgeProbe(1.0).fit(batch)(asked)[0].numpy()
    np.testing.assert_allclose(ridge, Ridge().fit(rows, targets).predict(q), rtol=1e-7, atol=1e-8)
    for evaluator, model in (
        (Prototype(), NearestCentroid()),
        (NearestNeighbour(3, "euclidean"), KNeighborsClassifier(3, algorithm="brute")),
        (GaussianHead(0.2), LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.2)),
    ):
        assert np.array_equal(evaluator.fit(batch)(asked)[0].argmax(1).numpy(), model.fit(rows, labels).predict(q))
