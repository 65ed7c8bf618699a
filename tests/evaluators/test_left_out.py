"""GaussianHead(scale='leave-one-out') against a direct computation, an episode and a row at a time."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from fewshot.evaluators import _warned_once
from fewshot.evaluators.gaussian_head import GaussianHead
from tests.support.support_sets import balanced, batch_of, episodes, every_support, queries


def covariance(rows, labels, centres, shrinkage):
    """The shared covariance, and the factor of the scatter in it."""
    n, dim = rows.shape
    within = (rows - centres[labels]).T @ (rows - centres[labels])
    factor = 1 / dim if shrinkage is None else (1 - shrinkage) / n
    ridge = np.trace(within) / ((n - 1) * dim) if shrinkage is None else shrinkage * np.trace(within) / (n * dim)
    return factor * within + ridge * np.eye(dim), factor


def prior_scale(rows, centres, precision, dimensions):
    around = np.cov(rows, rowvar=False).reshape(len(precision), -1)
    concentration = (around**2).sum() / np.trace(around) ** 2 - 1 / (len(rows) - 1)
    gaps = centres[:, None] - centres[None]
    distance = np.einsum("abi,ij,abj->ab", gaps, precision, gaps).sum() / (len(centres) * (len(centres) - 1))
    return 1 / (max(0, concentration) + 1 / dimensions) / distance


def left_out_logits(rows, labels, centres, shared, factor):
    """Logits of every row without it: the mean of its class and the scatter are computed again from the others."""
    count, dim = np.bincount(labels), rows.shape[1]
    for i in np.flatnonzero(count[labels] > 1):
        c, others = labels[i], np.arange(len(rows)) != i
        own = rows[others & (labels == labels[i])]
        scatter = (own - own.mean(0)).T @ (own - own.mean(0))
        whole = (rows[labels == c] - centres[c]).T @ (rows[labels == c] - centres[c])
        precision = np.linalg.pinv(shared - factor * (whole - scatter)).reshape(dim, dim)
        moved = centres.copy()
        moved[c] = own.mean(0)
        gaps = rows[i] - moved
        distance = np.einsum("ni,ij,nj->n", gaps, precision, gaps)
        distance[c] *= 1 - 1 / count[c] ** 2
        yield -distance / 2, c, i


def best_scale(rows, labels, centres, shrinkage, dimensions=20.0, others=None):
    shared, factor = covariance(rows, labels, centres, shrinkage)
    prior = prior_scale(rows, centres, np.linalg.pinv(shared), dimensions)
    left = list(left_out_logits(rows, labels, centres, shared, factor))
    added = np.zeros((len(rows), len(centres))) if others is None else others

    def loss(log_scale):
        scale = np.exp(log_scale)
        likely = sum(log_softmax(scale * logits + added[i])[c] for logits, c, i in left)
        return -likely - 6 * (np.log(scale / prior) - scale / prior)

    middle = np.log(prior)
    found = minimize_scalar(loss, bounds=(middle - 6.9, middle + 6.9), method="bounded", options={"xatol": 1e-10})
    return np.exp(found.x)


@pytest.mark.parametrize("shrinkage", [None, 0.3])
def test_the_scale_makes_rows_that_are_left_out_most_likely(shrinkage):
    for batch, supports, n_way, dim in every_support():
        if len(supports[0][0]) == n_way:
            continue
        asked = queries(len(supports), dim)
        plain, scaled = (GaussianHead(shrinkage, scale=s).fit(batch)(asked) for s in (None, "leave-one-out"))
        for e, (rows, labels) in enumerate(supports):
            centres = np.stack([rows[labels == c].mean(0) for c in range(n_way)])
            wanted = torch.log_softmax(plain[e] * best_scale(rows, labels, centres, shrinkage), 1)
            torch.testing.assert_close(torch.log_softmax(scaled[e], 1), wanted, rtol=2e-2, atol=2e-3)


@pytest.mark.parametrize(("n_way", "dim"), [(5, 64), (2, 10), (20, 300)])
def test_at_one_shot_the_distance_of_classes_is_the_number_of_effective_dimensions(n_way, dim):
    batch, supports = balanced(n_way, 1, dim)
    asked = queries(len(supports), dim)
    found = torch.log_softmax(GaussianHead(scale="leave-one-out").fit(batch)(asked), 2)
    for e, (rows, _) in enumerate(supports):
        scale = prior_scale(rows, rows, np.eye(dim), 20.0)
        distance = ((asked[e].numpy()[:, None] - rows) ** 2).sum(2)
        np.testing.assert_allclose(found[e], log_softmax(-scale * distance / 2, axis=1), rtol=1e-9, atol=1e-9)


def test_with_many_shots_probabilities_are_those_of_the_truth():
    """Gaussian classes with a known covariance: the expected log loss is near that of the true posterior."""
    random = np.random.default_rng(0)
    spread, centres = np.linspace(0.5, 3, 12), 1.2 * random.normal(size=(4, 12))
    labels = np.repeat(np.arange(4), 200)
    rows, asked = (centres[labels] + spread * random.normal(size=(800, 12)) for _ in range(2))
    true = log_softmax(-(((asked[:, None] - centres) / spread) ** 2).sum(2) / 2, axis=1)
    best = -true[np.arange(800), labels].mean()
    head = GaussianHead(shrinkage=1e-6, scale="leave-one-out").fit(batch_of(rows[None], labels, 4))
    found = torch.log_softmax(head(torch.as_tensor(asked[None])), 2)[0].numpy()
    assert -found[np.arange(800), labels].mean() < best + 0.03


def test_labels_without_meaning_give_probabilities_near_chance():
    rows, labels = episodes(5, 20, 200, False, 4)
    mixed = np.random.default_rng(1).permutation(labels)
    found = torch.softmax(GaussianHead(scale="leave-one-out").fit(batch_of(rows, mixed, 5))(queries(4, 200)), 2)
    assert float(found.amax(2).mean()) < 0.35


@pytest.mark.parametrize("k_shot", [1, 2, 5])
def test_no_answer_changes(k_shot):
    batch, _ = balanced(5, k_shot, 40)
    asked = queries(4, 40)
    plain, scaled = (GaussianHead(scale=scale).fit(batch)(asked).argmax(2) for scale in (None, "leave-one-out"))
    assert torch.equal(plain, scaled)


def test_priors_of_the_support_count_in_the_choice():
    for shrinkage in (None, 0.5):
        rows, _ = episodes(3, 8, 10, False, 3)
        labels = np.repeat([0, 1, 2], [2, 6, 16])
        found = GaussianHead(shrinkage, "support", "leave-one-out").fit(batch_of(rows, labels, 3))
        plain = GaussianHead(shrinkage, scale=None).fit(batch_of(rows, labels, 3))
        for e in range(3):
            centres = np.stack([rows[e][labels == c].mean(0) for c in range(3)])
            priors = np.log(np.bincount(labels) / 24)
            scale = best_scale(rows[e], labels, centres, shrinkage, others=np.broadcast_to(priors, (24, 3)))
            np.testing.assert_allclose(found.weight[e], scale * plain.weight[e], rtol=1e-2)


def test_many_rows_and_ways_are_answered_in_parts(monkeypatch):
    batch, _ = balanced(5, 6, 8)
    whole = GaussianHead(scale="leave-one-out").fit(batch)(queries(4, 8))
    monkeypatch.setattr("fewshot.evaluators._left_out._AT_ONCE", 1)
    torch.testing.assert_close(GaussianHead(scale="leave-one-out").fit(batch)(queries(4, 8)), whole)


def test_names_count_in_the_choice_beside_them():
    """The names already know the classes, so the support gets less say than it would alone."""
    rows, labels = episodes(5, 4, 50, True, 6)
    batch = batch_of(rows, labels, 5)
    knowing = 50.0 * torch.nn.functional.one_hot(batch.support_labels, 5).double()
    head = GaussianHead(scale="leave-one-out")
    alone, beside = (head.fit_beside(batch, names).weight.norm() for names in (None, knowing))
    assert beside < 0.5 * alone


@pytest.mark.parametrize("k_shot", [1, 2])
def test_the_published_covariance_warns_of_its_probabilities_once(k_shot, caplog):
    _warned_once._warned.cache_clear()
    batch, _ = balanced(5, k_shot, 3000)
    with caplog.at_level(logging.WARNING, logger="fewshot"):
        for scale in ("support", "leave-one-out"):
            GaussianHead(scale=scale).fit(batch)
        assert not caplog.records
        for _ in range(3):
            GaussianHead().fit(batch)
    shots = "1 shot" if k_shot == 1 else "2 shots"
    assert len(caplog.records) == 1
    assert f"at {shots} gives probabilities that are far too certain" in caplog.text
    assert "give scale='leave-one-out'" in caplog.text
