"""LinearProbe against scikit-learn's LogisticRegression."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from fewshot.episodes import EpisodeBatch
from fewshot.evaluators.linear_probe import LinearProbe

# N, K, D, C, length-one rows, episodes: 200 in all, more and fewer rows than features, up to 20 classes
CASES = [
    (5, 1, 64, 1.0, True, 30),
    (5, 5, 640, 1.0, True, 20),
    (5, 5, 16, 10.0, False, 30),
    (2, 3, 10, 1.0, False, 30),
    (2, 8, 5, 100.0, False, 20),
    (3, 20, 8, 0.01, False, 30),
    (20, 5, 32, 1.0, True, 10),
    (10, 2, 100, 0.1, False, 20),
    (4, 3, 1, 1.0, False, 10),
]


def episodes(n_way, k_shot, dim, unit, count, seed=0):
    random = np.random.default_rng(seed)
    centres = 0.7 * random.normal(size=(count, n_way, 1, dim))
    rows = (centres + random.normal(size=(count, n_way, k_shot, dim))).reshape(count, n_way * k_shot, dim)
    if unit:
        rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    return rows, np.repeat(np.arange(n_way), k_shot)


def batch_of(rows, labels, n_way):
    support = torch.as_tensor(rows)
    held = torch.ones(support.shape[:2], dtype=torch.bool)
    targets = torch.as_tensor(labels).expand(support.shape[:2])
    return EpisodeBatch(support, targets, held, n_way, torch.zeros(len(support), dtype=torch.int64))


def objective(weight, bias, rows, labels, c):
    """scikit-learn's objective; with two classes of the difference of the columns."""
    if weight.shape[1] == 2:
        w, b = weight[:, 1] - weight[:, 0], bias[1] - bias[0]
        return c * np.logaddexp(0, -(rows @ w + b) * (2 * labels - 1)).sum() + (w**2).sum() / 2
    fit = rows @ weight + bias
    losses = np.logaddexp.reduce(fit, axis=1) - fit[np.arange(len(labels)), labels]
    return c * losses.sum() + (weight**2).sum() / 2


def reference(rows, labels, c):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lbfgs says when it is stopped by rounding
        model = LogisticRegression(C=c, tol=1e-10, max_iter=10_000).fit(rows, labels)
    if len(model.classes_) == 2:
        return model, np.stack([-model.coef_[0], model.coef_[0]], 1) / 2, np.array([-1, 1]) * model.intercept_ / 2
    return model, model.coef_.T, model.intercept_


@pytest.mark.parametrize(("n_way", "k_shot", "dim", "c", "unit", "count"), CASES)
def test_the_objective_is_scikit_learns_within_a_millionth(n_way, k_shot, dim, c, unit, count):
    rows, labels = episodes(n_way, k_shot, dim, unit, count)
    head = LinearProbe(c).fit(batch_of(rows, labels, n_way))
    assert head.converged.all()
    for e in range(count):
        model, weight, bias = reference(rows[e], labels, c)
        best = objective(weight, bias, rows[e], labels, c)
        ours = objective(head.weight[e].numpy(), head.bias[e].numpy(), rows[e], labels, c)
        assert ours <= best * (1 + 1e-9)
        assert ours >= best * (1 - 1e-6)
        queries = np.random.default_rng(e).normal(size=(20, dim)) / (dim**0.5 if unit else 1)
        found = torch.softmax(head(torch.as_tensor(queries)[None].expand(count, -1, -1)), 2)[e]
        np.testing.assert_allclose(found, model.predict_proba(queries), atol=2e-4)


def test_float32_features_give_float32_logits_at_the_same_optimum():
    rows, labels = episodes(5, 5, 64, True, 4)
    exact = LinearProbe().fit(batch_of(rows.astype(np.float32).astype(np.float64), labels, 5))
    found = LinearProbe().fit(batch_of(rows.astype(np.float32), labels, 5))
    assert found(torch.zeros(4, 1, 64)).dtype == torch.float32
    torch.testing.assert_close(found.weight, exact.weight, rtol=0, atol=1e-12)


def test_a_path_of_c_reaches_the_optimum_of_each():
    rows, labels = episodes(5, 5, 40, False, 8)
    batch = batch_of(rows, labels, 5)
    grid = [LinearProbe(c) for c in (10.0, 0.001, 1.0)]
    for member, head in zip(grid, LinearProbe().fit_path(batch, grid), strict=True):
        alone = member.fit(batch)
        for e in range(8):
            values = [
                objective(h.weight[e].numpy(), h.bias[e].numpy(), rows[e], labels, member.C) for h in (head, alone)
            ]
            assert values[0] == pytest.approx(values[1], rel=1e-9)


@pytest.mark.parametrize("c", [1e-4, 1.0, 1e5])
def test_degenerate_supports_are_solved(c):
    same = np.ones((1, 10, 6))
    zero = np.zeros((1, 10, 6))
    constant = episodes(5, 2, 6, False, 1)[0]
    constant[:, :, 3] = 7.0
    huge, tiny = (scale * episodes(5, 2, 6, False, 1)[0] for scale in (1e4, 1e-6))
    for rows in (same, zero, constant, huge, tiny):
        head = LinearProbe(c).fit(batch_of(rows, np.repeat(np.arange(5), 2), 5))
        assert head.converged.all()
        assert torch.isfinite(head.weight).all()
    flat = LinearProbe(c).fit(batch_of(zero, np.repeat(np.arange(5), 2), 5))
    torch.testing.assert_close(
        flat(torch.ones(1, 1, 6, dtype=torch.float64)), torch.zeros(1, 1, 5, dtype=torch.float64)
    )


def test_a_probe_that_was_stopped_early_says_so():
    rows, labels = episodes(5, 5, 40, False, 3)
    assert not LinearProbe(C=100.0, max_iter=1).fit(batch_of(rows, labels, 5)).converged.any()


@pytest.mark.parametrize("c", [0.0, -1.0, float("nan")])
def test_c_must_be_positive(c):
    with pytest.raises(ValueError, match="The 'C' parameter of LinearProbe must be a positive float"):
        LinearProbe(c).fit(batch_of(*episodes(2, 1, 3, False, 1), 2))
