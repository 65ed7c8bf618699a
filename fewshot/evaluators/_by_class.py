"""Sums over the support rows of each class: by an indicator matrix, or by labels if that matrix would be large."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import one_hot
from fewshot.solvers.gram import means

_MOST_ENTRIES = 1 << 22  # rows times classes of an episode: 32 MiB


def has_large_indicator(n_support: int, n_way: int) -> bool:
    """Whether the indicator matrix [S, N] of an episode is too large to build."""
    return n_support * n_way > _MOST_ENTRIES


@dataclass(frozen=True, eq=False)
class VoteCounter:
    """Adds up the votes of support rows by class."""

    labels: Tensor  # [B, S]
    mask: Tensor  # [B, S]
    n_way: int
    indicator: Tensor | None  # [B, S, N]; None if it would be large

    @staticmethod
    def of(batch: EpisodeBatch[Tensor]) -> VoteCounter:
        """The counter for the supports of a batch."""
        large = has_large_indicator(batch.support_labels.shape[1], batch.n_way)
        return VoteCounter(batch.support_labels, batch.support_mask, batch.n_way, None if large else one_hot(batch))

    def __call__(self, votes: Tensor) -> Tensor:
        """[B, m, N] sums of votes [B, m, S]; padding has no vote."""
        if self.indicator is not None:
            return votes @ self.indicator
        sums = votes.new_zeros(*votes.shape[:2], self.n_way)
        return sums.scatter_add_(2, self.labels[:, None].expand_as(votes), votes * self.mask[:, None])


def class_means(batch: EpisodeBatch[Tensor]) -> Tensor:
    """[B, N, D] float64 means of the support rows of each class."""
    if not has_large_indicator(batch.support_labels.shape[1], batch.n_way):
        return means(batch.support, one_hot(batch))
    sums = batch.support.new_zeros(len(batch.support), batch.n_way, batch.support.shape[2]).double()
    counts = sums.new_zeros(sums.shape[:2])
    for episode, (labels, held) in enumerate(zip(batch.support_labels, batch.support_mask, strict=True)):
        sums[episode].index_add_(0, labels[held], batch.support[episode, held].double())
        counts[episode].index_add_(0, labels[held], held[held].double())
    return sums / counts[:, :, None]
