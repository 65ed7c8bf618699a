"""CrossValidated against scikit-learn's GridSearchCV and a loop over folds, episode by episode."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, LeaveOneOut, PredefinedSplit, cross_val_predict

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators.cross_validated import CrossValidated, stratified_folds
from fewshot.evaluators.fine_tune import FineTune
from fewshot.evaluators.linear_probe import LinearProbe
from fewshot.evaluators.prototype import Prototype
from fewshot.plugins.grids import PRESETS
from fewshot.plugins.registry import EVALUATORS

VALUES = (0.001, 0.1, 10.0)
GRID = (("C", VALUES),)


def batch_of(counts, count=6, dim=12, seed=0, spread=0.9):
    """Episodes whose classes have so many rows each."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    rows = spread * random.normal(size=(count, len(counts), dim))[:, labels]
    support = torch.as_tensor(rows + random.normal(size=(count, len(labels), dim)))
    held = torch.ones(support.shape[:2], dtype=torch.bool)
    return EpisodeBatch(support, torch.as_tensor(labels).expand(held.shape), held, len(counts), torch.arange(count) + 5)


def sklearn_probe(c=1.0):
    return LogisticRegression(C=c, tol=1e-10, max_iter=10_000)


@pytest.mark.parametrize("counts", [(5, 5, 5), (4, 8), (6, 3, 9, 3)])
@pytest.mark.parametrize("folds", [2, 3])
def test_scores_and_choice_are_those_of_scikit_learn_on_the_same_folds(counts, folds):
    batch = batch_of(counts, count=3)
    head = CrossValidated(LinearProbe(), GRID, folds).fit(batch)
    where = stratified_folds(batch, folds)
    for e in range(len(where)):
        rows, labels, split = (
            batch.support[e].numpy(),
            batch.support_labels[e].numpy(),
            PredefinedSplit(where[e].numpy()),
        )
        for g, c in enumerate(VALUES):
            p = cross_val_predict(sklearn_probe(c), rows, labels, cv=split, method="predict_proba")
            assert float(head.score.accuracy[e, g]) == pytest.approx((p.argmax(1) == labels).mean(), abs=1e-12)
            expected = -np.log(p[np.arange(len(labels)), labels]).mean()
            assert float(head.score.log_loss[e, g]) == pytest.approx(expected, rel=1e-4)
        accuracy, loss = head.score.accuracy[e].numpy(), head.score.log_loss[e].numpy()
        best = min(range(len(VALUES)), key=lambda g: (-round(accuracy[g], 9), loss[g]))
        assert head.chosen[e] == LinearProbe(VALUES[best])


def test_the_log_loss_choice_is_that_of_grid_search_cv():
    batch = batch_of((6, 6, 6), count=4)  # folds of one size: the mean of folds is the mean of rows
    head = CrossValidated(LinearProbe(), GRID, 3, "log_loss").fit(batch)
    where = stratified_folds(batch, 3)
    for e in range(4):
        search = GridSearchCV(
            sklearn_probe(), {"C": VALUES}, scoring="neg_log_loss", cv=PredefinedSplit(where[e].numpy())
        )
        search.fit(batch.support[e].numpy(), batch.support_labels[e].numpy())
        assert search.best_params_["C"] == head.chosen[e].C


def test_leaving_one_out_is_scikit_learns():
    batch = batch_of((3, 4, 2), count=3)
    head = CrossValidated(LinearProbe(), GRID, folds=None).fit(batch)
    for e in range(3):
        rows, labels = batch.support[e].numpy(), batch.support_labels[e].numpy()
        for g, c in enumerate(VALUES):
            p = cross_val_predict(sklearn_probe(c), rows, labels, cv=LeaveOneOut(), method="predict_proba")
            assert float(head.score.accuracy[e, g]) == pytest.approx((p.argmax(1) == labels).mean(), abs=1e-12)


