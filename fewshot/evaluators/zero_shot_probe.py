"""A linear probe that stays near the class names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import CosineHead, FeatureEvaluator, Head, class_vectors, one_hot
from fewshot.evaluators._two_sources import warn_of_silent_names
from fewshot.plugins.fields import POSITIVE, declare, integer, one_of
from fewshot.solvers.similarity import unit

PENALTIES = ("class-adaptive", "constant")
_LEAST_PENALTY = 1e-8  # for a class whose name does not predict its rows: keeps the optimum finite
_TOLERANCE = 1e-10  # the last step gains less than this share of the objective
_MOST_CG_STEPS = 200
_NULL = 1e-13  # directions with less than this share of the largest variance are empty


@dataclass(frozen=True)
class ZeroShotProbe(FeatureEvaluator):
    """CLAP (Silva-Rodriguez et al. 2023, arXiv 2312.12730): weights w near the class-name vectors
    t, at the minimum of

        mean cross-entropy of the support + strength / N sum_k lambda_k ||w_k - t_k||^2,

    logits = f . w / temperature, with rows f and names t of length one. `penalty` "class-adaptive": lambda_k is the
    mean zero-shot probability of class k on its own support rows, so a class with an uninformative name moves freely;
    "constant": the mean of these over the classes. strength near 0 approaches the paper's ZS-LP.

    Needs vectors of the class names. Deviations: the exact optimum instead of 300 epochs of SGD (rate 0.1,
    cosine); w is not normalised to length one, which keeps the problem convex; no augmented views; lambda is at least
    1e-8.
    """

    uses_names: ClassVar[bool] = True
    needs_support: ClassVar[bool] = False  # without one it is ZeroShot

    strength: float = 1.0
    penalty: str = "class-adaptive"
    temperature: float = 0.01
    max_iter: int = 100

    rules = declare(strength=POSITIVE, penalty=one_of(PENALTIES), temperature=POSITIVE, max_iter=integer(1))

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls(), cls(penalty="constant", strength=10.0), cls(temperature=0.1)]

    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        names, targets = class_vectors(batch, self), one_hot(batch)
        if not batch.support.shape[1]:
            return CosineHead(names.transpose(1, 2) / self.temperature)
        rows = unit(batch.support.double()) * batch.support_mask[:, :, None]
        zero_shot = rows @ names.transpose(1, 2) / self.temperature
        scores, axes = _coordinates(rows)
        ridge = 2 * self.strength / batch.n_way * self._lambdas(zero_shot, targets)
        problem = _Problem(scores / self.temperature, zero_shot, targets, ridge[:, None])
        moved, converged = _minimise(problem, self.max_iter)
        warn_of_silent_names(self, batch, zero_shot, problem.design @ moved, "raise strength")
        return CosineHead((names.transpose(1, 2) + axes @ moved) / self.temperature, converged)

    def _lambdas(self, zero_shot: Tensor, targets: Tensor) -> Tensor:
        """[B, N]"""
        chance = (torch.softmax(zero_shot, 2) * targets).sum(1) / targets.sum(1)
        if self.penalty == "constant":
            chance = chance.mean(1, keepdim=True).expand_as(chance)
        return chance.clamp_min(_LEAST_PENALTY)

    def working_bytes(self, n_support: int, n_way: int, dim: int) -> int:
        rank = min(n_support, dim)
        return 8 * (n_support * dim + dim * rank + 2 * rank * rank + 10 * (n_support + rank) * n_way + 2 * dim * n_way)


def _coordinates(rows: Tensor) -> tuple[Tensor, Tensor]:
    """scores [B, S, r] and axes [B, D, r], orthonormal, with rows = scores axes'; r = min(S, D)."""
    if rows.shape[1] > rows.shape[2]:
        return rows, torch.eye(rows.shape[2], dtype=rows.dtype, device=rows.device).expand(len(rows), -1, -1)
    variances, vectors = torch.linalg.eigh(rows @ rows.transpose(1, 2))
    lengths = variances.where(variances > _NULL * variances.amax(1, keepdim=True), 0).sqrt()
    inverse = torch.where(lengths > 0, 1 / lengths.where(lengths > 0, 1), 0)
    return vectors * lengths[:, None], rows.transpose(1, 2) @ (vectors * inverse[:, None])


