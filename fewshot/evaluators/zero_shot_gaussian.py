"""Zero-shot logits and Gaussian classes that share a covariance, without training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import CosineHead, FeatureEvaluator, Head, class_vectors
from fewshot.evaluators._two_sources import warn_of_silent_names
from fewshot.evaluators.gaussian_head import SCALES, SHRINKAGE, GaussianHead
from fewshot.plugins.fields import NOT_NEGATIVE, POSITIVE, declare, one_of
from fewshot.plugins.signature import Later
from fewshot.solvers.rounding import shortened
from fewshot.solvers.similarity import unit


@dataclass(frozen=True)
class ZeroShotGaussian(FeatureEvaluator):
    """GDA with its zero-shot classifier (Wang et al. 2024, arXiv 2402.04087): with a query f, class-name vectors T of
    length one, and the weights W and biases b of GaussianHead(shrinkage) on support rows of length one,

        logits = f T' / temperature + alpha (f W + b),   f of length one.

    The paper chooses alpha on validation images; `fewshot run --select` chooses it on validation classes. Needs vectors
    of the class names. Deviation: one view of each support image; the paper uses 10 augmented ones. alpha = 0 is
    ZeroShot.

    `scale` as in GaussianHead. Use scale="leave-one-out" with few shots: with the published covariance the second term
    is so large that the names have no say; a warning reports it. Leave-one-out chooses the scale of the second term
    that is best beside the first, for alpha = 1; its prior has at most 5 dimensions, so that at one shot the names
    lead.
    """

    uses_names: ClassVar[bool] = True
    needs_support: ClassVar[bool] = False  # without one it is ZeroShot

    alpha: float = 1.0
    shrinkage: float | None = None
    temperature: float = 0.01
    scale: str | Later = None

    rules = declare(alpha=NOT_NEGATIVE, shrinkage=SHRINKAGE, temperature=POSITIVE, scale=one_of(SCALES))

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls(), cls(alpha=10.0, shrinkage=0.5), cls(scale="support"), cls(scale="leave-one-out")]

    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        names = CosineHead(class_vectors(batch, self).transpose(1, 2) / self.temperature)
        if not batch.support.shape[1]:
            return names
        rows = unit(batch.support.double()) * batch.support_mask[:, :, None]
        of_names = names(rows)
        classes = GaussianHead(self.shrinkage, scale=self.scale).fit_beside(batch.seen_as(rows), of_names)
        lower = "lower alpha" if self.scale else "give scale='leave-one-out', or lower alpha"
        warn_of_silent_names(self, batch, of_names, self.alpha * classes(rows), lower)
        return _MixedHead(names, classes, self.alpha)

    def working_bytes(self, n_support: int, n_way: int, dim: int) -> int:
        return GaussianHead(self.shrinkage, scale=self.scale).working_bytes(n_support, n_way, dim) + 8 * n_way * dim


@dataclass(frozen=True, eq=False)
class _MixedHead(Head[Tensor]):
    names: CosineHead
    classes: Head[Tensor]
    alpha: float

    def __call__(self, query: Tensor) -> Tensor:
        directions = unit(query.double())
        return shortened(self.names(directions) + self.alpha * self.classes(directions), query.dtype)