def test_logits_are_those_of_the_chosen_evaluator_on_the_whole_support():
    batch = batch_of((4, 4, 4), count=12, spread=0.6)
    query = torch.randn(12, 7, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    head = CrossValidated(LinearProbe(), GRID, 4).fit(batch)
    assert len(set(head.chosen)) > 1
    for e, chosen in enumerate(head.chosen):
        alone = chosen.fit(replace(batch, **{n: getattr(batch, n)[e : e + 1] for n in PER_EPISODE}))
        torch.testing.assert_close(head(query)[e : e + 1], alone(query[e : e + 1]), rtol=1e-6, atol=1e-8)


PER_EPISODE = ("support", "support_labels", "support_mask", "seeds")


def test_dinov2s_45_values_are_solved_at_the_optimum_in_every_fold():
    batch = batch_of((5, 5, 5, 5, 5), count=2, dim=40)
    batch = replace(batch, support=torch.nn.functional.normalize(batch.support, dim=2))
    head = CrossValidated(LinearProbe(), (("C", "dinov2"),)).fit(batch)
    assert head.score.accuracy.shape == (2, 45)
    assert head.converged.all()
    where = stratified_folds(batch, 5)
    rows, labels = batch.support[0].numpy(), batch.support_labels[0].numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lbfgs says when it is stopped by rounding
        for g in (0, 11, 22, 33):
            model = sklearn_probe(PRESETS["dinov2"][g])
            p = cross_val_predict(model, rows, labels, cv=PredefinedSplit(where[0].numpy()), method="predict_proba")
            expected = -np.log(p[np.arange(len(labels)), labels]).mean()
            assert float(head.score.log_loss[0, g]) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("counts", [(5, 5, 5), (7, 3, 4), (2, 9)])
def test_folds_are_stratified_and_no_more_than_the_smallest_class_has_rows(counts):
    batch = batch_of(counts)
    where = stratified_folds(batch, 5)
    folds = min(5, *counts)
    assert set(where.unique().tolist()) == set(range(folds))
    for way, count in enumerate(counts):
        for e in range(6):
            sizes = torch.bincount(where[e][batch.support_labels[e] == way], minlength=folds)
            assert sizes.min() == count // folds
            assert sizes.max() == -(-count // folds)


def test_folds_follow_the_rows_and_the_seed_and_nothing_else():
    batch = batch_of((5, 5, 5), count=40)
    where = stratified_folds(batch, 5)
    order = torch.randperm(15, generator=torch.Generator().manual_seed(1))
    moved = replace(batch, support=batch.support[:, order], support_labels=batch.support_labels[:, order])
    assert torch.equal(stratified_folds(moved, 5), where[:, order])
    renamed = replace(batch, support_labels=torch.tensor([2, 0, 1])[batch.support_labels])
    assert torch.equal(stratified_folds(renamed, 5), where)
    nearly = replace(batch, support=batch.support * (1 + 1e-12))
    assert torch.equal(stratified_folds(nearly, 5), where)
    assert not torch.equal(stratified_folds(replace(batch, seeds=batch.seeds + 1), 5), where)


def test_every_pair_of_rows_of_two_classes_shares_a_fold_equally_often():
    batch = batch_of((5, 5), count=3000, dim=3)
    batch = replace(batch, support=batch.support[:1].expand(3000, -1, -1))  # one support, 3000 seeds
    where = stratified_folds(batch, 5)
    together = (where[:, :5, None] == where[:, None, 5:]).double().mean(0)
    assert float((together - 0.2).abs().max()) < 4.5 * (0.2 * 0.8 / 3000) ** 0.5


def test_episodes_of_unequal_size_have_their_own_number_of_folds():
    large, small = batch_of((6, 6), count=1), batch_of((2, 3), count=1, seed=1)
    padded = replace(
        large,
        support=torch.cat([large.support, torch.cat([small.support, torch.full((1, 7, 12), 1e3)], 1)]).double(),
        support_labels=torch.cat(
            [large.support_labels, torch.cat([small.support_labels, torch.zeros(1, 7).long()], 1)]
        ),
        support_mask=torch.arange(12) < torch.tensor([[12], [5]]),
        seeds=torch.cat([large.seeds, small.seeds]),
    )
    together = CrossValidated(LinearProbe(), GRID).fit(padded)
    for e, alone in enumerate((large, small)):
        found = CrossValidated(LinearProbe(), GRID).fit(alone)
        torch.testing.assert_close(together.score.accuracy[e : e + 1], found.score.accuracy)
        torch.testing.assert_close(together.score.log_loss[e : e + 1], found.score.log_loss, rtol=1e-5, atol=1e-7)
        assert together.chosen[e] == found.chosen[0]


def test_however_few_folds_are_solved_at_once_the_score_is_the_same(monkeypatch):
    batch, evaluator = batch_of((2, 3), count=2), CrossValidated(LinearProbe(), GRID, folds=None)
    whole = evaluator.fit(batch)
    monkeypatch.setattr("fewshot.evaluators.cross_validated._HELD_BYTES", 1)
    piecewise = evaluator.fit(batch)
    assert piecewise.chosen == whole.chosen
    torch.testing.assert_close(piecewise.score.log_loss, whole.score.log_loss, rtol=1e-6, atol=1e-9)


def test_a_tie_counts_its_share_whatever_the_classes_are_called():
    batch = batch_of((2, 4, 2))
    head = CrossValidated(Prototype(), (("metric", ("euclidean", "cosine")),), 2).fit(
        replace(batch, support=torch.zeros_like(batch.support))
    )
    torch.testing.assert_close(head.score.accuracy, torch.full((6, 2), 1 / 3, dtype=torch.float64))
    assert set(head.chosen) == {Prototype("euclidean")}  # the first of equal ones


def test_a_fit_that_stopped_early_in_a_fold_is_told():
    grid = (("max_iter", (1, 100)),)
    assert not CrossValidated(LinearProbe(C=100.0), grid, 2).fit(batch_of((4, 4))).converged.any()
    assert CrossValidated(LinearProbe(C=100.0), GRID, 2).fit(batch_of((4, 4))).converged.all()


def test_memory_grows_with_folds_and_grid_only_until_they_are_solved_in_pieces():
    few = CrossValidated(LinearProbe(), GRID, 2).working_bytes(25, 5, 64)
    many = CrossValidated(LinearProbe(), GRID, 20).working_bytes(25, 5, 64)
    assert few < many
    one = CrossValidated(LinearProbe(), (("C", "dinov2"),), None)
    assert one.working_bytes(25_000, 1000, 2048) < 2 * one._fold_bytes(25_000, 1000, 2048)


def test_a_single_support_image_is_an_error_that_says_what_to_do():
    with pytest.raises(ValueError, match="every class needs at least 2; found a class with 1"):
        CrossValidated(LinearProbe(), GRID).fit(batch_of((1, 5)))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"grid": (("D", (1, 2)),)}, "LinearProbe has no field 'D'; its fields are: C, max_iter"),
        ({"grid": ()}, "a grid must hold fields and their values"),
        ({"grid": (("C", (1.0, "x")),)}, "The 'C' parameter of LinearProbe must be a positive number"),
        ({"folds": 1}, "'folds' parameter of CrossValidated must be None .* Got 1 instead"),
        ({"folds": 2.0}, "Got 2.0 instead"),
        ({"criterion": "f1"}, "must be one of accuracy, log_loss. Got 'f1' instead"),
        ({"inner": FineTune()}, "'inner' parameter of CrossValidated must be an evaluator of features"),
        ({"inner": "LinearProbe"}, "Got 'LinearProbe' instead"),
    ],
)
def test_wrong_hyperparameters_are_named(fields, message):
    with pytest.raises(ValueError, match=message):
        CrossValidated(**{"inner": LinearProbe(), "grid": GRID} | fields).fit(batch_of((3, 3)))


def test_it_is_made_from_a_spec():
    made = EVALUATORS.make("CrossValidated(LinearProbe(), grid=[('C', [0.1, 1.0])], folds=3)")
    assert made == CrossValidated(LinearProbe(), (("C", (0.1, 1.0)),), 3)
    assert made.n_trials() == 2
    assert LinearProbe().n_trials() == 1
