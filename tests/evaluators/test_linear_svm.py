"""LinearSVM against liblinear and a direct minimisation."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from scipy.optimize import minimize, nnls
from sklearn.svm import LinearSVC

from fewshot.evaluators.linear_svm import LinearSVM
from fewshot.solvers import squared_hinge
from tests.support.support_sets import balanced, batch_of, episodes, every_support, hard_cases, queries


def objective(weight, bias, rows, signs, c, penalised):
    """Of one class; the intercept is that of a constant column of `penalised`, or free where that is None."""
    slack = np.maximum(0, 1 - signs * (rows @ weight + bias))
    return weight @ weight / 2 + (bias / (penalised or np.inf)) ** 2 / 2 + c * (slack**2).sum()


def liblinear(rows, labels, c, scaling):
    """(weights [D, N], intercepts [N]) of scikit-learn at a tight tolerance."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it stops at max_iter where rounding hides the way
        model = LinearSVC(C=c, intercept_scaling=scaling, tol=1e-10, max_iter=100_000, dual=len(rows) < rows.shape[1])
        model.fit(rows, labels)
    if len(model.classes_) == 2:
        return np.stack([-model.coef_[0], model.coef_[0]], 1), np.array([-1, 1]) * model.intercept_
    return model.coef_.T, model.intercept_


@pytest.mark.parametrize(("c", "scaling"), [(1.0, 1.0), (0.01, 1.0), (100.0, 1.0), (1.0, 10.0)])
def test_the_objective_is_liblinears_within_a_millionth(c, scaling):
    for batch, supports, n_way, _ in every_support():
        head = LinearSVM(c, scaling).fit(batch)
        assert head.converged.all()
        for e, (rows, labels) in enumerate(supports):
            weight, bias = liblinear(rows, labels, c, scaling)
            for k in range(n_way):
                signs = 2.0 * (labels == k) - 1
                best = objective(weight[:, k], bias[k], rows, signs, c, scaling)
                ours = objective(head.weight[e, :, k].numpy(), float(head.bias[e, k]), rows, signs, c, scaling)
                assert ours <= best * (1 + 1e-8)
                assert ours >= best * (1 - 1e-6)


def test_predictions_are_liblinears():
    for batch, supports, _, dim in every_support():
        asked = queries(len(supports), dim)
        found = LinearSVM(1.0).fit(batch)(asked)
        for e, (rows, labels) in enumerate(supports):
            weight, bias = liblinear(rows, labels, 1.0, 1.0)
            np.testing.assert_allclose(found[e], asked[e].numpy() @ weight + bias, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("c", [0.01, 1.0, 10.0])
def test_a_free_intercept_is_at_the_optimum_of_a_direct_minimisation(c):
    for batch, supports, n_way, dim in every_support():
        head = LinearSVM(c, None).fit(batch)
        assert head.converged.all()
        rows, labels = supports[0]
        for k in range(min(n_way, 3)):
            signs = 2.0 * (labels == k) - 1

            def value(x, rows=rows, signs=signs):
                slack = np.maximum(0, 1 - signs * (rows @ x[:-1] + x[-1]))
                pull = -2 * c * signs * slack
                gradient = np.append(x[:-1] + rows.T @ pull, pull.sum())
                return x[:-1] @ x[:-1] / 2 + c * (slack**2).sum(), gradient

            best = minimize(value, np.zeros(dim + 1), jac=True, method="L-BFGS-B", options={"ftol": 1e-15})
            ours = value(np.append(head.weight[0, :, k].numpy(), float(head.bias[0, k])))[0]
            assert ours <= best.fun * (1 + 1e-9)
            assert ours >= best.fun * (1 - 1e-6)


def lower_bound(rows, signs, c, penalised):
    """The largest value of the dual, which no primal value lies below, as non-negative least squares: minimise
    ||sum_s alpha_s y_s x_s||^2 / 2 + ||alpha||^2 / 4 C - sum_s alpha_s.

    Not at alpha = 2 C max(0, 1 - y f), the same at the optimum: there the rounding of f counts C |x|^2 times."""
    columns = signs[:, None] * np.column_stack([rows, np.full(len(rows), penalised)])
    matrix = np.vstack([columns.T, np.eye(len(rows)) / (2 * c) ** 0.5])
    target = np.concatenate([np.zeros(columns.shape[1]), np.full(len(rows), (2 * c) ** 0.5)])
    alpha, _ = nnls(matrix, target)
    pull = alpha @ columns
    return alpha.sum() - pull @ pull / 2 - (alpha**2).sum() / (4 * c)


@pytest.mark.parametrize(("rows", "labels", "n_way", "c"), list(hard_cases()))
@pytest.mark.parametrize("scaling", [1.0, None])
def test_a_machine_that_says_it_converged_is_at_the_optimum_in_hard_regimes(rows, labels, n_way, c, scaling):
    head = LinearSVM(c, scaling).fit(batch_of(rows[None], labels, n_way))
    weight, bias = head.weight[0].numpy(), head.bias[0].numpy()
    assert np.isfinite(weight).all()
    if not head.converged[0]:  # where C |x|^2 leaves no digits; it is said
        assert c * (rows**2).sum() > 1e8
        return
    for k in range(n_way):
        signs = 2.0 * (labels == k) - 1
        primal = objective(weight[:, k], bias[k], rows, signs, c, scaling)
        hardly = 1e4 * abs(rows).max()  # as good as free
        assert primal - lower_bound(rows, signs, c, scaling or hardly) <= 1e-7 * primal


def test_a_machine_that_was_stopped_early_says_so():
    rows, labels = episodes(5, 8, 10, False, 3)
    assert not LinearSVM(C=100.0, max_iter=1).fit(batch_of(rows, labels, 5)).converged.any()


def test_classes_solved_a_few_at_a_time_are_the_same(monkeypatch):
    batch, _ = balanced(6, 3, 10)
    whole = LinearSVM().fit(batch)
    monkeypatch.setattr(squared_hinge, "_HELD", 4 * 18 * 18 * 4)  # four classes, then two
    torch.testing.assert_close(LinearSVM().fit(batch).weight, whole.weight)


@pytest.mark.parametrize("scaling", [1.0, None])
def test_degenerate_supports_are_solved(scaling):
    for n_way, k_shot, dim in ((5, 2, 6), (2, 1, 1), (5, 2, 40)):
        rows, labels = episodes(n_way, k_shot, dim, False, 1)
        for support in (0 * rows, 0 * rows + 1, rows * 1e-30, rows * 100, rows * 1e12):
            head = LinearSVM(1.0, scaling).fit(batch_of(support, labels, n_way))
            assert head.converged.all() or support.max() > 1e9  # where no digits are left, that is said
            assert torch.isfinite(head(torch.as_tensor(support))).all()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"C": 0.0}, "The 'C' parameter of LinearSVM must be a positive number. Got 0.0 instead"),
        ({"intercept_scaling": 0.0}, "must be a positive number, or None. Got 0.0 instead"),
        ({"max_iter": 0}, "The 'max_iter' parameter of LinearSVM must be an integer of at least 1. Got 0 instead"),
    ],
)
def test_wrong_hyperparameters_are_named(fields, message):
    with pytest.raises(ValueError, match=message):
        LinearSVM(**fields).fit(balanced(2, 1, 3)[0])
