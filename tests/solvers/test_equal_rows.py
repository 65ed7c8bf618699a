"""Supports with equal rows stay in the compiled loops, at the optimum that scikit-learn finds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from fewshot.solvers import logistic
from tests.support.logistic_objective import objective
from tests.support.support_sets import batch_of, episodes

pytest.importorskip("numba")


def within_a_class(rows):
    """The second image of a class is its first."""
    rows[:, :, 1] = rows[:, :, 0]


def between_classes(rows):
    """Two classes share an image: no weights fit both."""
    rows[:, 1, 0] = rows[:, 0, 0]


def of_whole_classes(rows):
    """All images of a class are equal."""
    rows[:] = rows[:, :, :1]


def everywhere(rows):
    """Three images thrice, in and between classes."""
    rows[:, :, 1:] = rows[:, :1, 1:2]


KINDS = [within_a_class, between_classes, of_whole_classes, everywhere]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def support(request):
    """Rows [4, 5 * 3, 64] and labels."""
    rows, labels = episodes(5, 3, 64, True, 4)
    request.param(rows.reshape(4, 5, 3, 64))
    return rows, labels


@pytest.fixture
def only_loops(monkeypatch):
    """Solving by matrices is an error."""
    monkeypatch.setattr(logistic, "_by_matrices", None)


@pytest.mark.parametrize("c", [0.01, 1.0, 100.0, 1e4])
def test_equal_rows_are_solved_by_loops_to_the_optimum_of_scikit_learn(support, c, only_loops):
    rows, labels = support
    batch = batch_of(rows, labels, 5)
    (found,) = logistic.solve_path(batch.support, batch.support_mask, batch.support_labels, 5, [(c, 100)])
    assert found.converged.all()
    for e, x in enumerate(rows):
        peer = LogisticRegression(C=c, tol=1e-12, max_iter=20000).fit(x, labels)
        wanted = objective(peer.coef_.T, peer.intercept_, x, labels, c)
        ours = objective(found.weight[e].numpy(), found.bias[e].numpy(), x, labels, c)
        assert ours <= wanted * (1 + 1e-9)


def test_a_path_over_equal_rows_stays_in_the_loops_and_matches_matrices(support, monkeypatch):
    rows, labels = support
    batch, grid = batch_of(rows, labels, 5), [(float(c), 100) for c in 10 ** np.linspace(-4, 4, 9)]
    arguments = (batch.support, batch.support_mask, batch.support_labels, 5, grid)
    matrices = logistic._by_matrices(*arguments)
    monkeypatch.setattr(logistic, "_by_matrices", None)
    for loops, other, (c, _) in zip(logistic.solve_path(*arguments), matrices, grid, strict=True):
        for e, x in enumerate(rows):
            values = [objective(s.weight[e].numpy(), s.bias[e].numpy(), x, labels, c) for s in (loops, other)]
            assert values[0] == pytest.approx(values[1], rel=1e-9)


def test_the_order_of_equal_rows_changes_nothing_but_rounding(only_loops):
    rows, labels = episodes(3, 4, 40, True, 1)
    rows[:, [1, 5, 9]] = rows[:, :1]
    order = np.random.default_rng(0).permutation(len(labels))
    found = []
    for some in (np.arange(len(labels)), order):
        batch = batch_of(rows[:, some], labels[some], 3)
        found += logistic.solve_path(batch.support, batch.support_mask, batch.support_labels, 3, [(100.0, 100)])
    torch.testing.assert_close(found[0].weight, found[1].weight, rtol=1e-5, atol=1e-6)
