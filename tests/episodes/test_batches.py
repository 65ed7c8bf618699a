"""A batch of episodes is cut and reordered as a whole: no field stays behind."""

from __future__ import annotations

from dataclasses import fields

import pytest
import torch

from fewshot.datasets import ArrayImages
from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import FeatureEvaluator
from fewshot.evaluators.cross_validated import CrossValidated
from fewshot.evaluators.prototype import Prototype
from fewshot.evaluators.tuning.image_rows import ImageRows

B, S, N, D, V = 3, 6, 2, 4, 2
NAMES = [field.name for field in fields(EpisodeBatch)]


def batch_of():
    labels, mask = torch.tensor([0, 1, 0, 1, 0, 1]).repeat(B, 1), torch.ones(B, S, dtype=torch.bool)
    labels[1, 4:], mask[1, 4:] = 0, False
    random = torch.Generator().manual_seed(0)
    support, names, views = (torch.randn(*shape, generator=random) for shape in ((B, S, D), (B, N, D), (B, S, V, D)))
    return EpisodeBatch(support, labels, mask, N, torch.arange(B) + 7, names, views, watch=lambda *done: None)


BATCH = batch_of()
ORDER, PERMUTATION = torch.tensor([5, 0, 0]), torch.tensor([1, 0])
ROWS = torch.zeros(B, S, dtype=torch.bool)
ROWS[:, 1] = True
BY_ROW = {"support", "support_labels", "support_mask", "support_views"}
CHANGES = {
    "take": (BATCH.take(torch.tensor([2, 0, 0, 1])), BY_ROW | {"seeds", "class_features"}),
    "take a slice": (BATCH.take(slice(1, 2)), BY_ROW | {"seeds", "class_features"}),
    "on": (BATCH.on(torch.device("meta")), BY_ROW | {"class_features"}),
    "take_support": (BATCH.take_support(ORDER), BY_ROW),
    "without": (BATCH.without(ROWS), {"support_labels", "support_mask"}),
    "renamed": (BATCH.renamed(PERMUTATION), {"support_labels", "class_features"}),
    "seen_as": (BATCH.seen_as(BATCH.support.double()), {"support"}),
    "seen_as with views": (BATCH.seen_as(BATCH.support, BATCH.support_views.double()), {"support_views"}),
    "views_as_rows": (BATCH.views_as_rows(), BY_ROW),
}


def test_the_batch_of_these_tests_has_every_field():
    assert all(getattr(BATCH, name) is not None for name in NAMES)


@pytest.mark.parametrize("name", CHANGES)
def test_a_method_keeps_all_fields_that_it_does_not_change(name):
    changed, fields_changed = CHANGES[name]
    assert {name for name in NAMES if getattr(changed, name) is not getattr(BATCH, name)} == fields_changed


def test_every_method_is_among_these():
    public = {name for name, value in vars(EpisodeBatch).items() if callable(value) and not name.startswith("_")}
    assert public == {name.split()[0] for name in CHANGES}


@pytest.mark.parametrize("episodes", [torch.tensor([2, 0, 0, 1]), slice(0, 2), torch.tensor([1])])
def test_episodes_are_taken_by_position(episodes):
    taken = BATCH.take(episodes)
    for name in NAMES:
        if name not in ("n_way", "watch"):
            assert torch.equal(getattr(taken, name), getattr(BATCH, name)[episodes]), name


def test_support_rows_are_taken_by_position():
    taken = BATCH.take_support(ORDER)
    for name in BY_ROW:
        assert torch.equal(getattr(taken, name), torch.stack([getattr(BATCH, name)[:, place] for place in ORDER], 1))


def test_rows_taken_away_are_padding():
    less = BATCH.without(ROWS)
    assert torch.equal(less.support_mask, BATCH.support_mask & ~ROWS)
    assert (less.support_labels[~less.support_mask] == 0).all()
    assert torch.equal(less.support_labels[less.support_mask], BATCH.support_labels[less.support_mask])


def test_ways_renamed_keep_their_names_and_padding_stays_0():
    renamed = BATCH.renamed(torch.tensor([1, 0]))
    assert torch.equal(renamed.class_features, BATCH.class_features.flip(1))
    assert torch.equal(renamed.support_labels, (1 - BATCH.support_labels) * BATCH.support_mask)


def test_views_stand_after_their_row():
    tiled = BATCH.views_as_rows()
    whole = torch.cat([BATCH.support[:, :, None], BATCH.support_views], 2).flatten(1, 2)
    assert torch.equal(tiled.support, whole)
    assert tiled.support_views is None
    assert torch.equal(
        tiled.support_labels.reshape(B, S, 1 + V), BATCH.support_labels[:, :, None].expand(-1, -1, 1 + V)
    )
    assert torch.equal(tiled.support_mask.reshape(B, S, 1 + V), BATCH.support_mask[:, :, None].expand(-1, -1, 1 + V))


def test_images_are_cut_with_what_stands_beside_them():
    fixed = torch.arange(B * S).reshape(B, S) % 3 == 0
    images = ImageRows(ArrayImages(torch.zeros(1, 1, 1, 3).byte().numpy()), torch.arange(B * S).reshape(B, S), fixed)
    taken = BATCH.seen_as(images).take(slice(1, 3)).take_support(ORDER).support
    assert torch.equal(taken.rows, images.rows[1:3][:, ORDER])
    assert torch.equal(taken.orientation_matters, fixed[1:3][:, ORDER])


def test_cross_validation_passes_on_who_watches(monkeypatch):
    watched = []

    def fit_path(self, batch, grid):
        watched.append(batch.watch)
        return FeatureEvaluator.fit_path(self, batch, grid)

    monkeypatch.setattr(Prototype, "fit_path", fit_path)
    grid = (("metric", ("euclidean", "cosine")),)
    head = CrossValidated(Prototype(), grid, folds=2).fit(BATCH.take(torch.tensor([0, 2, 1])))
    assert len(watched) >= 2
    assert set(watched) == {BATCH.watch}
    assert head(BATCH.support).shape == (B, S, N)
