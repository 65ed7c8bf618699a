"""Members from outside with a fault each, for runs to refuse."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from fewshot.evaluators import FeatureEvaluator, Head, ImageEvaluator
from fewshot.evaluators.prototype import Prototype
from fewshot.samplers import Sampler
from fewshot.samplers.balanced import Balanced


class Answer(Head[Any]):
    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, query: Any) -> torch.Tensor:
        logits: torch.Tensor = self.function(query)
        return logits


@dataclass(frozen=True)
class CentresOnTheQueries(FeatureEvaluator):
    """Takes the mean of the queries away, and does not say that it sees them all."""

    @classmethod
    def examples(cls):
        return [cls()]

    def fit(self, batch):
        head = Prototype().fit(replace(batch, support=batch.support - batch.support.mean(1, keepdim=True)))
        return Answer(lambda query: head(query - query.mean(1, keepdim=True)))


@dataclass(frozen=True)
class LooksAround(FeatureEvaluator):
    """Keeps whatever it was given, to be searched for labels."""

    given: ClassVar[list[Any]] = []

    @classmethod
    def examples(cls):
        return [cls()]

    def fit(self, batch):
        head = Prototype().fit(batch)
        self.given.append(batch)

        def answer(query):
            self.given.append(query)
            return head(query)

        return Answer(answer)


@dataclass(frozen=True)
class ScoresInTrainingMode(ImageEvaluator):
    """Forgets to put its copy of the network back into eval mode."""

    moves_the_given: bool = False

    @classmethod
    def examples(cls):
        return [cls()]

    def fit(self, batch, backbone):
        import copy

        given = backbone.network
        network = given if self.moves_the_given else copy.deepcopy(given)
        network.train()

        def features(rows):
            pictures = [image for e in range(len(rows)) for image in rows.decode(e, range(rows.rows.shape[1]))]
            with torch.no_grad():
                found = network(torch.stack([backbone.preprocess(image) for image in pictures]))
            return found.view(len(rows), -1, found.shape[1])

        head = Prototype().fit(batch.seen_as(features(batch.support)))
        if self.moves_the_given:
            network.eval()
        return Answer(lambda query: head(features(query)))


def network_with_batchnorm() -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    for parameter in network.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    return network.eval().requires_grad_(False)


class CountsImages(nn.Module):
    """Moves its statistics in eval mode too."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(3))

    def forward(self, inputs):
        self.mean += 0.1 * inputs.mean((0, 2, 3))
        return inputs.mean((2, 3)) - self.mean


def restless_network() -> nn.Module:
    return CountsImages().eval()


@dataclass(frozen=True)
class AsksTheSupport(Sampler):
    """The first query of every class is its first support image."""

    def sample(self, images, classes, shape, seed, start, count):
        drawn = Balanced().sample(images, classes, shape, seed, start, count)
        query = drawn.query.copy()
        first = np.cumsum(drawn.query_count) - drawn.query_count
        query[first] = drawn.support[np.cumsum(drawn.support_count) - drawn.support_count]
        return replace(drawn, query=query)

    @classmethod
    def examples(cls):
        return [cls()]


@dataclass(frozen=True)
class DrawsFromAllClasses(Sampler):
    """Takes seen classes along."""

    def sample(self, images, classes, shape, seed, start, count):
        return Balanced().sample(images, np.arange(len(images.class_names)), shape, seed, start, count)

    @classmethod
    def examples(cls):
        return [cls()]
