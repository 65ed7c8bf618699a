"""Zero-shot logits and Gaussian classes that share a covariance, without training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from torch import Tensor

from fewshot.episodes.episodes import EpisodeBatch
from fewshot.evaluators import CosineHead, FeatureEvaluator, Head, class_vectors
from fewshot.evaluators.gaussian_head import SHRINKAGE, GaussianHead
from fewshot.plugins.fields import NOT_NEGATIVE, POSITIVE, declare
from fewshot.solvers.similarity import unit


@dataclass(frozen=True)
class ZeroShotGaussian(FeatureEvaluator):
    """GDA with its zero-shot classifier (Wang et al. 2024, arXiv 2402.04087): with a query f, class-name vectors T of
    length one, and the weights W and biases b of GaussianHead(shrinkage) on support rows of length one,

        logits = f T' / temperature + alpha (f W + b),   f of length one.

    The paper chooses alpha on validation images; `fewshot run --select` does so on validation classes. Needs vectors of
    the class names. Deviation: one view of every support image, where
    the paper's data hold 10 augmented ones. alpha = 0 is ZeroShot.
    """

    needs_support: ClassVar[bool] = False  # without one it is ZeroShot

    alpha: float = 1.0
    shrinkage: float | None = None
    temperature: float = 0.01

    rules = declare(alpha=NOT_NEGATIVE, shrinkage=SHRINKAGE, temperature=POSITIVE)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls(), cls(alpha=10.0, shrinkage=0.5)]

    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        names = CosineHead(class_vectors(batch, self).transpose(1, 2) / self.temperature)
        if not batch.support.shape[1]:
            return names
        rows = unit(batch.support.double()) * batch.support_mask[:, :, None]
        return _MixedHead(names, GaussianHead(self.shrinkage).fit(batch.seen_as(rows)), self.alpha)

    def working_bytes(self, n_support: int, n_way: int, dim: int) -> int:
        return GaussianHead(self.shrinkage).working_bytes(n_support, n_way, dim) + 8 * n_way * dim


@dataclass(frozen=True, eq=False)
class _MixedHead(Head[Tensor]):
    names: CosineHead
    classes: Head[Tensor]
    alpha: float

    def __call__(self, query: Tensor) -> Tensor:
        asked = unit(query.double())
        return (self.names(asked) + self.alpha * self.classes(asked)).to(query.dtype)
