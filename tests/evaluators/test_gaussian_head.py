"""GaussianHead against scikit-learn's LinearDiscriminantAnalysis and GDA's formula."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from fewshot.evaluators.gaussian_head import GaussianHead
from fewshot.evaluators.prototype import Prototype
from fewshot.plugins.registry import EVALUATORS
from tests.support.support_sets import balanced, batch_of, episodes, every_support, queries


@pytest.mark.parametrize("shrinkage", [1e-3, 0.5, 1.0])
def test_posteriors_are_those_of_scikit_learn(shrinkage):
    for batch, supports, n_way, dim in every_support():
        if len(supports[0][0]) == n_way:  # scikit-learn wants more rows than classes
            continue
        asked = queries(len(supports), dim)
        found = torch.log_softmax(GaussianHead(shrinkage, "support").fit(batch)(asked), 2).numpy()
        for e, (rows, labels) in enumerate(supports):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # scikit-learn warns of a class of one row
                model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(rows, labels)
            scores = model.decision_function(asked[e].numpy())
            scores = np.stack([0 * scores, scores], 1) if n_way == 2 else scores
            np.testing.assert_allclose(found[e], log_softmax(scores, axis=1), rtol=1e-6, atol=1e-6)


def test_uniform_priors_differ_from_the_supports_by_their_logarithms():
    for batch, supports, n_way, dim in every_support():
        asked = queries(len(supports), dim)
        uniform, own = (GaussianHead(0.3, priors).fit(batch)(asked) for priors in ("uniform", "support"))
        for e, (_, labels) in enumerate(supports):
            prior = np.log(np.bincount(labels, minlength=n_way) / len(labels))
            np.testing.assert_allclose((own - uniform)[e], np.broadcast_to(prior, (20, n_way)), atol=1e-9)


def test_gda_is_its_published_formula():
    for batch, supports, n_way, dim in every_support():
        if len(supports[0][0]) == n_way:
            continue
        asked = queries(len(supports), dim)
        found = torch.log_softmax(GaussianHead().fit(batch)(asked), 2).numpy()
        for e, (rows, labels) in enumerate(supports):
            centres = np.stack([rows[labels == c].mean(0) for c in range(n_way)])
            covariance = np.cov(rows - centres[labels], rowvar=False).reshape(dim, dim)
            shrunk = (len(rows) - 1) * covariance + np.trace(covariance) * np.eye(dim)
            precision = dim * np.linalg.pinv(shrunk)
            scores = asked[e].numpy() @ precision @ centres.T - np.diag(centres @ precision @ centres.T) / 2
            np.testing.assert_allclose(found[e], log_softmax(scores, axis=1), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("shrinkage", [None, 0.1])
def test_with_one_row_a_class_the_nearest_mean_wins(shrinkage):
    batch, _ = balanced(5, 1, 40)
    asked = queries(4, 40)
    found, nearest = (evaluator.fit(batch)(asked).argmax(2) for evaluator in (GaussianHead(shrinkage), Prototype()))
    assert torch.equal(found, nearest)


@pytest.mark.parametrize("shrinkage", [None, 0.1])
def test_posteriors_do_not_change_with_the_unit_or_the_origin_of_the_features(shrinkage):
    for k_shot, dim in ((1, 20), (4, 6), (4, 50)):
        rows, labels = episodes(5, k_shot, dim, False, 3)
        asked = queries(3, dim)
        here = GaussianHead(shrinkage).fit(batch_of(rows, labels, 5))(asked)
        for scale, offset in ((1e-6, 0.0), (1e6, 0.0), (1.0, 1e4)):
            there = GaussianHead(shrinkage).fit(batch_of(rows * scale + offset, labels, 5))(asked * scale + offset)
            torch.testing.assert_close(torch.log_softmax(there, 2), torch.log_softmax(here, 2), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("shrinkage", [None, 1e-6, 1.0])
@pytest.mark.parametrize("scale", [None, "support"])
def test_degenerate_supports_have_finite_logits(shrinkage, scale):
    for n_way, k_shot, dim in ((5, 2, 6), (2, 1, 1), (2, 2, 1), (5, 2, 40)):
        rows, labels = episodes(n_way, k_shot, dim, False, 1)
        classes = np.repeat(rows[:, ::k_shot], k_shot, 1)  # every class a point
        for support in (0 * rows, 0 * rows + 1, rows * 1e-30, rows * 1e15, classes):
            head = GaussianHead(shrinkage, scale=scale).fit(batch_of(support, labels, n_way))
            assert torch.isfinite(head(torch.as_tensor(support))).all()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"shrinkage": 0.0},
            r"The 'shrinkage' parameter of GaussianHead must be a number in \[1e-6, 1\], or None. Got 0.0",
        ),
        ({"priors": "equal"}, "must be one of uniform, support. Got 'equal' instead"),
    ],
)
def test_wrong_hyperparameters_are_named(fields, message):
    with pytest.raises(ValueError, match=message):
        GaussianHead(**fields).fit(balanced(2, 2, 3)[0])


@pytest.mark.parametrize("shrinkage", [None, 0.3])
def test_the_scale_is_that_of_the_effective_dimensions_and_of_uncertain_means(shrinkage):
    for batch, supports, _, dim in every_support():
        asked = queries(len(supports), dim)
        plain, scaled = (GaussianHead(shrinkage, scale=scale).fit(batch)(asked) for scale in (None, "support"))
        for e, (rows, labels) in enumerate(supports):
            spectrum = np.linalg.eigvalsh(np.cov(rows, rowvar=False).reshape(dim, dim))
            effective = spectrum.sum() ** 2 / (spectrum**2).sum()
            scale = (1 + 1 / np.bincount(labels)).mean() * dim / effective
            wanted = torch.log_softmax(plain[e] / scale, 1)
            torch.testing.assert_close(torch.log_softmax(scaled[e], 1), wanted, rtol=1e-8, atol=1e-8)


def test_the_scale_makes_probabilities_of_many_features_usable_and_changes_no_answer():
    rows, labels = episodes(5, 1, 2000, False, 20)  # the classes differ in a few of many directions
    spread = 1 / np.arange(1, 2001)
    batch, asked = batch_of(rows * spread, labels, 5), queries(20, 2000) * torch.as_tensor(spread)
    plain, scaled = (GaussianHead(scale=scale).fit(batch)(asked) for scale in (None, "support"))
    assert torch.equal(plain.argmax(2), scaled.argmax(2))
    confidence = [torch.softmax(logits, 2).amax(2).mean() for logits in (plain, scaled)]
    assert confidence[0] > 0.99
    assert confidence[1] < 0.8


def test_old_texts_are_of_the_published_covariance():
    assert GaussianHead() == GaussianHead(None, "uniform", None)
    assert "scale" not in EVALUATORS.canonical(GaussianHead())
    assert "scale='support'" in EVALUATORS.canonical(GaussianHead(scale="support"))
