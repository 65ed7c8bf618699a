"""Zero-shot logits and a cache of the support, without training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import CosineHead, FeatureEvaluator, Head, class_vectors
from fewshot.evaluators._by_class import VoteCounter
from fewshot.evaluators._two_sources import compared_rows, warn_of_silent_names
from fewshot.plugins.fields import NOT_NEGATIVE, POSITIVE, declare
from fewshot.solvers.rounding import shortened
from fewshot.solvers.similarity import Neighbours


@dataclass(frozen=True)
class TipAdapter(FeatureEvaluator):
    """Tip-Adapter (Zhang et al. 2022, arXiv 2111.03930), training-free: with a query f, class-name vectors T, support
    rows F, all of length one, and one-hot labels Y,

        logits = f T' / temperature + alpha exp(-beta (1 - f F')) Y.

    alpha = 1 and beta = 5.5 are the paper's defaults. Its released code then searches both on the test features: choose
    them on validation classes instead. Needs vectors of the class names. Deviations: one view of each support image;
    the paper's keys are means of 10 augmented ones. Tip-Adapter-F, which trains F, is not implemented.
    """

    uses_names: ClassVar[bool] = True
    needs_support: ClassVar[bool] = False  # without one it is ZeroShot

    alpha: float = 1.0
    beta: float = 5.5
    temperature: float = 0.01

    rules = declare(alpha=NOT_NEGATIVE, beta=NOT_NEGATIVE, temperature=POSITIVE)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls(), cls(alpha=20.0, beta=1.0)]

    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        names = CosineHead(class_vectors(batch, self).transpose(1, 2) / self.temperature)
        if not batch.support.shape[1]:
            return names
        cache = Neighbours.of(batch.support, batch.support_mask, "cosine")
        head = _CacheHead(names, cache, VoteCounter.of(batch), self.alpha, self.beta)
        rows = batch.support[:, : compared_rows(batch)].double()
        warn_of_silent_names(self, batch, names(rows), head.of_support(rows), "lower alpha")
        return head

    def working_bytes(self, n_support: int, n_way: int, dim: int) -> int:
        return 8 * ((2 * n_support + n_way) * dim + 3 * min(n_support, 64) * n_support)


@dataclass(frozen=True, eq=False)
class _CacheHead(Head[Tensor]):
    names: CosineHead
    cache: Neighbours
    count: VoteCounter
    alpha: float
    beta: float

    def __call__(self, query: Tensor) -> Tensor:
        return shortened(self.names(query.double()) + self.of_support(query), query.dtype)

    def of_support(self, query: Tensor) -> Tensor:
        """[B, m, N] the part of the logits that comes from the support."""
        votes = [self._votes(s) for s, _ in self.cache.similarities(query)]
        return self.alpha * torch.cat(votes, 1)

    def _votes(self, cosine: Tensor) -> Tensor:
        """[B, m, N] for cosines [B, m, S]; padding is -inf, which beta = 0 would turn into NaN."""
        return self.count(torch.exp(self.beta * (cosine.clamp_min(-1) - 1)))
