"""Gaussian classes that share a covariance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import FeatureEvaluator, Head, LinearHead, one_hot
from fewshot.evaluators._left_out import ALONE, BESIDE_NAMES, LeftOut, left_out_bytes
from fewshot.evaluators._shared_covariance import SharedCovariance, mean_distance, support_scale
from fewshot.evaluators._warned_once import warn_once
from fewshot.plugins.fields import declare, number_in, one_of
from fewshot.plugins.signature import Later
from fewshot.solvers.gram import Rows, gram, gram_bytes, means, within

PRIORS = ("uniform", "support")
SCALES = ("support", "leave-one-out")
SHRINKAGE = number_in("[1e-6, 1]")
_FAR = 1000.0  # squared standard deviations between two classes: far beyond what fewer rows than features can show
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
    with few shots probabilities are far too certain; a warning reports it. The other scales multiply the covariance by
    one number, which changes no answer with uniform priors.

    "leave-one-out", the best choice with few shots: the number that makes the support rows most likely, each answered
    without itself, with a prior that weighs as much as 6 rows. The prior alone decides at one shot: it sets the mean
    squared Mahalanobis distance between two classes to the effective number of dimensions of the support, at most 20.
    "support": (1 + 1/K) D / d, with d = tr(T)^2 / tr(T^2) the effective number of dimensions of the support (its
    participation ratio), and 1 + 1/K the extra variance of a query around a mean of K rows (its average over classes).
    """

    shrinkage: float | None = None
    priors: str = "uniform"
    scale: str | Later = None

    rules = declare(shrinkage=SHRINKAGE, priors=one_of(PRIORS), scale=one_of(SCALES))

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [
            cls(),
            cls(shrinkage=0.5),
            cls(shrinkage=1.0, priors="support"),
            cls(scale="support"),
            cls(scale="leave-one-out"),
        ]

    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        return self.fit_beside(batch, None)

    def fit_beside(self, batch: EpisodeBatch[Tensor], names: Tensor | None) -> Head[Tensor]:
        """The head. If its logits will be added to those of class names, give these for the support rows [B, S, N]:
        leave-one-out then chooses the scale that is best for the sum."""
        hot = one_hot(batch)
        centre = means(batch.support, batch.support_mask.double()[:, :, None])  # [B, 1, D]
        class_means = means(batch.support, hot)  # [B, N, D]
        rows = within(batch.support, batch.support_mask, batch.support_labels, class_means)
        offsets = (class_means - centre).transpose(1, 2)  # [B, D, N]: small numbers keep their digits
        shared = self._covariance(rows, offsets, hot.sum(1))
        shares = hot.sum(1) / hot.sum((1, 2))[:, None]
        prior = shares.log() if self.priors == "support" else torch.zeros_like(shares)
        weight = self._scaled(batch, shared, shared.inverse_times(offsets), prior, names)
        return LinearHead(weight, prior - (offsets * weight).sum(1) / 2 - (centre @ weight)[:, 0])

    def _scaled(
        self, batch: EpisodeBatch[Tensor], shared: SharedCovariance, weight: Tensor, prior: Tensor, names: Tensor | None
    ) -> Tensor:
        """The weights [B, D, N] of the published covariance under `scale`."""
        if self.scale == "support":
            return weight / support_scale(shared)[:, None, None]
        if self.scale == "leave-one-out":
            others, dimensions = (prior[:, None], ALONE) if names is None else (names, BESIDE_NAMES)
            left_out = LeftOut(shared, weight, batch.support_labels, batch.support_mask, others, dimensions)
            return weight * left_out.scale()[:, None, None]
        if names is None and shared.rows.wide and float(mean_distance(shared, weight).median()) > _FAR:
            advice = "gives probabilities that are far too certain: it has fewer rows than features"
            warn_once(self, batch.support_mask, batch.n_way, f"{advice}; give scale='leave-one-out'")
        return weight

    def _covariance(self, rows: Rows, offsets: Tensor, sizes: Tensor) -> SharedCovariance:
        """The covariance of rows within classes, the offsets [B, D, N] of the class means, and the class sizes
        [B, N]."""
        matrix = gram(rows)
        n, dim = sizes.sum(1), offsets.shape[1]
        trace = matrix.diagonal(dim1=1, dim2=2).sum(1)
        whole = trace + (sizes * offsets.square().sum(1)).sum(1)  # tr(T)
        if self.shrinkage is None:
            scatter, isotropic = torch.full_like(n, 1 / dim), trace / ((n - 1) * dim)
        else:
            scatter, isotropic = (1 - self.shrinkage) / n, self.shrinkage * trace / (n * dim)
        flat = trace <= _NO_SCATTER * whole
        scatter, isotropic = scatter.where(~flat, 0), isotropic.where(~flat, (whole / (n * dim)).where(whole > 0, 1))
        return SharedCovariance(rows, matrix, offsets, sizes, scatter, isotropic)

    def working_bytes(self, n_support: int, n_way: int, dim: int) -> int:
        left_out = left_out_bytes(n_support, n_way, dim) if self.scale == "leave-one-out" else 0
        return gram_bytes(n_support, dim, 4 * n_way) + left_out
