"""Standardised against scikit-learn's StandardScaler and big_vision's formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from fewshot.evaluators.cross_validated import CrossValidated
from fewshot.evaluators.linear_probe import LinearProbe
from fewshot.evaluators.ridge_probe import RidgeProbe
from fewshot.evaluators.standardised import Standardised
from tests.support.support_sets import balanced, every_support, queries


def test_the_inner_evaluator_sees_what_a_standard_scaler_gives():
    for batch, supports, n_way, dim in every_support():
        asked = queries(len(supports), dim)
        found = Standardised(RidgeProbe(2.0), eps=1e-12).fit(batch)(asked).numpy()
        for e, (rows, labels) in enumerate(supports):
            scaler = StandardScaler().fit(rows)
            model = Ridge(alpha=2.0).fit(scaler.transform(rows), 2.0 * (labels[:, None] == np.arange(n_way)) - 1)
            expected = model.predict(scaler.transform(asked[e].numpy()))
            np.testing.assert_allclose(found[e], expected, rtol=1e-6, atol=1e-7)


def test_big_visions_preset_is_its_closed_form():
    for batch, supports, n_way, dim in every_support():
        asked = queries(len(supports), dim)
        found = Standardised(RidgeProbe(2.0**10, 100.0)).fit(batch)(asked).numpy()
        for e, (rows, labels) in enumerate(supports):
            mean, std = rows.mean(0), rows.std(0) + 1e-5
            x, q = (np.c_[(part - mean) / std, np.full(len(part), 100.0)] for part in (rows, asked[e].numpy()))
            values, vectors = np.linalg.eigh(x.T @ x)
            y = 2.0 * (labels[:, None] == np.arange(n_way)) - 1
            expected = q @ vectors @ ((vectors.T @ x.T @ y) / (values + 2.0**10)[:, None])
            np.testing.assert_allclose(found[e], expected, rtol=1e-6, atol=1e-7)


def test_constant_features_and_padding_stay_finite():
    batch, _ = balanced(5, 2, 6)
    batch.support[:, :, 3] = 7.0
    for inner in (LinearProbe(), RidgeProbe()):
        assert torch.isfinite(Standardised(inner).fit(batch)(queries(4, 6))).all()


def test_the_inner_evaluator_says_whether_it_converged():
    batch, _ = balanced(5, 2, 6)
    assert Standardised(LinearProbe()).fit(batch).converged.all()
    assert not Standardised(LinearProbe(C=100.0, max_iter=1)).fit(batch).converged.any()


def test_what_the_inner_evaluator_chooses_among_is_counted():
    inner = CrossValidated(LinearProbe(), (("C", (0.1, 1.0)),))
    assert (Standardised(inner).n_trials(), Standardised(LinearProbe()).n_trials()) == (2, 1)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"inner": "LinearProbe"},
            "The 'inner' parameter of Standardised must be an evaluator of features, such as LinearProbe",
        ),
        ({"inner": LinearProbe(), "eps": 0.0}, "The 'eps' parameter of Standardised must be a positive number"),
    ],
)
def test_wrong_hyperparameters_are_named(fields, message):
    with pytest.raises(ValueError, match=message):
        Standardised(**fields).fit(balanced(2, 1, 3)[0])
