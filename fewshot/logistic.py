"""Multinomial logistic regression for many small problems at once, at the exact optimum.

    minimise  C sum_s [logsumexp(f_s) - f_s,y] + 1/2 ||W||^2,   f_s = W^T x_s + b        (b is not penalised)

The rows of a problem span few directions, so it is solved in their principal coordinates: centred (b absorbs the
mean), rotated, and scaled such that Boehning's bound on the Hessian (Boehning 1992, "Multinomial logistic regression
algorithm"), C/2 X^T X + I, becomes the identity. There Newton's direction takes conjugate gradients a few steps,
whatever the number of features, and each problem stops on its own, so it does not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fewshot import compiled

_OBJECTIVE_TOLERANCE = 1e-10  # of the last step's gain; the step after it would gain about its square
_DIRECTION_TOLERANCE = 1e-7  # of what an inexact direction of the last step may leave
_ROUNDING = 1e-14  # a step that gains less than this is lost in rounding
_MOST_CG_STEPS = 250
_COMPILED_ROWS = 1024  # above this, the loops' share of memory grows, and they lose what makes them fast
_NULL = 1e-13  # directions with less than this share of the largest variance are empty


@dataclass(frozen=True)
class Principal:
    """The centred rows of B problems in principal coordinates: centred rows = scores @ axes^T."""

    scores: Tensor  # [B, S, r] float64, orthogonal columns, zero under the padding
    axes: Tensor  # [B, D, r]
    variances: Tensor  # [B, r] squared lengths of the columns of `scores`
    mean: Tensor  # [B, 1, D]


@dataclass(frozen=True)
class Solution:
    """The optimum in the space of the rows."""

    weight: Tensor  # [B, D, N] float64
    bias: Tensor  # [B, N]
    converged: Tensor  # [B] bool
    coordinates: Tensor | None = None  # [B, r, N] the weight in principal coordinates: a warm start for another C


def solve_path(
    rows: Tensor, mask: Tensor, labels: Tensor, n_way: int, grid: Sequence[tuple[float, int]]
) -> list[Solution]:
    """The optimum for every (C, max_iter) of `grid`, best given in rising order of C: each is the start of the next.

    rows [B, S, D], mask [B, S], labels [B, S] int64 in [0, n_way). Small supports of fewer rows than features go
    through compiled loops where they can; what these cannot vouch for, and everything else, through matrix algebra.
    """
    if not (compiled.serves(rows) and rows.shape[1] <= min(_COMPILED_ROWS, rows.shape[2])):
        return _by_matrices(rows, mask, labels, n_way, grid)
    solutions = _by_loops(rows, mask, labels, n_way, grid)
    doubtful = (~torch.stack([solution.converged for solution in solutions]).all(0)).nonzero()[:, 0]
    if len(doubtful):
        again = _by_matrices(rows[doubtful], mask[doubtful], labels[doubtful], n_way, grid)
        for solution, other in zip(solutions, again, strict=True):
            solution.weight[doubtful], solution.bias[doubtful] = other.weight, other.bias
            solution.converged[doubtful] = other.converged
    return solutions


def _by_loops(
    rows: Tensor, mask: Tensor, labels: Tensor, n_way: int, grid: Sequence[tuple[float, int]]
) -> list[Solution]:
    from fewshot.compiled.logistic import fit_path

    n_episodes, _, dim = rows.shape
    weight = torch.empty(len(grid), n_episodes, n_way, dim, dtype=torch.float64)
    bias = torch.empty(len(grid), n_episodes, n_way, dtype=torch.float64)
    converged = torch.empty(len(grid), n_episodes, dtype=torch.bool)
    values, steps = (torch.tensor(column) for column in zip(*grid, strict=True))
    arrays = (rows, mask, labels, values.double(), steps, weight, bias, converged)
    compiled.over_episodes(fit_path, n_episodes, *(array.contiguous().numpy() for array in arrays))
    return [Solution(w.transpose(1, 2), b, c) for w, b, c in zip(weight, bias, converged, strict=True)]


def _by_matrices(
    rows: Tensor, mask: Tensor, labels: Tensor, n_way: int, grid: Sequence[tuple[float, int]]
) -> list[Solution]:
    targets = torch.nn.functional.one_hot(labels, n_way).double() * mask[:, :, None]
    space, solutions, start = principal(rows, mask), [], None
    for C, max_iter in grid:
        solutions.append(solve(space, targets, C, max_iter, start))
        start = solutions[-1].coordinates
    return solutions


def principal(rows: Tensor, mask: Tensor) -> Principal:
    """Principal coordinates of rows [B, S, D] where `mask` [B, S] is True, by whichever Gram matrix is smaller."""
    rows, held = rows.double(), mask.double()[:, :, None]
    mean = (rows * held).sum(1, keepdim=True) / held.sum(1, keepdim=True)
    centred = (rows - mean) * held
    if rows.shape[1] <= rows.shape[2]:
        variances, vectors = torch.linalg.eigh(centred @ centred.transpose(1, 2))  # [B, S], [B, S, S]
        lengths = _lengths(variances)
        inverse = torch.where(lengths > 0, 1 / lengths.where(lengths > 0, 1), 0)
        return Principal(
            vectors * lengths[:, None], centred.transpose(1, 2) @ (vectors * inverse[:, None]), lengths.square(), mean
        )
    variances, axes = torch.linalg.eigh(centred.transpose(1, 2) @ centred)  # [B, D], [B, D, D]
    lengths = _lengths(variances)
    return Principal((centred @ axes) * (lengths > 0)[:, None], axes, lengths.square(), mean)


def _lengths(variances: Tensor) -> Tensor:
    return variances.where(variances > _NULL * variances.amax(1, keepdim=True), 0).sqrt()


def solve(space: Principal, targets: Tensor, C: float, max_iter: int, start: Tensor | None = None) -> Solution:
    """The optimum for targets [B, S, N] float64: one-hot rows, zero under the padding.

    With two classes scikit-learn fits one sigmoid, whose penalty on w is twice that on the pair (w/2, -w/2): the
    same probabilities come from half of C.
    """
    c = C / 2 if targets.shape[2] == 2 else C
    bound = 1 + c / 2 * space.variances  # [B, r] Boehning's bound in principal coordinates
    n_rows = targets.sum((1, 2))[:, None]
    held = targets.sum(2, keepdim=True)
    intercept = held / (c / 2 * n_rows)[:, None].sqrt()
    design = torch.cat([space.scores / bound.sqrt()[:, None], intercept], dim=2)  # [B, S, r + 1]
    ridge = torch.cat([1 / bound, torch.zeros_like(n_rows)], dim=1)[:, :, None]
    solution = torch.zeros(*design.shape[::2], targets.shape[2], dtype=torch.float64, device=design.device)
    if start is not None:
        solution[:, :-1] = start * bound.sqrt()[:, :, None]
    converged = _minimise(_Problem(design, targets, ridge, c), solution, max_iter)
    coordinates = solution[:, :-1] / bound.sqrt()[:, :, None]
    weight = space.axes @ coordinates
    bias = solution[:, -1] / (c / 2 * n_rows).sqrt() - (space.mean @ weight)[:, 0]
    return Solution(weight, bias, converged, coordinates)


@dataclass(frozen=True)
class _Problem:
    """C sum_s loss(design_s u) + 1/2 sum ridge u^2, for B problems."""

    design: Tensor  # [B, S, r + 1]
    targets: Tensor  # [B, S, N]
    ridge: Tensor  # [B, r + 1, 1]
    c: float

    def of(self, members: Tensor) -> _Problem:
        """The problems of these members."""
        if len(members) == len(self.design):
            return self
        return _Problem(self.design[members], self.targets[members], self.ridge[members], self.c)

    def against_truth(self, fit: Tensor) -> Tensor:
        """A fit [B, S, N] less that of each row's true class: keeps its digits where the true class is nearly sure."""
        return fit - (fit * self.targets).sum(2, keepdim=True)

    def loss(self, fit: Tensor) -> Tensor:
        """[B] the loss of a fit [B, S, N], without the ridge: log(1 + sum over the other classes of exp(f - f_y))."""
        others = self.against_truth(fit).masked_fill(self.targets > 0, -torch.inf).logsumexp(2)
        return self.c * (torch.logaddexp(others, torch.zeros_like(others)) * self.targets.sum(2)).sum(1)

    def back(self, residual: Tensor) -> Tensor:
        """[B, r + 1, N] what a change of the fit by `residual` means for u. It sums to zero over the classes: rounding
        must not push all intercepts together, which changes nothing and costs nothing."""
        pushed = self.c * (self.design.transpose(1, 2) @ residual)
        return pushed - pushed.mean(2, keepdim=True)


