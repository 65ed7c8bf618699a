"""A linear probe that adds class names to its weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import CosineHead, FeatureEvaluator, Head, class_vectors, one_hot
from fewshot.evaluators._two_sources import warn_of_silent_names
from fewshot.plugins.fields import declare, integer
from fewshot.solvers.similarity import unit

_MOMENTUM = 0.9
_ALPHA_EVERY = 10  # steps of w for one of alpha
_ALPHA_START = 250.0
_TEMPERATURE = 0.01  # CLIP's own, without support


@dataclass(frozen=True)
class LinearProbePlusPlus(FeatureEvaluator):
    """LP++ (Huang et al. 2024, arXiv 2404.02285): logits = f . (w_k + alpha_k t_k) with queries f and class-name
    vectors t of length one; w and alpha minimise the mean cross-entropy of the support by full-batch descent.
    Start and step sizes come from the data, so nothing needs tuning.

    Start: w_k is the sum of the class's rows; every alpha is 250 times the mean over classes of the mean cosine between
    a class's rows and its name. Steps: 4 n / lambda_max(F'F) for w at every iteration (momentum 0.9) and
    n / (4 max_k sum_i (f_i . t_k)^2) for alpha at every tenth, as in the released code.

    The cross-entropy of a linearly separable support has no minimum. As in the paper, `iterations` is part of the
    method, so rows do not report convergence. Deviations from the released code: it keeps the iteration that is best on
    validation images, this keeps the last; it adds a bias with a random start, this has none, like the paper's formula;
    it never resets the gradient of alpha between iterations, this uses the current gradient. Needs vectors of the class
    names.
    """

    uses_names: ClassVar[bool] = True
    needs_support: ClassVar[bool] = False  # without one it is ZeroShot

    iterations: int = 300

    rules = declare(iterations=integer(0))

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls(), cls(iterations=20)]

    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        names, targets = class_vectors(batch, self), one_hot(batch)
        if not batch.support.shape[1]:
            return CosineHead(names.transpose(1, 2) / _TEMPERATURE)
        rows = unit(batch.support.double()) * batch.support_mask[:, :, None]
        cosines = rows @ names.transpose(1, 2)
        w, alpha = self._descend(rows, cosines, targets)
        of_support = rows @ w.transpose(1, 2)
        warn_of_silent_names(self, batch, alpha[:, None] * cosines, of_support, "compare with ZeroShot")
        return CosineHead((w + alpha[:, :, None] * names).transpose(1, 2))

    def _descend(self, rows: Tensor, cosines: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """w [B, N, D] and alpha [B, N], from rows [B, S, D] and their cosines [B, S, N] with the names.

        If there are fewer rows than features, w = a' F is stored as a [B, S, N]: then f . w is the Gram matrix times a,
        and the gradient of w, r' F, moves a by r.
        """
        held, n = targets.sum(2, keepdim=True), targets.sum((1, 2))[:, None, None]
        small = rows.shape[1] <= rows.shape[2]
        gram = rows @ rows.transpose(1, 2) if small else rows.transpose(1, 2) @ rows
        design, back = (gram, None) if small else (rows, rows.transpose(1, 2))
        w = targets if back is None else back @ targets  # [B, S, N] or [B, D, N]
        alpha = (_ALPHA_START * (cosines * targets / targets.sum(1, keepdim=True)).sum((1, 2)) / targets.shape[2])[
            :, None
        ]
        alpha = alpha[:, None].expand(-1, 1, targets.shape[2])  # [B, 1, N]
        w_step = _inverse(torch.linalg.eigvalsh(gram)[:, -1:, None] / (4 * n))
        alpha_step = _inverse(4 * cosines.square().sum(1, keepdim=True).amax(2, keepdim=True) / n)
        velocity = torch.zeros_like(w)
        for iteration in range(1, self.iterations + 1):
            residual = (torch.softmax(design @ w + alpha * cosines, 2) * held - targets) / n
            velocity = _MOMENTUM * velocity + (residual if back is None else back @ residual)
            w = w - w_step * velocity
            if iteration % _ALPHA_EVERY == 0:
                alpha = alpha - alpha_step * (residual * cosines).sum(1, keepdim=True)
        whole = w.transpose(1, 2) @ rows if back is None else w.transpose(1, 2)
        return whole, alpha[:, 0]

    def working_bytes(self, n_support: int, n_way: int, dim: int) -> int:
        small = min(n_support, dim)
        return 8 * (n_support * dim + 2 * small * small + 3 * n_way * dim + 10 * max(n_support, small) * n_way)


def _inverse(curvature: Tensor) -> Tensor:
    """1 / curvature; 0 if the curvature is 0 because all rows are zero."""
    return torch.where(curvature > 0, 1 / curvature.where(curvature > 0, 1), 0)
