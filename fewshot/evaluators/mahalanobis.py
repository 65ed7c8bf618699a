"""Gaussian classes with covariances of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import FeatureEvaluator, Head, one_hot
from fewshot.plugins.fields import POSITIVE, declare
from fewshot.solvers.gram import Principal, principal
from fewshot.solvers.rounding import shortened


@dataclass(frozen=True)
class Mahalanobis(FeatureEvaluator):
    """The class at the least Mahalanobis distance, as in Simple CNAPS (Bateni et al. 2020, arXiv 1912.03432) on
    frozen features: logits = -1/2 (q - m_k)^T Q_k^-1 (q - m_k) up to a term that is the same for all classes, with
    Q_k = lambda_k S_k + (1 - lambda_k) S + beta I and lambda_k = n_k / (n_k + 1).

    S_k and S are the unbiased covariances of the class and of the whole support. Deviations from the released code: the
    factor 1/2 of the paper, which the code omits; S_k = 0 for a class of one row, where the code adds a constant to
    every entry. Works in the principal coordinates of the support, without a D x D matrix for each class.
    """

    beta: float = 1.0

    rules = declare(beta=POSITIVE)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls(), cls(10.0)]

    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        space, hot = principal(batch.support, batch.support_mask), one_hot(batch)
        sizes = hot.sum(1)  # [B, N]
        class_means = hot.transpose(1, 2) @ space.scores / sizes[:, :, None]  # [B, N, r]
        shared = space.variances / (sizes.sum(1, keepdim=True) - 1)  # [B, r] S, which is diagonal here
        common = (shared[:, None] / (sizes[:, :, None] + 1) + self.beta).reciprocal()  # [B, N, r] without S_k, inverted
        rows = _by_class(space.scores, batch, sizes) - class_means[:, :, None]  # [B, N, K, r]
        held = torch.arange(rows.shape[2], device=sizes.device) < sizes[:, :, None]
        rows = rows * held[:, :, :, None]
        return _MahalanobisHead(space, class_means, common, _corrections(rows, common, sizes))

    def working_bytes(self, n_support: int, n_way: int, dim: int) -> int:
        rank = min(n_support, dim)
        indicator = 2 * n_support * n_way  # and its running sums
        return 8 * (3 * rank * rank + 6 * n_support * rank + 2 * n_support * dim + 4 * n_way * rank + indicator)


def _by_class(scores: Tensor, batch: EpisodeBatch[Tensor], sizes: Tensor) -> Tensor:
    """The rows [B, S, r] class by class: [B, N, K, r], with K the size of the largest class."""
    largest = int(sizes.max())
    hot = one_hot(batch)
    position = (hot.cumsum(1) - 1).gather(2, batch.support_labels[:, :, None])[:, :, 0].long()
    slot = torch.where(batch.support_mask, batch.support_labels * largest + position, batch.n_way * largest)
    slots = scores.new_zeros(len(scores), batch.n_way * largest + 1, scores.shape[2])  # the last slot takes the padding
    slots.scatter_(1, slot[:, :, None].expand_as(scores), scores)
    return slots[:, :-1].reshape(len(scores), batch.n_way, largest, -1)


def _corrections(rows: Tensor, common: Tensor, sizes: Tensor) -> Tensor:
    """P_k [B, N, K, r] with Q_k^-1 = D_k - P_k^T P_k for D_k the diagonal `common` (Woodbury's identity). Z are
    the rows of a class, scaled such that S_k lambda_k = Z^T Z; P = L^-1 Z D with L L^T = I + Z D Z^T."""
    scale = sizes / (sizes + 1) / (sizes - 1).clamp_min(1)
    z = rows * scale.sqrt()[:, :, None, None]
    zd = z * common[:, :, None]
    inner = zd @ z.transpose(2, 3) + torch.eye(rows.shape[2], dtype=rows.dtype, device=rows.device)
    corrections: Tensor = torch.linalg.solve_triangular(torch.linalg.cholesky_ex(inner).L, zd, upper=False)
    return corrections


@dataclass(frozen=True, eq=False)
class _MahalanobisHead(Head[Tensor]):
    space: Principal
    class_means: Tensor  # [B, N, r] float64, in principal coordinates like all that follows
    common: Tensor  # [B, N, r]
    corrections: Tensor  # [B, N, K, r]

    def __call__(self, query: Tensor) -> Tensor:
        q = (query.double() - self.space.mean) @ self.space.axes  # [B, m, r]
        scaled = self.class_means * self.common
        distance = q.square() @ self.common.transpose(1, 2) - 2 * q @ scaled.transpose(1, 2)
        distance += (self.class_means * scaled).sum(2)[:, None]  # [B, m, N] with the diagonal part of Q_k^-1
        moved = q @ self.corrections.flatten(1, 2).transpose(1, 2)  # [B, m, N K]
        own = torch.einsum("bnkr,bnr->bnk", self.corrections, self.class_means)
        moved = moved.reshape(*moved.shape[:2], *own.shape[1:]) - own[:, None]
        logits: Tensor = (moved.square().sum(3) - distance) / 2
        return shortened(logits, query.dtype)
