"""Multinomial logistic regression: many small problems together, at the exact optimum.

    minimise  C sum_s [logsumexp(f_s) - f_s,y] + 1/2 ||W||^2,   f_s = W^T x_s + b        (b is not penalised)

The rows of a problem span few directions, so the solver works in their principal coordinates: centred (b absorbs the
mean), rotated, and scaled such that Boehning's bound on the Hessian (Boehning 1992, "Multinomial logistic regression
algorithm"), C/2 X^T X + I, becomes the identity. There Newton's direction takes a few steps of conjugate gradients
for any number of features. Each problem stops on its own, so it does not depend on the other problems.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fewshot.solvers import compiled
from fewshot.solvers.gram import Principal, principal

_OBJECTIVE_TOLERANCE = 1e-10  # of the last step's gain; the step after it would gain about its square
_DIRECTION_TOLERANCE = 1e-7  # the gain that an inexact last direction may leave
_ROUNDING = 1e-14  # a step that gains less than this is lost in rounding
_MOST_CG_STEPS = 250
_COMPILED_ROWS = 1024  # with more rows the loops leave the cache and lose their speed
_AGAIN_BYTES = 64 << 20  # for the episodes that are solved again
_PART = 1 << 21  # values (rows times classes) computed at once
_FEWEST_ROWS = 256


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
    """The optimum for every (C, max_iter) of `grid`. Pass C in rising order: each optimum is the start of the next.

    rows [B, S, D], mask [B, S], labels [B, S] int64 in [0, n_way). Compiled loops solve small supports of fewer rows
    than features; matrix algebra solves the episodes that did not converge there, and all others.
    """
    n_rows, dim = rows.shape[1:]
    if not (compiled.serves(rows) and _suits_loops(n_rows, dim)):
        return _by_matrices(rows, mask, labels, n_way, grid)
    solutions = _by_loops(rows, mask, labels, n_way, grid)
    unsolved, at_once = _unsolved(solutions), max(1, _AGAIN_BYTES // _matrix_bytes(n_rows, n_way, dim))
    for start in range(0, len(unsolved), at_once):
        doubtful = unsolved[start : start + at_once]
        again = _by_matrices(rows[doubtful], mask[doubtful], labels[doubtful], n_way, grid)
        for solution, other in zip(solutions, again, strict=True):
            solution.weight[doubtful], solution.bias[doubtful] = other.weight, other.bias
            solution.converged[doubtful] = other.converged
    return solutions


def working_bytes(n_rows: int, n_way: int, dim: int) -> int:
    """Bytes that solve_path needs for one more episode and one C. The loops need little more than the solution."""
    return 16 * n_way * dim if compiled.installed() and _suits_loops(n_rows, dim) else _matrix_bytes(n_rows, n_way, dim)


def _suits_loops(n_rows: int, dim: int) -> bool:
    return n_rows <= min(_COMPILED_ROWS, dim)


def _matrix_bytes(n_rows: int, n_way: int, dim: int) -> int:
    rank = min(n_rows, dim)
    return 8 * (3 * rank * rank + 4 * n_rows * (rank + n_way) + 2 * dim * rank + 8 * (rank + 1) * n_way)


def _unsolved(solutions: Sequence[Solution]) -> Tensor:
    """The episodes [b] that missed their optimum for some C."""
    return (~torch.stack([solution.converged for solution in solutions]).all(0)).nonzero()[:, 0]


def _by_loops(
    rows: Tensor, mask: Tensor, labels: Tensor, n_way: int, grid: Sequence[tuple[float, int]]
) -> list[Solution]:
    from fewshot.solvers.compiled import logistic

    n_episodes, n_rows, dim = rows.shape
    weight = torch.empty(len(grid), n_episodes, n_way, dim, dtype=torch.float64)
    bias = torch.empty(len(grid), n_episodes, n_way, dtype=torch.float64)
    converged = torch.empty(len(grid), n_episodes, dtype=torch.bool)
    values, steps = (torch.tensor(column) for column in zip(*grid, strict=True))
    arrays = (rows, mask, labels, values.double(), steps, weight, bias, converged)
    compiled.over_episodes(
        logistic.fit_path,
        n_episodes,
        *(array.contiguous().numpy() for array in arrays),
        workspace=lambda: logistic.workspace(n_rows, n_way, dim),
    )
    return [Solution(w.transpose(1, 2), b, c) for w, b, c in zip(weight, bias, converged, strict=True)]


def _by_matrices(
    rows: Tensor, mask: Tensor, labels: Tensor, n_way: int, grid: Sequence[tuple[float, int]]
) -> list[Solution]:
    space, solutions, start = principal(rows, mask), [], None
    for C, max_iter in grid:
        solutions.append(solve(space, mask, labels, n_way, C, max_iter, start))
        start = solutions[-1].coordinates
    return solutions


def solve(
    space: Principal, mask: Tensor, labels: Tensor, n_way: int, C: float, max_iter: int, start: Tensor | None = None
) -> Solution:
    """The optimum for rows in principal coordinates, mask [B, S] and labels [B, S] int64 in [0, n_way).

    With two classes scikit-learn fits one sigmoid, whose penalty on w is twice that on the pair (w/2, -w/2): the
    same probabilities come from half of C.
    """
    c = C / 2 if n_way == 2 else C
    scale = (1 + c / 2 * space.variances).rsqrt()[:, :, None]  # [B, r, 1] of Boehning's bound in principal coordinates
    held = mask.double()
    intercept = (c / 2 * held.sum(1)).rsqrt()[:, None, None]
    ridge = torch.cat([scale.square(), torch.zeros_like(intercept)], dim=1)
    solution = space.scores.new_zeros(*ridge.shape[:2], n_way)  # [B, r + 1, N]
    if start is not None:
        solution[:, :-1] = start / scale
    problem = _Problem(space.scores, scale, intercept, held, labels, ridge, c)
    converged = _minimise(problem, solution, max_iter)
    coordinates = solution[:, :-1] * scale
    weight = space.axes @ coordinates
    bias = solution[:, -1] * intercept[:, 0] - (space.mean @ weight)[:, 0]
    return Solution(weight, bias, converged, coordinates)


@dataclass(frozen=True)
class _Problem:
    """C sum_s loss(f_s) + 1/2 sum ridge u^2 for B problems, f = X scale u + intercept u_0 with u_0 the last of u.

    Values for each row and class are computed for a part of the rows at a time, except `fit` and the probabilities.
    Few rows are one part."""

    scores: Tensor  # [B, S, r] X
    scale: Tensor  # [B, r, 1]
    intercept: Tensor  # [B, 1, 1]
    held: Tensor  # [B, S] 1, or 0 for padding
    labels: Tensor  # [B, S]
    ridge: Tensor  # [B, r + 1, 1]
    c: float

    def of(self, members: Tensor) -> _Problem:
        """The problems of these members."""
        if len(members) == len(self.scores):
            return self
        scores, scale, intercept, held, labels, ridge = (
            column[members] for column in (self.scores, self.scale, self.intercept, self.held, self.labels, self.ridge)
        )
        return _Problem(scores, scale, intercept, held, labels, ridge, self.c)

    def parts(self, n_way: int) -> Iterator[slice]:
        """The rows of each part."""
        size = max(_FEWEST_ROWS, _PART // n_way)
        return (slice(low, low + size) for low in range(0, self.scores.shape[1], size))

    def fit(self, u: Tensor, rows: slice = slice(None)) -> Tensor:
        """[B, S, N] the fit of the rows."""
        return torch.baddbmm(self.intercept * u[:, -1:], self.scores[:, rows], self.scale * u[:, :-1])

    def against_truth(self, fit: Tensor, rows: slice) -> Tensor:
        """A fit [B, S, N] minus that of the true class: keeps its digits if the true class is nearly certain."""
        return fit - fit.gather(2, self.labels[:, rows, None])

    def loss(self, fit: Tensor) -> Tensor:
        """[B] the loss of a fit [B, S, N], without the ridge: log(1 + sum over the other classes of exp(f - f_y))."""
        total = torch.zeros_like(self.held[:, 0])
        for rows in self.parts(fit.shape[2]):
            others = self.against_truth(fit[:, rows], rows)
            others = others.scatter_(2, self.labels[:, rows, None], -torch.inf).logsumexp(2)
            total += (torch.logaddexp(others, torch.zeros_like(others)) * self.held[:, rows]).sum(1)
        return self.c * total

    def back(self, residuals: Callable[[slice], Tensor], n_way: int) -> Tensor:
        """[B, r + 1, N] the gradient for u, given the gradient `residuals` for the fit of some rows. Sums to zero over
        the classes, because rounding must not move all intercepts together, which would change no probability."""
        pushed = torch.zeros_like(self.ridge.expand(-1, -1, n_way))
        for rows in self.parts(n_way):
            residual = residuals(rows)
            pushed[:, :-1] += self.scores[:, rows].transpose(1, 2) @ residual
            pushed[:, -1] += residual.sum(1)
        pushed[:, :-1] *= self.c * self.scale
        pushed[:, -1:] *= self.c * self.intercept
        return pushed - pushed.mean(2, keepdim=True)

    def gradient(self, fit: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
        """The gradient [B, r + 1, N], and the probabilities [B, S, N], zero for padding."""
        p = torch.empty_like(fit)

        def residual(rows: slice) -> Tensor:  # p - targets, with all its digits
            p[:, rows] = torch.softmax(fit[:, rows], 2) * self.held[:, rows, None]
            true = self.labels[:, rows, None]
            others = p[:, rows].scatter(2, true, 0.0)
            return others.scatter_(2, true, -others.sum(2, keepdim=True))

        return self.back(residual, fit.shape[2]) + self.ridge * u, p

    def curved(self, p: Tensor, search: Tensor) -> Tensor:
        """The Hessian at probabilities p, times `search` [B, r + 1, N]."""

        def residual(rows: slice) -> Tensor:
            fit, likely = self.against_truth(self.fit(search, rows), rows), p[:, rows]
            return likely * (fit - (likely * fit).sum(2, keepdim=True))

        return self.back(residual, p.shape[2]) + self.ridge * search


def _minimise(problem: _Problem, u: Tensor, max_iter: int) -> Tensor:
    """Damped Newton from `u`, in place. True for problems that reached their optimum, False for those that ran out of
    steps or are limited by rounding."""
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
    """u after one step [B, r + 1, N], whether it has converged [B], and whether to stop [B]."""
    fit = problem.fit(u)
    gradient, p = problem.gradient(fit, u)
    direction, left = _conjugate_gradients(problem, p, gradient)
    del p  # as large as the fit
    slope = (gradient * direction).sum((1, 2))
    value = problem.loss(fit) + (problem.ridge * u.square()).sum((1, 2)) / 2
    small = -slope <= _OBJECTIVE_TOLERANCE * value  # then a full step is safe; rounding may hide its gain
    step = _line_search(problem, u, direction, fit, value, slope, small)
    certain = small & (left <= _DIRECTION_TOLERANCE * value)
    return u + step[:, None, None] * direction, certain, certain | (step == 0) | (-slope <= _ROUNDING * value)


def _line_search(
    problem: _Problem, u: Tensor, direction: Tensor, fit: Tensor, value: Tensor, slope: Tensor, accepted: Tensor
) -> Tensor:
    """[B] the first of 1, 1/2, 1/4, ... that lowers the objective enough (Armijo); 0 if none does."""
    step = torch.ones_like(value)
    if bool(accepted.all()):
        return step
    change = problem.fit(direction)
    square, cross, own = (
        (problem.ridge * x * y).sum((1, 2)) for x, y in ((direction, direction), (u, direction), (u, u))
    )
    for _ in range(40):
        moved = problem.loss(torch.addcmul(fit, step[:, None, None], change))
        moved += (own + 2 * step * cross + step.square() * square) / 2
        accepted = accepted | (moved <= value + 1e-4 * step * slope)
        if bool(accepted.all()):
            return step
        step = torch.where(accepted, step, step / 2)
    return torch.where(accepted, step, 0)


def _conjugate_gradients(problem: _Problem, p: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """The direction d with Hessian d = -gradient, to a residual that shrinks with the gradient (superlinear steps); and
    [B] a bound on the further gain of the exact direction, |residual|^2 over the least eigenvalue.

    Each problem stops on its own; a finished one stays unchanged while the others continue.
    """
    direction, residual = torch.zeros_like(gradient), -gradient
    search, norm = residual, residual.square().sum((1, 2))
    goal = norm * torch.minimum(torch.full_like(norm, 0.01), norm.sqrt()).clamp_min(1e-16)
    for _ in range(_MOST_CG_STEPS):
        going = norm > goal
        if not bool(going.any()):
            break
        product = problem.curved(p, search)
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
