"""The contract carries what comes later: tuned networks with their own crops, class-name heads, ragged episodes,
and all classes of a large test set."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import nn

from fewshot.backbones import Backbone, freeze
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.shape import EpisodeShape
from fewshot.evaluators import Head, ImageEvaluator
from fewshot.evaluators.linear_probe import LinearProbe
from fewshot.evaluators.prototype import Prototype
from fewshot.evaluators.tuning.descent import mini_batches
from fewshot.results.predictions import episode_accuracy
from fewshot.runs.feature_learner import FeatureLearner
from fewshot.runs.image_learner import ImageLearner
from fewshot.runs.solving import solve
from fewshot.samplers.balanced import Balanced
from tests.support.worlds import as_tensor, gather, labelled, ragged, vectors
from tests.support.zero_shot_heads import NamesOnly


@dataclass(frozen=True)
class RandomCrops(ImageEvaluator):
    """A tuned evaluator in the shape of BiT: its own resolution and crops, mini-batches, a new head at zero."""

    crop: int = 10
    steps: int = 30

    @classmethod
    def examples(cls):
        return [cls()]

    def fit(self, batch, backbone):
        return _Tuned([self._tune(batch, e, backbone) for e in range(len(batch.support))], self.crop)

    def _tune(self, batch, episode, backbone):
        generator = torch.Generator().manual_seed(int(batch.seeds[episode]))
        head = nn.utils.skip_init(nn.Linear, 3 * self.crop**2, batch.n_way)
        nn.init.zeros_(head.weight), nn.init.zeros_(head.bias)
        optimizer = torch.optim.SGD(head.parameters(), lr=0.01, momentum=0.9)
        labels = batch.support_labels[episode]
        for positions in mini_batches(len(labels), 4, self.steps, int(batch.seeds[episode])):
            inputs = torch.stack([self._crop(image, generator) for image in batch.support.decode(episode, positions)])
            loss = nn.functional.cross_entropy(head(inputs.flatten(1)), labels[positions])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return head

    def _crop(self, image, generator):
        assert image.size == (14, 12)  # the original resolution, not the backbone's
        left, top = (int(torch.randint(0, most, (), generator=generator)) for most in (5, 3))
        return as_tensor(image.crop((left, top, left + self.crop, top + self.crop)))


@dataclass(frozen=True)
class _Tuned(Head):
    heads: list
    crop: int

    def __call__(self, query):
        with torch.no_grad():
            inputs = [
                torch.stack(
                    [as_tensor(i.resize((self.crop, self.crop))) for i in query.decode(e, range(query.rows.shape[1]))]
                )
                for e in range(len(self.heads))
            ]
            return torch.stack([head(x.flatten(1)) for head, x in zip(self.heads, inputs, strict=True)])


def test_a_tuned_evaluator_crops_original_images_in_mini_batches_from_the_seeds_of_the_batch():
    random = np.random.default_rng(0)
    levels = np.repeat(random.integers(30, 220, size=(6, 1, 1, 3)), 12, axis=0)
    pixels = np.clip(levels + random.normal(size=(72, 12, 14, 3)) * 20, 0, 255).astype(np.uint8)
    images = labelled(6, 12, pixels)
    backbone = Backbone("none", freeze(nn.Flatten()), as_tensor, "", 1, 0, "")
    episodes = Balanced().sample(images, np.arange(6), EpisodeShape(3, 5, 4), seed=1, start=0, count=4)
    learner = ImageLearner(RandomCrops(), images, backbone, query_chunk=5)
    predictions = solve(episodes, learner)
    assert episode_accuracy(predictions).mean() > 0.8
    alone = solve(episodes[2:3], learner)
    assert np.array_equal(predictions[2:3].logits, alone.logits)


def test_a_zero_shot_head_answers_from_class_names_of_each_episode():
    images = labelled(8, 30)
    table = vectors(images, 32, separation=2.0)
    names = torch.stack([table[images.labels == c].mean(0) for c in range(8)])
    episodes = Balanced().sample(images, np.arange(8), EpisodeShape(5, 1, 10), seed=0, start=0, count=50)
    learner = FeatureLearner(NamesOnly(), gather(table), 32, class_features=names)
    assert episode_accuracy(solve(episodes, learner)).mean() > 0.95


@pytest.mark.parametrize("evaluator", [Prototype(), Prototype("cosine"), LinearProbe()], ids=repr)
def test_ragged_episodes_are_padded_and_solved_as_if_alone(evaluator):
    images = labelled(10, 40)
    learner = FeatureLearner(evaluator, gather(vectors(images, 24, 0.5)), 24)
    episodes = ragged(images, 40)
    together = solve(episodes, learner)
    for e in range(len(episodes)):
        alone, member = solve(episodes[e : e + 1], learner), together[e : e + 1]
        assert np.array_equal(alone.predicted, member.predicted)
        np.testing.assert_allclose(alone.logits.astype(float), member.logits.astype(float), rtol=2e-3, atol=2e-3)
    assert np.array_equal(together.episodes.index, episodes.index)


def test_all_classes_of_a_50_000_image_test_set_are_scored_in_bounded_memory():
    n_classes, dim, budget = 100, 64, 8 << 20
    images = labelled(n_classes, 525)
    table = vectors(images, dim, 0.4)
    episodes = Balanced().sample(images, np.arange(n_classes), EpisodeShape(None, 25, None), seed=0, start=0, count=1)
    assert len(episodes.query) == 50_000
    gathered = []

    def counting(rows):
        gathered.append(rows.size * (12 * dim + 24 * n_classes))
        return gather(table)(rows)

    predictions = solve(episodes, FeatureLearner(Prototype(), counting, dim), budget, keep_logits=False)
    assert max(gathered[1:]) <= budget
    assert predictions.logits is None
    assert len(predictions.predicted) == 50_000
    roomy = solve(episodes, FeatureLearner(Prototype(), gather(table), dim), 1 << 30, keep_logits=False)
    assert np.array_equal(predictions.predicted, roomy.predicted)


def test_few_shot_and_all_way_agree_where_they_meet():
    images = labelled(5, 20)
    table = vectors(images, 16)
    all_way = Balanced().sample(images, np.arange(5), EpisodeShape(None, 5, None), seed=0, start=0, count=1)
    rows, n_query = all_way.query.reshape(5, 15), 15
    listed = Episodes.from_rows(images, [all_way.support], [rows.reshape(-1)])
    learner = FeatureLearner(LinearProbe(), gather(table), 16)
    same = solve(replace(listed, seed=0), learner)
    assert np.array_equal(same.logits, solve(all_way, learner).logits)
    assert (listed.query_count == n_query).all()


@pytest.mark.parametrize("evaluator", [Prototype(), Prototype("cosine"), LinearProbe()], ids=repr)
def test_batch_budgets_of_1_of_7_and_of_many_episodes_give_the_same_predictions(evaluator):
    images = labelled(12, 30)
    dim = 32
    learner = FeatureLearner(evaluator, gather(vectors(images, dim, 0.5)), dim)
    episodes = Balanced().sample(images, np.arange(12), EpisodeShape(5, 5, 10), seed=0, start=0, count=60)
    many = 1 << 30
    one, seven = 1, next(b for b in range(1 << 10, many, 1 << 10) if learner.batch_and_chunk(25, 50, 5, b)[0] == 7)
    solved = [solve(episodes, learner, budget) for budget in (one, seven, many)]
    assert learner.batch_and_chunk(25, 50, 5, one)[0] == 1
    assert learner.batch_and_chunk(25, 50, 5, many)[0] > 60
    for other in solved[1:]:
        assert np.array_equal(solved[0].predicted, other.predicted)
        assert np.array_equal(episode_accuracy(solved[0]), episode_accuracy(other))
