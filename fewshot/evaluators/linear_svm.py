"""Linear support vector machines, one class against the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import FeatureEvaluator, Head, LinearHead, one_hot
from fewshot.plugins.fields import POSITIVE, declare, integer
from fewshot.solvers.gram import gram_bytes
from fewshot.solvers.squared_hinge import solve


@dataclass(frozen=True)
class LinearSVM(FeatureEvaluator):
    """One support vector machine for each class against the rest, at the optimum of scikit-learn's
    LinearSVC(C=C, loss="squared_hinge"): ||w||^2 / 2 plus C times the sum of max(0, 1 - y f)^2. Logits are the f.

    C = 10 is near the best value on L2-normalised features (docs/evaluators.md); 1 loses up to 10 points.

    `intercept_scaling`: the intercept is the weight of a constant column of this value and is penalised like the other
    weights, as in liblinear (Fan et al. 2008); None: it is free. With Standardised it is the SVM of RFS (Tian et al.
    2020, arXiv 2003.11539). Solved by Newton steps on the rows inside the margin (Mangasarian 2002, "A finite Newton
    method for classification"); a head has converged where the duality gap is below 1e-8 of the objective. Each
    class needs an S x S matrix: too much memory for supports of many thousand rows.
    """

    C: float = 10.0
    intercept_scaling: float | None = 1.0
    max_iter: int = 100

    rules = declare(C=POSITIVE, intercept_scaling=POSITIVE, max_iter=integer(1))

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls(), cls(C=0.01), cls(C=10.0, intercept_scaling=None)]

    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        mask = batch.support_mask.double()[:, :, None]
        signs = 2 * one_hot(batch) - mask  # [B, S, N]
        weight, bias, converged = solve(batch.support, signs, self.C, self.intercept_scaling, self.max_iter)
        return LinearHead(weight, bias, converged)

    def working_bytes(self, n_support: int, n_way: int, dim: int) -> int:
        return gram_bytes(n_support, dim, 3 * n_way) + 8 * 4 * n_way * n_support * n_support
