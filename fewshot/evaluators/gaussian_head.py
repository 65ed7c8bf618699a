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
from fewshot.solvers.gram import gram, gram_bytes, inverse_times, means, within

PRIORS = ("uniform", "support")
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
    """

    shrinkage: float | None = None
    priors: str = "uniform"

    rules = declare(shrinkage=SHRINKAGE, priors=one_of(PRIORS))

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls(), cls(shrinkage=0.5), cls(shrinkage=1.0, priors="support")]

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
