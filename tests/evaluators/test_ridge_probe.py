"""RidgeProbe against scikit-learn's Ridge and the normal equations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge, RidgeClassifier

from fewshot.evaluators.ridge_probe import RidgeProbe
from fewshot.solvers import gram
from tests.support.support_sets import balanced, batch_of, episodes, every_support, queries, ragged


def signs(labels, n_way):
    return 2.0 * (labels[:, None] == np.arange(n_way)) - 1


@pytest.mark.parametrize("l2", [1e-3, 1.0, 1024.0])
def test_a_free_intercept_is_that_of_scikit_learns_ridge(l2):
    for batch, supports, n_way, dim in every_support():
        asked = queries(len(supports), dim)
        found = RidgeProbe(l2).fit(batch)(asked).numpy()
        for e, (rows, labels) in enumerate(supports):
            expected = Ridge(alpha=l2).fit(rows, signs(labels, n_way)).predict(asked[e].numpy())
            np.testing.assert_allclose(found[e], expected, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(("l2", "scaling"), [(1e-2, 1.0), (1024.0, 100.0)])
def test_a_penalised_intercept_solves_the_normal_equations_of_the_added_column(l2, scaling):
    for batch, supports, n_way, dim in every_support():
        asked = queries(len(supports), dim)
        found = RidgeProbe(l2, scaling).fit(batch)(asked).numpy()
        for e, (rows, labels) in enumerate(supports):
            design, ask = (np.c_[x, np.full(len(x), scaling)] for x in (rows, asked[e].numpy()))
            normal = design.T @ design + l2 * np.eye(dim + 1)
            expected = ask @ np.linalg.solve(normal, design.T @ signs(labels, n_way))
            np.testing.assert_allclose(found[e], expected, rtol=1e-6, atol=1e-7)


def test_predictions_are_those_of_scikit_learns_ridge_classifier():
    for batch, supports, _, dim in every_support():
        asked = queries(len(supports), dim)
        found = RidgeProbe(1.0).fit(batch)(asked).argmax(2).numpy()
        for e, (rows, labels) in enumerate(supports):
            assert np.array_equal(found[e], RidgeClassifier().fit(rows, labels).predict(asked[e].numpy()))


@pytest.mark.parametrize("dim", [4, 30])
def test_one_decomposition_gives_every_l2_of_a_path(dim):
    batch, _ = ragged(dim)
    grid = [RidgeProbe(l2, scaling) for scaling in (None, 3.0) for l2 in np.logspace(3, -6, 20).tolist()]
    for member, head in zip(grid, RidgeProbe().fit_path(batch, grid), strict=True):
        torch.testing.assert_close(head(queries(3, dim)), member.fit(batch)(queries(3, dim)), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("dim", [8, 19, 20, 21, 40])
def test_a_support_taken_in_parts_has_the_same_answer(dim, monkeypatch):
    batch, _ = balanced(5, 4, dim)
    whole = RidgeProbe(0.1).fit(batch)(queries(4, dim))
    monkeypatch.setattr(gram, "_PART", 7)
    torch.testing.assert_close(RidgeProbe(0.1).fit(batch)(queries(4, dim)), whole, rtol=1e-9, atol=1e-9)


def test_fewer_rows_than_features_and_more_give_the_same_answer():
    rows, labels = episodes(5, 6, 20, False, 3)  # 30 rows, 20 features
    wide = np.concatenate([rows, np.zeros((3, 30, 40))], axis=2)  # 30 rows, 60 features
    for scaling in (None, 10.0):
        tall, long = (RidgeProbe(0.3, scaling).fit(batch_of(x, labels, 5)) for x in (rows, wide))
        torch.testing.assert_close(tall.weight, long.weight[:, :20], rtol=1e-9, atol=1e-11)
        torch.testing.assert_close(tall.bias, long.bias, rtol=1e-9, atol=1e-11)


def test_a_common_offset_far_from_the_origin_costs_no_accuracy():
    rows, labels = episodes(5, 4, 32, False, 2)
    near, far = (RidgeProbe().fit(batch_of(rows + offset, labels, 5)) for offset in (0, 1e6))
    torch.testing.assert_close(near.weight, far.weight, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("l2", [1e-12, 1.0, 1e12])
def test_degenerate_supports_have_finite_logits(l2):
    for n_way, k_shot, dim in ((5, 2, 6), (2, 1, 1), (5, 2, 40)):
        same, zero = np.ones((1, n_way * k_shot, dim)), np.zeros((1, n_way * k_shot, dim))
        rows, labels = episodes(n_way, k_shot, dim, False, 1)
        for support in (same, zero, rows * 1e-30, rows * 1e15, np.repeat(rows[:, :1], n_way * k_shot, 1)):
            for scaling in (None, 100.0):
                head = RidgeProbe(l2, scaling).fit(batch_of(support, labels, n_way))
                assert torch.isfinite(head(torch.as_tensor(support))).all()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"l2": 0.0}, "The 'l2' parameter of RidgeProbe must be a positive number. Got 0.0 instead"),
        ({"l2": None}, "Got None instead"),
        (
            {"intercept_scaling": -1.0},
            "The 'intercept_scaling' parameter of RidgeProbe must be .*, or None. Got -1.0 instead",
        ),
    ],
)
def test_wrong_hyperparameters_are_named(fields, message):
    with pytest.raises(ValueError, match=message):
        RidgeProbe(**fields).fit(batch_of(*episodes(2, 1, 3, False, 1), 2))
