"""Gaussian classes that share a covariance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from fewshot.episodes.episodes import EpisodeBatch
from fewshot.evaluators import FeatureEvaluator, Head, LinearHead, one_hot
from fewshot.plugins.fields import declare, number_in, one_of
from fewshot.plugins.signature import Later
from fewshot.solvers.gram import Rows, gram, gram_bytes, inverse_times, means, within

PRIORS = ("uniform", "support")
SCALES = ("support",)
SHRINKAGE = number_in("[1e-6, 1]")
_NO_SCATTER = 1e-12  # share of all scatter: less within the classes is rounding


@dataclass(frozen=True)
class GaussianHead(FeatureEvaluator):
    """Linear discriminant analysis: Gaussians around the class means with one shared covariance. Logits are
    log-posteriors, up to a term that is the same for all classes.

    With W the scatter within classes, of n rows of D features, the covariance is
    (1 - shrinkage) W / n + shrinkage tr(W) / (n D) I, as in scikit-learn's
    LinearDiscriminantAnalysis(solver="lsqr", shrinkage=...); or, if `shrinkage` is None,
    (W + tr(W) / (n - 1) I) / D: the ridge-shrunk precision of GDA (Wang et al. 2024, arXiv 2402.04087); its mix with a
    zero-shot classifier is ZeroShotGaussian. `priors`: "uniform", or "support" for the class frequencies of the
    support. If no class scatters (K = 1), the covariance is tr(T) / (n D) I, with T the scatter of all rows: the
    nearest mean wins. Solves the smaller of S x S and D x D; a large support needs D x D and a part of its rows.

    `scale` None: these published covariances. They treat features as D independent numbers, so logits grow with D, and
    with few shots probabilities are far too certain. "support" multiplies the covariance by (1 + 1/K) D / d, which
    changes no answer with uniform priors: d = tr(T)^2 / tr(T^2) is the effective number of dimensions of the support
    (its participation ratio), 1 + 1/K the extra variance of a query around a mean of K rows (its average over the
    classes). It needs no within-class scatter, so it also works at one shot.
    """

    shrinkage: float | None = None
    priors: str = "uniform"
    scale: str | Later = None

    rules = declare(shrinkage=SHRINKAGE, priors=one_of(PRIORS), scale=one_of(SCALES))

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls(), cls(shrinkage=0.5), cls(shrinkage=1.0, priors="support"), cls(scale="support")]

    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        hot = one_hot(batch)
        centre = means(batch.support, batch.support_mask.double()[:, :, None])  # [B, 1, D]
        class_means = means(batch.support, hot)  # [B, N, D]
        rows = within(batch.support, batch.support_mask, batch.support_labels, class_means)
        matrix, offsets = (
            gram(rows),
            (class_means - centre).transpose(1, 2),
        )  # [B, D, N]: small numbers keep their digits
        scatter, isotropic = self._covariance(matrix, offsets, hot.sum(1))
        spherical = offsets / isotropic[:, None, None]
        some = scatter.where(scatter > 0, 1)
        weight = inverse_times(rows, matrix, offsets, isotropic / some) / some[:, None, None]
        weight = weight.where((scatter > 0)[:, None, None], spherical)
        if self.scale is not None:
            weight = weight / _scale(rows, matrix, offsets, hot.sum(1))[:, None, None]
        shares = hot.sum(1) / hot.sum((1, 2))[:, None]
        prior = shares.log() if self.priors == "support" else torch.zeros_like(shares)
        return LinearHead(weight, prior - (offsets * weight).sum(1) / 2 - (centre @ weight)[:, 0])

    def _covariance(self, matrix: Tensor, offsets: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
        """[B] a and c of the covariance a W + c I, for the Gram matrix of the rows within classes, the offsets
        [B, D, N] of the class means, and the class sizes [B, N]."""
        n, dim = sizes.sum(1), offsets.shape[1]
        trace = matrix.diagonal(dim1=1, dim2=2).sum(1)
        whole = trace + (sizes * offsets.square().sum(1)).sum(1)  # tr(T)
        if self.shrinkage is None:
            scatter, isotropic = torch.full_like(n, 1 / dim), trace / ((n - 1) * dim)
        else:
            scatter, isotropic = (1 - self.shrinkage) / n, self.shrinkage * trace / (n * dim)
        flat = trace <= _NO_SCATTER * whole
        return scatter.where(~flat, 0), isotropic.where(~flat, (whole / (n * dim)).where(whole > 0, 1))

    def working_bytes(self, n_support: int, n_way: int, dim: int) -> int:
        return gram_bytes(n_support, dim, 4 * n_way)


def _scale(rows: Rows, matrix: Tensor, offsets: Tensor, sizes: Tensor) -> Tensor:
    """[B] (1 + 1/K) D / d of the support, for the rows within classes, their Gram matrix, and the offsets [B, D, N] and
    sizes [B, N] of the classes; 1 + 1/K, the largest possible d, if all rows are equal."""
    between = offsets * sizes.sqrt()[:, None]  # T = W + O O^T for these O
    squares = between.transpose(1, 2) @ between
    trace = matrix.diagonal(dim1=1, dim2=2).sum(1) + squares.diagonal(dim1=1, dim2=2).sum(1)
    crossed = rows.whole @ between if rows.wide else matrix @ between  # tr(O^T W O) = |X O|^2
    mixed = crossed.square().sum((1, 2)) if rows.wide else (between * crossed).sum((1, 2))
    square = matrix.square().sum((1, 2)) + 2 * mixed + squares.square().sum((1, 2))  # tr(T^2)
    scattered = (trace > 0) & (square > 0)
    effective = torch.where(scattered, trace.square() / square.where(scattered, 1), offsets.shape[1])
    return (1 + sizes.reciprocal()).mean(1) * offsets.shape[1] / effective
