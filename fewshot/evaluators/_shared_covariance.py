"""The covariance that Gaussian classes share."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fewshot.solvers.gram import Rows, inverse_times


@dataclass(frozen=True, eq=False)
class SharedCovariance:
    """The covariance `scatter` W + `isotropic` I of B episodes, with W the scatter within classes."""

    rows: Rows  # [B, S, D] less the mean of their class
    matrix: Tensor  # their Gram matrix
    offsets: Tensor  # [B, D, N] class means less the mean of all rows
    sizes: Tensor  # [B, N] rows of each class
    scatter: Tensor  # [B]; 0 if no class scatters
    isotropic: Tensor  # [B]

    def inverse_times(self, right: Tensor) -> Tensor:
        """The inverse of the covariance times [B, D, m]."""
        some = self.scatter.where(self.scatter > 0, 1)
        product = inverse_times(self.rows, self.matrix, right, self.isotropic / some) / some[:, None, None]
        return product.where((self.scatter > 0)[:, None, None], right / self.isotropic[:, None, None])

    def traces(self) -> tuple[Tensor, Tensor, Tensor]:
        """[B] tr(T) and tr(T^2) of the scatter T of all rows, and tr(B) of the scatter between the classes."""
        between = self.offsets * self.sizes.sqrt()[:, None]  # T = W + O O^T for these O
        squares = between.transpose(1, 2) @ between
        outside = squares.diagonal(dim1=1, dim2=2).sum(1)
        wide = self.rows.wide
        crossed = self.rows.whole @ between if wide else self.matrix @ between  # tr(O^T W O) = |X O|^2
        mixed = crossed.square().sum((1, 2)) if wide else (between * crossed).sum((1, 2))
        square = self.matrix.square().sum((1, 2)) + 2 * mixed + squares.square().sum((1, 2))
        return self.matrix.diagonal(dim1=1, dim2=2).sum(1) + outside, square, outside


def mean_distance(shared: SharedCovariance, weight: Tensor) -> Tensor:
    """[B] the mean squared Mahalanobis distance between two classes; `weight` [B, D, N] is the inverse of the
    covariance times the offsets."""
    n_way = weight.shape[2]
    lengths, mean = (shared.offsets * weight).sum((1, 2)), (shared.offsets.sum(2) * weight.sum(2)).sum(1)
    return 2 * (n_way * lengths - mean) / (n_way * (n_way - 1))


def support_scale(shared: SharedCovariance) -> Tensor:
    """[B] (1 + 1/K) D / d of the support; 1 + 1/K, the largest possible d, if all rows are equal."""
    trace, square, _ = shared.traces()
    scattered, dim = (trace > 0) & (square > 0), shared.offsets.shape[1]
    effective = torch.where(scattered, trace.square() / square.where(scattered, 1), dim)
    return (1 + shared.sizes.reciprocal()).mean(1) * dim / effective
