"""Another evaluator on a support of mean 0 and standard deviation 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import FeatureEvaluator, Head, an_evaluator_of_features
from fewshot.evaluators.linear_probe import LinearProbe
from fewshot.evaluators.ridge_probe import RidgeProbe
from fewshot.evaluators.tuning.support_views import FurtherViews
from fewshot.plugins.fields import POSITIVE, declare
from fewshot.solvers.gram import centred, means
from fewshot.solvers.rounding import shortened


@dataclass(frozen=True)
class Standardised(FeatureEvaluator):
    """The inner evaluator on features (x - mean) / (std + eps), with the mean and the standard deviation (of divisor n)
    of each feature over the episode's own support; queries and views of support images too.

    big_vision's few-shot regression takes eps = 1e-5 (github.com/google-research/big_vision,
    evaluators/fewshot_lsr.py); scikit-learn's StandardScaler has none, but leaves constant features alone. The inner
    evaluator gets the features as float64.
    """

    short_name: ClassVar[str] = "{inner}, standardised"

    inner: FeatureEvaluator
    eps: float = 1e-5

    rules = declare(inner=an_evaluator_of_features(), eps=POSITIVE)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls(LinearProbe()), cls(RidgeProbe(l2=1024.0, intercept_scaling=100.0))]

    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        moved, mean, scale = self._move(batch)
        return _StandardisedHead(self.inner.fit(moved), mean, scale)

    def fit_path(self, batch: EpisodeBatch[Tensor], grid: Sequence[Self]) -> list[Head[Tensor]]:
        """One path of inner evaluators for each eps and class."""
        heads: dict[Self, Head[Tensor]] = {}
        for kind in {(member.eps, type(member.inner)) for member in grid}:
            members = [member for member in grid if (member.eps, type(member.inner)) == kind]
            moved, mean, scale = members[0]._move(batch)
            inner = members[0].inner.fit_grid(moved, [member.inner for member in members])
            heads |= {m: _StandardisedHead(h, mean, scale) for m, h in zip(members, inner, strict=True)}
        return [heads[member] for member in grid]

    def _move(self, batch: EpisodeBatch[Tensor]) -> tuple[EpisodeBatch[Tensor], Tensor, Tensor]:
        """The batch with its support standardised, and mean and scale [B, 1, D]."""
        held = batch.support_mask.double()[:, :, None]
        mean = means(batch.support, held)
        away = centred(batch.support, batch.support_mask, mean).whole
        scale = (away.square().sum(1, keepdim=True) / held.sum(1, keepdim=True)).sqrt() + self.eps
        views = batch.support_views
        if views is not None:
            views = (views.double() - mean[:, :, None]) / scale[:, :, None]
        return batch.seen_as(away / scale, views), mean, scale

    def n_trials(self) -> int:
        return self.inner.n_trials()

    def support_views(self) -> FurtherViews | None:
        return self.inner.support_views()

    def working_bytes(self, n_support: int, n_way: int, dim: int) -> int:
        return 8 * 2 * n_support * dim + self.inner.working_bytes(n_support, n_way, dim)


class _StandardisedHead(Head[Tensor]):
    def __init__(self, inner: Head[Tensor], mean: Tensor, scale: Tensor) -> None:
        self._inner, self._mean, self._scale = inner, mean, scale  # mean and scale are [B, 1, D]
        self.converged = inner.converged

    def __call__(self, query: Tensor) -> Tensor:
        return shortened(self._inner((query.double() - self._mean) / self._scale), query.dtype)
