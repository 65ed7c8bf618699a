"""Nearest class mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import FeatureEvaluator, Head, Places
from fewshot.evaluators._by_class import class_means, has_large_indicator
from fewshot.plugins.fields import declare, one_of
from fewshot.solvers import compiled
from fewshot.solvers.rounding import shortened
from fewshot.solvers.similarity import cosines, inner_products, unit

METRICS = ("euclidean", "cosine")
_NEAR_ENTRIES = 1 << 16  # class means of an episode that fit in the second-level cache


@dataclass(frozen=True)
class Prototype(FeatureEvaluator):
    """The class whose mean support vector is nearest (Snell, Swersky, Zemel 2017, arXiv 1703.05175).

    logits = -||q - c||^2 for the metric "euclidean", cos(q, c) for "cosine" (a zero vector has cosine 0 with all).
    """

    metric: str = "euclidean"

    rules = declare(metric=one_of(METRICS))

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls(metric) for metric in METRICS]

    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        prototypes = class_means(batch)
        return _EuclideanHead(prototypes) if self.metric == "euclidean" else _CosineHead(prototypes)

    def working_bytes(self, n_support: int, n_way: int, dim: int) -> int:
        if has_large_indicator(n_support, n_way):
            return 8 * (2 * n_support * dim + 3 * dim * n_way)
        return super().working_bytes(n_support, n_way, dim)

    def reads_rows(self, vectors: Tensor, n_way: int) -> bool:
        near = n_way * vectors.shape[1] <= _NEAR_ENTRIES
        return near and vectors.dtype == torch.float32 and vectors.is_contiguous() and compiled.serves(vectors)

    def fit_rows(self, vectors: Tensor, batch: EpisodeBatch[Places]) -> Head[Places]:
        return _RowsHead(vectors, batch, self.metric == "cosine")


@dataclass(frozen=True, eq=False)
class _RowsHead(Head[Places]):
    """Computes the class means again for every chunk of queries, while the episode is in the cache."""

    vectors: Tensor  # [n, D] float32
    batch: EpisodeBatch[Places]
    cosine: bool

    def __call__(self, query: Places) -> Tensor:
        from fewshot.solvers.compiled import prototypes

        batch, logits = self.batch, torch.empty(*query.shape, self.batch.n_way)
        given = (self.vectors, batch.support, batch.support_labels, batch.support_mask, query)
        arrays = [np.ascontiguousarray(array) for array in given]
        like = np.empty(0, np.float64 if self.cosine else np.float32)
        compiled.over_episodes(prototypes.logits, len(query), *arrays, self.cosine, like, logits.numpy())
        return logits


@dataclass(frozen=True, eq=False)
class _EuclideanHead(Head[Tensor]):
    prototypes: Tensor  # [B, N, D] float64

    def __call__(self, query: Tensor) -> Tensor:
        centre = self.prototypes.mean(1)  # distances stay the same, rounding errors shrink
        c = self.prototypes - centre[:, None]
        products, squares = inner_products(query, centre, c)
        return shortened(2 * products - squares[:, :, None] - c.square().sum(2)[:, None], query.dtype)


@dataclass(frozen=True, eq=False)
class _CosineHead(Head[Tensor]):
    prototypes: Tensor  # [B, N, D] float64

    def __call__(self, query: Tensor) -> Tensor:
        return shortened(cosines(query, unit(self.prototypes)), query.dtype)
