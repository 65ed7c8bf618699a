"""Votes of the nearest support rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import FeatureEvaluator, Head
from fewshot.evaluators._by_class import VoteCounter, has_large_indicator
from fewshot.plugins.fields import POSITIVE, declare, integer, one_of
from fewshot.solvers import compiled
from fewshot.solvers.rounding import shortened
from fewshot.solvers.similarity import METRICS, Neighbours

_NEAR_ENTRIES = 1 << 16  # support entries that fit in the second-level cache
_NO_VOTE = 1e-9  # the share of a class without votes: keeps its logarithm finite


@dataclass(frozen=True)
class NearestNeighbour(FeatureEvaluator):
    """The class with most votes among the k most similar support rows. Logits are the logarithms of the vote shares,
    of 1e-9 for a class without votes.

    Similarity: the cosine ("cosine"), or minus the squared Euclidean distance ("euclidean"). Votes are equal if
    `temperature` is None, as in scikit-learn's KNeighborsClassifier (Cover, Hart 1967), else
    softmax(similarity / temperature) over the k rows: DINOv2 (Oquab et al. 2023, arXiv 2304.07193) takes cosines and
    0.07. Rows that tie for the last places share their votes, so the order of the support does not matter; classes
    that tie have equal logits, and the first wins. A support of fewer than k rows is a ValueError if votes are equal,
    because all queries would get the same answer; with a temperature every row votes.
    """

    k: int = 1
    metric: str = "cosine"
    temperature: float | None = None

    rules = declare(k=integer(1), metric=one_of(METRICS), temperature=POSITIVE)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls(), cls(k=3, metric="euclidean"), cls(k=5, temperature=0.07), cls(4, "euclidean", 10.0)]

    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        fewest = int(batch.support_mask.sum(1).min())
        if self.temperature is None and self.k > fewest:
            raise ValueError(
                f"NearestNeighbour needs {self.k} neighbours for equal votes, but an episode has {fewest} support "
                "rows; lower k, or give a temperature"
            )
        if batch.support[0].numel() <= _NEAR_ENTRIES and _in_loops(batch.support):
            return _LoopHead(batch, self)
        return _VotingHead.of(batch, self)

    def working_bytes(self, n_support: int, n_way: int, dim: int) -> int:
        indicator = 0 if has_large_indicator(n_support, n_way) else n_way
        return 8 * (2 * n_support * (dim + indicator) + min(n_support, 64) * n_support)


def _in_loops(vectors: Tensor) -> bool:
    """Whether compiled loops can compare these vectors: squares of float32 numbers are finite in float64."""
    return vectors.dtype == torch.float32 and compiled.serves(vectors)


@dataclass(frozen=True, eq=False)
class _LoopHead(Head[Tensor]):
    batch: EpisodeBatch[Tensor]
    rule: NearestNeighbour

    def __call__(self, query: Tensor) -> Tensor:
        from fewshot.solvers.compiled.neighbours import votes

        batch, rule = self.batch, self.rule
        if not _in_loops(query):
            return _VotingHead.of(batch, rule)(query)
        logits = torch.empty(*query.shape[:2], batch.n_way)
        given = (batch.support, batch.support_labels, batch.support_mask, query)
        arrays = [array.contiguous().numpy() for array in given]
        settings = (rule.k, rule.metric == "cosine", float(rule.temperature or 0.0), _NO_VOTE)
        compiled.over_episodes(votes, len(query), *arrays, *settings, logits.numpy())
        return logits


@dataclass(frozen=True, eq=False)
class _VotingHead(Head[Tensor]):
    neighbours: Neighbours
    count: VoteCounter
    rule: NearestNeighbour

    @staticmethod
    def of(batch: EpisodeBatch[Tensor], rule: NearestNeighbour) -> _VotingHead:
        """The head of a batch."""
        neighbours = Neighbours.of(batch.support, batch.support_mask, rule.metric)
        return _VotingHead(neighbours, VoteCounter.of(batch), rule)

    def __call__(self, query: Tensor) -> Tensor:
        parts = [self.count(self._votes(*part)) for part in self.neighbours.similarities(query)]
        return shortened(torch.cat(parts, 1).clamp_min(_NO_VOTE).log(), query.dtype)

    def _votes(self, similarity: Tensor, rounding: Tensor) -> Tensor:
        """[B, m, S] the share of the votes of each support row. Similarities of padding are -inf."""
        k = min(self.rule.k, similarity.shape[2])
        best = similarity.topk(k, dim=2).values
        last = best.where(best > -math.inf, math.inf).amin(2, keepdim=True)  # of the k-th row, or of the last one
        sure, tied = similarity > last + rounding, (similarity - last).abs() <= rounding
        places = (best > -math.inf).sum(2, keepdim=True) - sure.sum(2, keepdim=True)
        share = sure + tied * (places.double() / tied.sum(2, keepdim=True))
        if self.rule.temperature is not None:
            share = share * torch.exp((similarity - similarity.amax(2, keepdim=True)) / self.rule.temperature)
        return share / share.sum(2, keepdim=True)
