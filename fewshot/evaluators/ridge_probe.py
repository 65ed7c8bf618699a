"""Least squares with an L2 penalty on the support."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import FeatureEvaluator, Head, LinearHead, one_hot
from fewshot.plugins.fields import POSITIVE, declare
from fewshot.solvers.gram import Rows, centred, gram, gram_bytes, means, plain, solver, with_constant


@dataclass(frozen=True)
class RidgeProbe(FeatureEvaluator):
    """Ridge regression on targets of +1 for the class and -1 for the others, in closed form: the squared errors plus
    l2 ||W||^2. l2 = 0.1 is near the best value on L2-normalised features (docs/evaluators.md); 1 loses up to 13 points.

    `intercept_scaling` None: the intercept is free, as in scikit-learn's Ridge(alpha=l2). A number: it is the weight
    of a constant column of this value, penalised like the others. big_vision's few-shot regression
    (github.com/google-research/big_vision, evaluators/fewshot_lsr.py) is
    Standardised(RidgeProbe(l2=1024, intercept_scaling=100)). An l2 below 1e-13 of the support's squared norms is
    raised to that. Solves the smaller of S x S and D x D; a large support needs D x D and a part of its rows.
    """

    l2: float = 0.1
    intercept_scaling: float | None = None

    rules = declare(l2=POSITIVE, intercept_scaling=POSITIVE)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls(), cls(l2=0.01), cls(l2=10.0, intercept_scaling=100.0)]

    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        return self.fit_path(batch, [self])[0]

    def fit_path(self, batch: EpisodeBatch[Tensor], grid: Sequence[Self]) -> list[Head[Tensor]]:
        """One decomposition serves every l2."""
        heads = {}
        for scaling in {member.intercept_scaling for member in grid}:
            l2s = sorted({member.l2 for member in grid if member.intercept_scaling == scaling})
            heads.update({(l2, scaling): head for l2, head in zip(l2s, _heads(batch, l2s, scaling), strict=True)})
        return [heads[member.l2, member.intercept_scaling] for member in grid]

    def working_bytes(self, n_support: int, n_way: int, dim: int) -> int:
        return gram_bytes(n_support, dim, 3 * n_way)


def _heads(batch: EpisodeBatch[Tensor], l2s: Sequence[float], scaling: float | None) -> Iterator[LinearHead]:
    """The heads of several l2 that share an intercept."""
    mask = batch.support_mask.double()[:, :, None]
    targets = 2 * one_hot(batch) - mask  # [B, S, N]
    rows = plain(batch.support, batch.support_mask)
    if scaling is not None:
        for weight in _weights(with_constant(rows, batch.support_mask, scaling), targets, l2s):
            yield LinearHead(weight[:, :-1], scaling * weight[:, -1])
        return
    mean = means(batch.support, mask)  # [B, 1, D]; centred rows and targets leave the intercept free
    level = targets.sum(1, keepdim=True) / mask.sum(1, keepdim=True)  # [B, 1, N]
    for weight in _weights(centred(batch.support, batch.support_mask, mean), (targets - level) * mask, l2s):
        yield LinearHead(weight, (level - mean @ weight)[:, 0])


def _weights(rows: Rows, targets: Tensor, l2s: Sequence[float]) -> Iterator[Tensor]:
    """W [B, D, N] for every l2: X^T (X X^T + l2)^-1 T or (X^T X + l2)^-1 X^T T."""
    solve = solver(gram(rows), targets if rows.wide else rows.times(targets), len(l2s))
    for l2 in l2s:
        yield rows.times(solve(l2)) if rows.wide else solve(l2)
