"""Multinomial logistic regression on the support."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import FeatureEvaluator, Head, LinearHead
from fewshot.plugins.fields import POSITIVE, declare, integer
from fewshot.solvers.logistic import solve_path, working_bytes


@dataclass(frozen=True)
class LinearProbe(FeatureEvaluator):
    """Multinomial logistic regression with an L2 penalty, at the optimum of scikit-learn's
    LogisticRegression(C=C): C times the sum of the losses plus ||W||^2 / 2, the intercept free.

    On L2-normalised features of five data sets, from 1 to 25 shots, C = 100 loses 0.7 points on average against the
    best C (docs/evaluators.md). C = 1, scikit-learn's default, loses 4.6 points on average and 25 at most; on such
    features it is the classifier of RFS (Tian et al. 2020, arXiv 2003.11539).
    """

    C: float = 100.0
    max_iter: int = 100

    rules = declare(C=POSITIVE, max_iter=integer(1))

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls(), cls(C=0.01), cls(C=1.0)]

    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        return self.fit_path(batch, [self])[0]

    def fit_path(self, batch: EpisodeBatch[Tensor], grid: Sequence[Self]) -> list[Head[Tensor]]:
        """One decomposition of the support serves every C, and each optimum is the start of the next."""
        members = sorted(set(grid), key=lambda probe: probe.C)
        settings = [(float(member.C), member.max_iter) for member in members]
        solutions = solve_path(batch.support, batch.support_mask, batch.support_labels, batch.n_way, settings)
        heads = {
            member: LinearHead(solution.weight, solution.bias, solution.converged)
            for member, solution in zip(members, solutions, strict=True)
        }
        return [heads[member] for member in grid]

    def working_bytes(self, n_support: int, n_way: int, dim: int) -> int:
        return working_bytes(n_support, n_way, dim)
