"""Worlds for testing evaluators: synthetic episodes of vectors or of small pictures, whose truth is known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fewshot.backbones import Backbone, freeze, weights_digest
from fewshot.datasets import ArrayImages
from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import Evaluator, FeatureEvaluator, ImageEvaluator, TransductiveEvaluator
from fewshot.evaluators.tuning.image_rows import ImageRows


@dataclass(frozen=True)
class Trial:
    """A batch of episodes and their queries, with labels in class-major order."""

    batch: EpisodeBatch[Any]
    query: Any
    query_labels: Tensor  # [B, M]


class World(ABC):
    """Synthetic episodes, and how to run an evaluator on them."""

    @abstractmethod
    def trial(
        self, seed: int, n_episodes: int = 3, n_way: int = 3, k_shot: int = 4, n_query: int = 5, separation: float = 1.0
    ) -> Trial:
        """Episodes whose classes are `separation` apart, in units of their spread."""

    @abstractmethod
    def head(self, evaluator: Evaluator[Any], batch: EpisodeBatch[Any]) -> Callable[[Any], Tensor]:
        """The head that the evaluator learned: a function from queries to logits."""

    def logits(self, evaluator: Evaluator[Any], batch: EpisodeBatch[Any], query: Any) -> Tensor:
        """The evaluator's logits of the queries."""
        return self.head(evaluator, batch)(query)

    def state(self) -> str:
        """A digest of everything that an evaluator must not change, apart from its arguments."""
        return ""


@dataclass(frozen=True)
class VectorWorld(World):
    """Gaussian classes. The vector of a class name is the class centre plus the same noise."""

    dtype: torch.dtype = torch.float32
    dim: int = 16
    n_views: int = 0  # further views of every support row

    def trial(
        self, seed: int, n_episodes: int = 3, n_way: int = 3, k_shot: int = 4, n_query: int = 5, separation: float = 1.0
    ) -> Trial:
        return self.trial_of(self.vectors(seed, n_episodes, n_way, k_shot + n_query, separation), k_shot)

    def trial_of(self, vectors: Tensor, k_shot: int) -> Trial:
        """The trial of rows [B, N, K + Q + 1, D]: K support rows, Q queries and the name vector of each class.

        View i of a row is the row times 1 + i / 10.
        """
        n_episodes, n_way, rows = vectors.shape[:3]
        parts = torch.split(vectors.to(self.dtype), [k_shot, rows - k_shot - 1, 1], 2)
        support, query, names = (part.flatten(1, 2) for part in parts)
        batch = _batch(support, n_episodes, n_way, k_shot, names)
        if self.n_views:
            longer = 1 + torch.arange(1, self.n_views + 1, dtype=self.dtype) / 10
            batch = batch.seen_as(support, support[:, :, None] * longer[:, None])
        return Trial(batch, query, _labels(n_episodes, n_way, rows - k_shot - 1))

    def vectors(self, seed: int, n_episodes: int, n_way: int, per_class: int, separation: float) -> Tensor:
        """[B, N, per_class + 1, D] float64 rows of every class; the last row is the vector of its name."""
        generator = torch.Generator().manual_seed(seed)
        centres = separation * torch.randn(n_episodes, n_way, 1, self.dim, generator=generator, dtype=torch.float64)
        noise = [
            torch.randn(n_episodes, n_way, rows, self.dim, generator=generator, dtype=torch.float64)
            for rows in (per_class, 1)
        ]
        return centres + torch.cat(noise, 2)

    def head(self, evaluator: Evaluator[Any], batch: EpisodeBatch[Any]) -> Callable[[Any], Tensor]:
        if isinstance(evaluator, TransductiveEvaluator):
            return lambda query: evaluator.logits(batch, query, torch.ones(query.shape[:2], dtype=torch.bool))
        assert isinstance(evaluator, FeatureEvaluator)
        return evaluator.fit(batch)


class PictureWorld(World):
    """Noise pictures of 8 x 8 pixels with one brightness pattern per class, and a small network with BatchNorm."""

    def __init__(self) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = nn.Sequential(
                nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 64, 12)
            )
        self.backbone = Backbone("small", freeze(network), _as_input, "", 12, 0, weights_digest(network.state_dict()))

    def trial(
        self, seed: int, n_episodes: int = 3, n_way: int = 3, k_shot: int = 4, n_query: int = 5, separation: float = 1.0
    ) -> Trial:
        generator = np.random.default_rng(seed)
        centres = separation * generator.normal(size=(n_episodes, n_way, 1, 8, 8, 3))
        values = 128 + 24 * (centres + generator.normal(size=(n_episodes, n_way, k_shot + n_query, 8, 8, 3)))
        pixels = np.clip(values, 0, 255).astype(np.uint8).reshape(-1, 8, 8, 3)
        rows = torch.arange(len(pixels)).reshape(n_episodes, n_way, -1)
        support, query = (
            ImageRows(ArrayImages(pixels), part.flatten(1)) for part in (rows[:, :, :k_shot], rows[:, :, k_shot:])
        )
        return Trial(_batch(support, n_episodes, n_way, k_shot), query, _labels(n_episodes, n_way, n_query))

    def head(self, evaluator: Evaluator[Any], batch: EpisodeBatch[Any]) -> Callable[[Any], Tensor]:
        assert isinstance(evaluator, ImageEvaluator)
        return evaluator.fit(batch, self.backbone)

    def state(self) -> str:
        network = self.backbone.network
        modes = [module.training for module in network.modules()] + [p.requires_grad for p in network.parameters()]
        return weights_digest(network.state_dict()) + str(modes)


def worlds(evaluator: Evaluator[Any]) -> list[World]:
    """The worlds for testing an evaluator."""
    if isinstance(evaluator, ImageEvaluator):
        return [PictureWorld()]
    views = evaluator.support_views() if isinstance(evaluator, FeatureEvaluator) else None
    n_views = 0 if views is None else views.number
    return [VectorWorld(dtype, n_views=n_views) for dtype in (torch.float32, torch.float64)]


def _batch(
    support: Any, n_episodes: int, n_way: int, k_shot: int, class_features: Tensor | None = None
) -> EpisodeBatch[Any]:
    labels = _labels(n_episodes, n_way, k_shot)
    mask, seeds = torch.ones_like(labels, dtype=torch.bool), torch.arange(n_episodes) + 11
    return EpisodeBatch(support, labels, mask, n_way, seeds, class_features)


def _labels(n_episodes: int, n_way: int, per_class: int) -> Tensor:
    return torch.arange(n_way).repeat_interleave(per_class).repeat(n_episodes, 1)


def _as_input(image: Any) -> Tensor:
    return torch.from_numpy(np.array(image, dtype=np.float32)).permute(2, 0, 1) / 128 - 1
