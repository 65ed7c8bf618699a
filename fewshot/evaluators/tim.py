"""Transductive information maximisation: the unlabelled queries of an episode move its prototypes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import TransductiveEvaluator, one_hot
from fewshot.plugins.fields import NOT_NEGATIVE, POSITIVE, Rule, declare, integer
from fewshot.solvers.rounding import shortened

_BETAS = (0.9, 0.999)  # Adam's, with its epsilon: torch's defaults, as in the published code
_EPSILON = 1e-8


@dataclass(frozen=True)
class TIM(TransductiveEvaluator):
    """TIM (Boudiaf et al. 2020, arXiv 2008.11297) at alpha = 1, alpha-TIM (Veilleux et al. 2021, arXiv 2204.11181)
    at any other: prototypes w start at the class means and minimise, by Adam,

        weights[0] CE(support) - weights[1] H(mean p of the queries) + weights[2] mean H(p of a query),

    p = softmax(-temperature ||x - w||^2 / 2), CE the mean cross-entropy, H Shannon's entropy at alpha = 1 and the
    alpha-entropy (1 - sum p^alpha) / (alpha - 1) otherwise. logits = -temperature ||x - w||^2 / 2.

    The second term prefers equally many predictions for every class: right for balanced queries, wrong for others. Its
    weight in TIM is ten times the others; alpha-TIM softens it. The defaults are those of TIM
    (gradient descent); alpha-TIM is TIM(alpha=2.0, weights=(1.0, 1.0, 1.0)) at 1 shot and alpha=7.0 from 5 shots on,
    as in its published code, which also uses Shannon's CE. Both expect features of length 1: use the transform L2.

    Deviations: the backbone is frozen (as in both papers' main results); float64; logarithms come from the logits,
    without an added 1e-12; the support mean is subtracted from features, which changes no distance.
    """

    alpha: float = 1.0
    weights: tuple[float, float, float] = (0.1, 1.0, 0.1)
    temperature: float = 15.0
    lr: float = 1e-4
    iterations: int = 1000

    rules = declare(
        alpha=POSITIVE,
        weights=Rule(
            "three numbers of at least 0",
            lambda weights: isinstance(weights, tuple) and len(weights) == 3 and all(map(NOT_NEGATIVE.holds, weights)),
        ),
        temperature=POSITIVE,
        lr=POSITIVE,
        iterations=integer(0),
    )

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [
            cls(lr=1e-3, iterations=20),
            cls(alpha=2.0, weights=(1.0, 1.0, 1.0), lr=1e-3, iterations=20),
            cls(alpha=0.5, weights=(1.0, 1.0, 1.0), lr=1e-3, iterations=5),
        ]

    def logits(self, batch: EpisodeBatch[Tensor], query: Tensor, query_mask: Tensor) -> Tensor:
        problem = _problem(self, batch, query, query_mask)
        w = problem.means.clone()
        first, second = torch.zeros_like(w), torch.zeros_like(w)
        for t in range(1, self.iterations + 1):
            gradient = problem.gradient(w)
            first.lerp_(gradient, 1 - _BETAS[0])
            second.mul_(_BETAS[1]).addcmul_(gradient, gradient, value=1 - _BETAS[1])
            scale = (second / (1 - _BETAS[1] ** t)).sqrt_().add_(_EPSILON)
            w.addcdiv_(first, scale, value=-self.lr / (1 - _BETAS[0] ** t))
            if batch.watch is not None:
                batch.watch(t, self.iterations)
        queries = problem.rows[:, batch.support.shape[1] :]
        squared = queries.square().sum(2, keepdim=True)
        return shortened(problem.fit(queries, w) - self.temperature / 2 * squared, query.dtype)


@dataclass(frozen=True, eq=False)
class _Problem:
    """The loss of B episodes as a function of their prototypes w [B, N, D]."""

    tim: TIM
    rows: Tensor  # [B, S + M, D] float64: the support, then the queries
    targets: Tensor  # [B, S, N] one-hot support labels; zero under the padding
    support_share: Tensor  # [B, S, 1] 1 / the number of support rows; 0 under the padding
    query_share: Tensor  # [B, M, 1] 1 / the number of queries; 0 under the padding
    means: Tensor  # [B, N, D] of the classes

    def fit(self, rows: Tensor, w: Tensor) -> Tensor:
        """temperature (x . w - ||w||^2 / 2): the logits [B, R, N] up to a term that is the same for every class."""
        return torch.baddbmm(
            w.square().sum(2)[:, None],
            rows,
            w.transpose(1, 2),
            beta=-self.tim.temperature / 2,
            alpha=self.tim.temperature,
        )

    def gradient(self, w: Tensor) -> Tensor:
        """d loss / d w. With r = d loss / d fit: temperature (r^T rows - (sum of r) w)."""
        log_p = torch.log_softmax(self.fit(self.rows, w), 2)
        n_support = self.targets.shape[1]
        wrong = (log_p[:, :n_support].exp() - self.targets) * self.support_share
        r = torch.cat([self.tim.weights[0] * wrong, self._of_queries(log_p[:, n_support:])], 1)
        pulled = torch.bmm(r.transpose(1, 2), self.rows)
        return self.tim.temperature * (pulled - r.sum(1)[:, :, None] * w)

    def _of_queries(self, log_p: Tensor) -> Tensor:
        """[B, M, N] d loss / d fit of the queries: p g - p sum(p g), with g = d loss / d p up to a constant. p g is
        computed from logarithms, because a power of p alone can overflow."""
        _, marginal, conditional = self.tim.weights
        a, p = self.tim.alpha, log_p.exp()
        log_mean = torch.logsumexp(log_p + self.query_share.log(), 1, keepdim=True)  # log of the mean p
        if a == 1:
            pg = p * (marginal * log_mean - conditional * log_p)
        else:
            pg = a / (a - 1) * (marginal * (log_p + (a - 1) * log_mean).exp() - conditional * (a * log_p).exp())
        return (pg - p * pg.sum(2, keepdim=True)) * self.query_share


def _problem(tim: TIM, batch: EpisodeBatch[Tensor], query: Tensor, query_mask: Tensor) -> _Problem:
    held = batch.support_mask.double()[:, :, None]
    targets = one_hot(batch)
    support, counts = batch.support.double(), targets.sum(1)[:, :, None]
    centre = (support * held).sum(1, keepdim=True) / held.sum(1, keepdim=True)
    rows = torch.cat([support, query.double()], 1) - centre
    means = torch.bmm(targets.transpose(1, 2), rows[:, : support.shape[1]]) / counts
    scored = query_mask.double()[:, :, None]
    shares = held / held.sum(1, keepdim=True), scored / scored.sum(1, keepdim=True)
    return _Problem(tim, rows, targets, *shares, means)