def _minimise(problem: _Problem, u: Tensor, max_iter: int) -> Tensor:
    """Damped Newton from `u`, in place; True for the problems that reached their optimum, False for those that
    ran out of steps or whose rounding errors hide the way."""
    active = torch.ones(len(u), dtype=torch.bool, device=u.device)
    converged = torch.zeros_like(active)
    for _ in range(max_iter):
        members = active.nonzero()[:, 0]
        if len(members) == 0:
            break
        u[members], converged[members], over = _newton_step(problem.of(members), u[members])
        active[members[over]] = False
    return converged


def _newton_step(problem: _Problem, u: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """u after one step [B, r + 1, N], whether the step was the last that mattered [B], and whether to stop [B]."""
    fit = problem.design @ u
    p = torch.softmax(fit, 2) * problem.targets.sum(2, keepdim=True)
    others = p * (1 - problem.targets)
    residual = others - problem.targets * others.sum(2, keepdim=True)  # p - targets, with all its digits
    gradient = problem.back(residual) + problem.ridge * u
    direction, left = _conjugate_gradients(problem, p, gradient)
    slope = (gradient * direction).sum((1, 2))
    value = problem.loss(fit) + (problem.ridge * u.square()).sum((1, 2)) / 2
    small = -slope <= _OBJECTIVE_TOLERANCE * value  # then a full step is safe, and rounding may hide its gain
    step = _line_search(problem, u, direction, fit, value, slope, small)
    certain = small & (left <= _DIRECTION_TOLERANCE * value)
    return u + step[:, None, None] * direction, certain, certain | (step == 0) | (-slope <= _ROUNDING * value)


def _line_search(
    problem: _Problem, u: Tensor, direction: Tensor, fit: Tensor, value: Tensor, slope: Tensor, accepted: Tensor
) -> Tensor:
    """[B] the first of 1, 1/2, 1/4, ... that lowers the objective enough (Armijo); 0 where none does."""
    change = problem.design @ direction
    square, cross, own = (
        (problem.ridge * x * y).sum((1, 2)) for x, y in ((direction, direction), (u, direction), (u, u))
    )
    step = torch.ones_like(value)
    for _ in range(40):
        moved = problem.loss(fit + step[:, None, None] * change) + (own + 2 * step * cross + step.square() * square) / 2
        accepted = accepted | (moved <= value + 1e-4 * step * slope)
        if bool(accepted.all()):
            return step
        step = torch.where(accepted, step, step / 2)
    return torch.where(accepted, step, 0)


def _conjugate_gradients(problem: _Problem, p: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """The direction d with Hessian d = -gradient, to a residual that shrinks with the gradient: superlinear steps;
    and [B] a bound on what the exact direction would gain beside: |residual|^2 over the least eigenvalue.

    Every problem has its own stopping point; a finished one stands still while its neighbours go on.
    """
    direction, residual = torch.zeros_like(gradient), -gradient
    search, norm = residual, residual.square().sum((1, 2))
    goal = norm * torch.minimum(torch.full_like(norm, 0.01), norm.sqrt()).clamp_min(1e-16)
    for _ in range(_MOST_CG_STEPS):
        going = norm > goal
        if not bool(going.any()):
            break
        fit = problem.against_truth(problem.design @ search)
        curved = p * (fit - (p * fit).sum(2, keepdim=True))
        product = problem.back(curved) + problem.ridge * search
        curvature = (search * product).sum((1, 2))
        length = torch.where(going & (curvature > 0), norm / curvature.where(curvature > 0, 1), 0)[:, None, None]
        direction = direction + length * search
        residual = residual - length * product
        fresh = torch.where(going, residual.square().sum((1, 2)), norm)
        search = torch.where(
            going[:, None, None], residual + (fresh / norm.where(norm > 0, 1))[:, None, None] * search, search
        )
        norm = torch.where(curvature > 0, fresh, 0)
    return direction, residual.square().sum((1, 2)) / problem.ridge[:, :-1].amin((1, 2))
