"""Matching networks' classifier: labels averaged by similarity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import FeatureEvaluator, Head
from fewshot.plugins.fields import POSITIVE, declare
from fewshot.solvers.rounding import shortened
from fewshot.solvers.similarity import Neighbours


@dataclass(frozen=True)
class Matching(FeatureEvaluator):
    """The average of the support labels, weighted by softmax(cosine / temperature) over all support rows (Vinyals et
    al. 2016, arXiv 1606.04080, without its context embeddings); logits are log-probabilities.

    The paper's temperature is 1. A class with more rows has more weight, as in the paper.
    """

    temperature: float = 1.0

    rules = declare(temperature=POSITIVE)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls(), cls(0.05)]

    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        neighbours = Neighbours.of(batch.support, batch.support_mask, "cosine")
        return _MatchingHead(neighbours, batch.support_labels, batch.n_way, self.temperature)

    def working_bytes(self, n_support: int, n_way: int, dim: int) -> int:
        return 8 * (2 * n_support * dim + 3 * min(n_support, 64) * n_support)


@dataclass(frozen=True, eq=False)
class _MatchingHead(Head[Tensor]):
    neighbours: Neighbours
    labels: Tensor  # [B, S]
    n_way: int
    temperature: float

    def __call__(self, query: Tensor) -> Tensor:
        parts = [self._log_probability(s / self.temperature) for s, _ in self.neighbours.similarities(query)]
        return shortened(torch.cat(parts, 1), query.dtype)

    def _log_probability(self, scaled: Tensor) -> Tensor:
        """[B, m, N] log-probabilities. Each class sums relative to its own largest term, so that no sum underflows."""
        index = self.labels[:, None].expand_as(scaled)
        shape = (*scaled.shape[:2], self.n_way)
        largest = scaled.new_full(shape, -math.inf).scatter_reduce(2, index, scaled, "amax")
        shares = torch.exp(scaled - largest.gather(2, index))
        log_sum = largest + scaled.new_zeros(shape).scatter_add(2, index, shares).log()
        return torch.log_softmax(log_sum, dim=2)