@dataclass(frozen=True, eq=False)
class _Problem:
    """mean cross-entropy of softmax(offset + design u) + 1/2 sum ridge u^2, for B problems."""

    design: Tensor  # [B, S, r]
    offset: Tensor  # [B, S, N]
    targets: Tensor  # [B, S, N] one-hot; zero under the padding
    ridge: Tensor  # [B, 1, N]

    def of(self, members: Tensor) -> _Problem:
        """The problems of these members."""
        return _Problem(self.design[members], self.offset[members], self.targets[members], self.ridge[members])

    @property
    def share(self) -> Tensor:
        """[B, S, 1] the weight of each row in the mean."""
        held = self.targets.sum(2, keepdim=True)
        return held / held.sum(1, keepdim=True)

    def value(self, u: Tensor) -> Tensor:
        """[B] the objective; each row's loss sums over the other classes, so that small losses keep their digits."""
        fit = self.offset + self.design @ u
        over_true = fit - (fit * self.targets).sum(2, keepdim=True)
        others = over_true.masked_fill(self.targets > 0, -torch.inf).logsumexp(2, keepdim=True)
        loss = torch.logaddexp(others, torch.zeros_like(others)) * self.share
        return loss.sum((1, 2)) + (self.ridge * u.square()).sum((1, 2)) / 2

    def gradient(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """d objective / d u [B, r, N], and the probabilities [B, S, N] times the rows' weights."""
        p = torch.softmax(self.offset + self.design @ u, 2)
        residual = (p - self.targets) * self.share
        return self.design.transpose(1, 2) @ residual + self.ridge * u, p

    def curved(self, p: Tensor, direction: Tensor) -> Tensor:
        """The Hessian times a direction."""
        fit = self.design @ direction
        bent = p * (fit - (p * fit).sum(2, keepdim=True)) * self.share
        return self.design.transpose(1, 2) @ bent + self.ridge * direction


def _minimise(problem: _Problem, max_iter: int) -> tuple[Tensor, Tensor]:
    """The minimum u by damped Newton from 0, and [B] whether it was reached."""
    n_problems, n_way = len(problem.design), problem.targets.shape[2]
    u = problem.design.new_zeros(n_problems, problem.design.shape[2], n_way)
    converged = torch.zeros(n_problems, dtype=torch.bool, device=u.device)
    for _ in range(max_iter):
        members = (~converged).nonzero()[:, 0]
        if len(members) == 0:
            break
        step, converged[members] = _newton_step(problem.of(members), u[members])
        u[members] += step
    return u, converged


def _newton_step(problem: _Problem, u: Tensor) -> tuple[Tensor, Tensor]:
    """The change of u, and [B] whether this was the last step that matters."""
    gradient, p = problem.gradient(u)
    direction = _newton_direction(problem, p, gradient)
    slope, value = (gradient * direction).sum((1, 2)), problem.value(u)
    last = -slope <= _TOLERANCE * value
    return _line_search(problem, u, direction, value, slope, last)[:, None, None] * direction, last


def _line_search(
    problem: _Problem, u: Tensor, direction: Tensor, value: Tensor, slope: Tensor, accepted: Tensor
) -> Tensor:
    """[B] the first of 1, 1/2, 1/4, ... that lowers the objective enough (Armijo); 0 if none does."""
    step = torch.ones_like(value)
    for _ in range(40):
        accepted = accepted | (problem.value(u + step[:, None, None] * direction) <= value + 1e-4 * step * slope)
        if bool(accepted.all()):
            break
        step = torch.where(accepted, step, step / 2)
    return torch.where(accepted, step, 0)


def _newton_direction(problem: _Problem, p: Tensor, gradient: Tensor) -> Tensor:
    """d with Hessian d = -gradient, by conjugate gradients under the Hessian's diagonal, to a residual that shrinks
    with the gradient. Every problem stops on its own, so it does not depend on the other problems."""
    spread = problem.design.square().transpose(1, 2) @ (p * (1 - p) * problem.share)
    inverse = 1 / (spread + problem.ridge)  # of the diagonal
    direction, residual = torch.zeros_like(gradient), -gradient
    search = inverse * residual
    norm = (residual * search).sum((1, 2))
    goal = norm * torch.minimum(torch.full_like(norm, 0.01), norm.sqrt()).clamp_min(1e-16)
    for _ in range(_MOST_CG_STEPS):
        going = norm > goal
        if not bool(going.any()):
            break
        product = problem.curved(p, search)
        curvature = (search * product).sum((1, 2))
        going = going & (curvature > 0)
        length = torch.where(going, norm / curvature.where(going, 1), 0)[:, None, None]
        direction, residual = direction + length * search, residual - length * product
        fresh = torch.where(going, (residual * inverse * residual).sum((1, 2)), norm.where(curvature > 0, 0))
        turned = inverse * residual + (fresh / norm.where(norm > 0, 1))[:, None, None] * search
        search, norm = torch.where(going[:, None, None], turned, search), fresh
    return direction
