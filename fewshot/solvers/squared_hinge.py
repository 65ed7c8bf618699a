"""The squared hinge loss: many small problems together, at the exact optimum.

    minimise  1/2 ||w||^2 + C sum_s max(0, 1 - y_s f_s)^2,   f_s = w^T x_s + b

w lies in the span of the rows, w = sum_s a_s x_s, and at the optimum a_s = 2 C y_s max(0, 1 - y_s f_s). On the rows
inside the margin (y f < 1) the loss is a square, so Newton's step there is a ridge regression on these rows, in their
part of the Gram matrix K: (K + I / 2C) a + b = y. A line search shortens steps that do not lower the objective. The set
of rows inside the margin settles after a few steps, unless C times the squared norms is huge: then a problem may not
converge. Each class of each episode is a separate problem.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

_ROUNDING = 1e-13  # of the objective: a step that gains less is lost in rounding
_FLOOR = 1e-14  # of the trace: what keeps a system definite under rounding
_GAP = 1e-8  # of the objective: what may lie between it and the optimum
_HELD = 1 << 22  # entries of the systems that are solved at once


@dataclass(frozen=True)
class _Problem:
    """P problems; f = K a + b with K the Gram matrix of the rows, that of a constant column included."""

    gram: Tensor  # [P, S, S]
    signs: Tensor  # [P, S] +1 or -1, 0 for padding
    C: float
    free: bool  # the intercept is free; else it is in the Gram matrix, and b = 0

    def of(self, members: Tensor) -> _Problem:
        return _Problem(self.gram[members], self.signs[members], self.C, self.free)

    def fit(self, a: Tensor, b: Tensor) -> Tensor:
        """[P, S] values of f at the rows."""
        return (self.gram @ a[:, :, None])[:, :, 0] + b[:, None]

    def slack(self, fit: Tensor) -> Tensor:
        """[P, S] max(0, 1 - y f), 0 for padding."""
        return (self.signs.abs() - self.signs * fit).clamp_min(0)

    def gap(self, a: Tensor, b: Tensor) -> Tensor:
        """[P] the duality gap as a share of the objective, for the dual variables alpha = y a; infinite if one of them
        is negative."""
        fit, alpha = self.fit(a, b), self.signs * a
        square = (a * (fit - b[:, None])).sum(1)
        objective = self.objective(square, fit)
        gap = objective + square / 2 - alpha.sum(1) + alpha.square().sum(1) / (4 * self.C)
        return torch.where((alpha >= 0).all(1), gap / objective, math.inf)

    def objective(self, square: Tensor, fit: Tensor) -> Tensor:
        """[P] the objective for ||w||^2 = `square`."""
        return square / 2 + self.C * self.slack(fit).square().sum(1)


def solve(
    rows: Tensor, signs: Tensor, C: float, intercept_scaling: float | None, max_iter: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Weights [B, D, N], intercepts [B, N] and whether each episode converged [B], for rows [B, S, D] and signs
    [B, S, N]: +1 for the class, -1 for the others, 0 for padding. `intercept_scaling` None: a free intercept."""
    held = signs.abs().amax(2, keepdim=True)
    free = intercept_scaling is None
    mean = (rows.double() * held).sum(1, keepdim=True) / held.sum(1, keepdim=True) * free  # a free intercept absorbs it
    x = (rows.double() - mean) * held
    gram = x @ x.transpose(1, 2) + (intercept_scaling or 0) ** 2 * held @ held.transpose(1, 2)
    n_episodes, n_rows = held.shape[:2]
    at_once = max(1, _HELD // (n_episodes * n_rows * n_rows))
    solved = []
    for part in torch.split(signs.transpose(1, 2), at_once, dim=1):  # a bounded number of classes
        shared = gram[:, None].expand(-1, part.shape[1], -1, -1).flatten(0, 1)
        a, b, converged = _minimise(_Problem(shared, part.flatten(0, 1), C, free), max_iter)
        solved.append((a.reshape(part.shape), b.reshape(part.shape[:2]), converged.reshape(part.shape[:2])))
    a, b, converged = (torch.cat(kind, 1) for kind in zip(*solved, strict=True))  # [B, N, S], [B, N], [B, N]
    weight = x.transpose(1, 2) @ a.transpose(1, 2)
    bias = b + (intercept_scaling or 0) ** 2 * a.sum(2) - (mean @ weight)[:, 0]
    return weight, bias, converged.all(1)


def _minimise(problem: _Problem, max_iter: int) -> tuple[Tensor, Tensor, Tensor]:
    """a [P, S], b [P] and whether they are the optimum [P]. Finished problems stay unchanged."""
    a, b = torch.zeros_like(problem.signs), problem.signs.new_zeros(len(problem.signs))
    going, converged = torch.ones_like(b, dtype=torch.bool), torch.zeros_like(b, dtype=torch.bool)
    for _ in range(max_iter):
        members = going.nonzero()[:, 0]
        if len(members) == 0:
            break
        part = problem.of(members)
        a[members], b[members], moved = _newton_step(part, a[members], b[members])
        converged[members] = part.gap(a[members], b[members]) <= _GAP
        going[members] = moved & ~converged[members]
    return a, b, converged


def _newton_step(problem: _Problem, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """a and b after a step, and whether the step changed them [P]."""
    fit = problem.fit(a, b)
    target_a, target_b = _ridge(problem, problem.slack(fit) > 0, b)
    da, db = target_a - a, target_b - b
    own, change = fit - b[:, None], problem.fit(da, db)
    square, cross, size = (a * own).sum(1), (da * own).sum(1), (da * (change - db[:, None])).sum(1)
    value = problem.objective(square, fit)
    slope = cross - 2 * problem.C * (problem.signs * problem.slack(fit) * change).sum(1)
    step, accepted = torch.ones_like(value), -slope <= _ROUNDING * value  # then rounding may hide the gain of a step
    for _ in range(40):
        moved = problem.objective(square + 2 * step * cross + step**2 * size, fit + step[:, None] * change)
        accepted = accepted | (moved <= value + 1e-4 * step * slope)
        if bool(accepted.all()):
            break
        step = torch.where(accepted, step, step / 2)
    step = torch.where(accepted, step, 0)
    return a + step[:, None] * da, b + step * db, step > 0


def _ridge(problem: _Problem, inside: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The least-squares solution on the rows `inside` [P, S]: a, zero elsewhere, and b (unchanged if no row is
    inside)."""
    among = inside.double()
    system = problem.gram * among[:, :, None] * among[:, None]
    least = _FLOOR * system.diagonal(dim1=1, dim2=2).sum(1, keepdim=True)
    system = system + torch.diag_embed(least.clamp_min(1 / (2 * problem.C)).expand_as(among))
    right = torch.stack([problem.signs * among, among], dim=2)  # [P, S, 2]
    solved = torch.cholesky_solve(right, torch.linalg.cholesky_ex(system).L)
    if not problem.free:
        return solved[:, :, 0], b
    total = solved.sum(1)  # [P, 2]; the a of a free intercept sum to zero
    level = torch.where(total[:, 1] > 0, total[:, 0] / total[:, 1].where(total[:, 1] > 0, 1), b)
    return solved[:, :, 0] - level[:, None] * solved[:, :, 1], level
