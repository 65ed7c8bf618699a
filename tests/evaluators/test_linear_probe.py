"""LinearProbe against scikit-learn's LogisticRegression."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators.linear_probe import LinearProbe
from tests.support.logistic_objective import objective
from tests.support.support_sets import batch_of, episodes, hard_cases

pytestmark = pytest.mark.usefixtures("either_way")

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
    with pytest.raises(ValueError, match="The 'C' parameter of LinearProbe must be a positive number"):
        LinearProbe(c).fit(batch_of(*episodes(2, 1, 3, False, 1), 2))


def best_known(rows, labels, c):
    """The lowest objective that three solvers of scikit-learn reach."""
    found = []
    for solver in ("lbfgs", "newton-cg", "newton-cholesky"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = LogisticRegression(C=c, tol=1e-10, max_iter=2000, solver=solver).fit(rows, labels)
        weight, bias = model.coef_.T, model.intercept_
        if len(model.classes_) == 2:
            weight, bias = np.stack([-weight[:, 0], weight[:, 0]], 1) / 2, np.array([-1, 1]) * bias / 2
        if np.isfinite(weight).all():
            found.append(objective(weight, bias, rows, labels, c))
    return min(found)


@pytest.mark.parametrize(("rows", "labels", "n_way", "c"), list(hard_cases()))
def test_a_probe_that_says_it_converged_is_at_the_optimum_in_hard_regimes(rows, labels, n_way, c):
    head = LinearProbe(c).fit(batch_of(rows[None], labels, n_way))
    ours = objective(head.weight[0].numpy(), head.bias[0].numpy(), rows, labels, c)
    assert head.converged.all()
    assert ours <= best_known(rows, labels, c) * (1 + 1e-7)


def test_a_huge_margin_under_a_huge_c_keeps_its_digits():
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(5), 5)
    rows = 1e3 * (50 * random.normal(size=(5, 200))[labels] + random.normal(size=(25, 200)))
    head = LinearProbe(1e6).fit(batch_of(rows[None], labels, 5))
    assert head.converged.all()
    ours = objective(head.weight[0].numpy(), head.bias[0].numpy(), rows, labels, 1e6)
    assert ours <= best_known(rows, labels, 1e6) * (1 + 1e-7)


def test_a_probe_that_rounding_stops_does_not_say_that_it_converged(monkeypatch):
    rows, labels = episodes(5, 5, 40, False, 3)
    monkeypatch.setattr("fewshot.solvers.compiled.installed", lambda: False)
    monkeypatch.setattr(
        "fewshot.solvers.logistic._line_search", lambda problem, u, *_: torch.zeros(len(u), dtype=u.dtype)
    )
    assert not LinearProbe().fit(batch_of(rows, labels, 5)).converged.any()


@pytest.mark.parametrize("n_way", [2, 5])
def test_intercepts_sum_to_zero_however_little_there_is_to_learn(n_way):
    for seed in range(5):
        rows, labels = episodes(n_way, 1, 64, False, 1, seed)
        head = LinearProbe(1e-6).fit(batch_of(rows * 1e-3, labels, n_way))
        assert head.converged.all()
        assert abs(float(head.bias.sum())) < 1e-12


def test_more_rows_than_features_and_fewer_give_the_same_answer():
    rows, labels = episodes(5, 6, 20, False, 3)  # 30 rows, 20 features
    wide = np.concatenate([rows, np.zeros((3, 30, 40))], axis=2)  # 30 rows, 60 features
    tall, long = (LinearProbe(3.0).fit(batch_of(x, labels, 5)) for x in (rows, wide))
    assert not long.weight[:, 20:].any()
    for e in range(3):  # both are at most a 10^-12 of the objective above its optimum, and it is 1-strongly convex in W
        best = objective(tall.weight[e].numpy(), tall.bias[e].numpy(), rows[e], labels, 3.0)
        other = objective(long.weight[e, :20].numpy(), long.bias[e].numpy(), rows[e], labels, 3.0)
        assert other == pytest.approx(best, rel=2e-12)
        assert float((tall.weight[e] - long.weight[e, :20]).norm()) < 2 * np.sqrt(2e-12 * best)


def test_neighbours_in_a_batch_change_no_prediction():
    rows, labels = episodes(5, 5, 64, True, 30)
    queries = torch.as_tensor(np.random.default_rng(1).normal(size=(30, 75, 64)))
    together = LinearProbe().fit(batch_of(rows, labels, 5))(queries).argmax(2)
    rows[1:] *= 1e3  # hard neighbours
    among_others = LinearProbe().fit(batch_of(rows, labels, 5))(queries).argmax(2)
    alone = LinearProbe().fit(batch_of(rows[:1], labels, 5))(queries[:1]).argmax(2)
    assert torch.equal(together[0], alone[0])
    assert torch.equal(among_others[0], alone[0])


def test_padded_supports_of_unequal_classes_are_at_their_own_optimum():
    random = np.random.default_rng(4)
    counts = [[1, 9, 2], [5, 1, 1], [4, 4, 4]]
    supports = [(random.normal(size=(sum(c), 8)), np.repeat(np.arange(3), c)) for c in counts]
    rows, labels = np.full((3, 12, 8), 1e3), np.zeros((3, 12), np.int64)  # what pads is far away
    mask = torch.zeros(3, 12, dtype=torch.bool)
    for e, (x, y) in enumerate(supports):
        rows[e, : len(x)], labels[e, : len(x)], mask[e, : len(x)] = x, y, True
    batch = EpisodeBatch(torch.as_tensor(rows), torch.as_tensor(labels), mask, 3, torch.zeros(3, dtype=torch.int64))
    head = LinearProbe(10.0).fit(batch)
    for e, (x, y) in enumerate(supports):
        ours = objective(head.weight[e].numpy(), head.bias[e].numpy(), x, y, 10.0)
        assert ours == pytest.approx(best_known(x, y, 10.0), rel=1e-8)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"C": float("inf")}, "The 'C' parameter of LinearProbe must be a positive number"),
        ({"C": "1"}, "Got '1' instead"),
        ({"C": None}, "Got None instead"),
        ({"max_iter": 0}, "The 'max_iter' parameter of LinearProbe must be an integer of at least 1. Got 0 instead"),
        ({"max_iter": 2.5}, "Got 2.5 instead"),
    ],
)
def test_wrong_hyperparameters_are_named(fields, message):
    with pytest.raises(ValueError, match=message):
        LinearProbe(**fields).fit(batch_of(*episodes(2, 1, 3, False, 1), 2))
