"""Nearest class mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from torch import Tensor

from fewshot.episodes import EpisodeBatch
from fewshot.evaluators import FeatureEvaluator, Head, one_hot
from fewshot.gram import means
from fewshot.similarity import cosines, inner_products, unit

METRICS = ("euclidean", "cosine")


@dataclass(frozen=True)
class Prototype(FeatureEvaluator):
    """The class whose mean support vector is nearest (Snell, Swersky, Zemel 2017, arXiv 1703.05175).

    logits = -||q - c||^2 for the metric "euclidean", cos(q, c) for "cosine" (a zero vector has cosine 0 with all).
    """

    metric: str = "euclidean"

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls(metric) for metric in METRICS]

    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        if self.metric not in METRICS:
            raise ValueError(
                f"The 'metric' of Prototype must be one of {', '.join(METRICS)}. Got {self.metric!r} instead."
            )
        prototypes = means(batch.support, one_hot(batch))
        return _EuclideanHead(prototypes) if self.metric == "euclidean" else _CosineHead(prototypes)


@dataclass(frozen=True, eq=False)
class _EuclideanHead(Head[Tensor]):
    prototypes: Tensor  # [B, N, D] float64

    def __call__(self, query: Tensor) -> Tensor:
        centre = self.prototypes.mean(1)  # distances do not change, their rounding does
        c = self.prototypes - centre[:, None]
        products, squares = inner_products(query, centre, c)
        return (2 * products - squares[:, :, None] - c.square().sum(2)[:, None]).to(query.dtype)


@dataclass(frozen=True, eq=False)
class _CosineHead(Head[Tensor]):
    prototypes: Tensor  # [B, N, D] float64

    def __call__(self, query: Tensor) -> Tensor:
        return cosines(query, unit(self.prototypes)).to(query.dtype)
