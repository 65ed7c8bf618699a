"""Damped Newton for one problem of compiled/logistic.py.

With T = (I + s G)^-1 G, s = C / N, one product T r gives both the preconditioned residual r - s T r and its fit T r.
The objective is 1-strongly convex in W, so |gradient|^2 / 2 bounds the remaining gain. A problem has converged if the
bound is below 1e-12 of the objective, or below 1e-9 if rounding prevents further steps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fewshot.solvers.compiled import compiled_part
from fewshot.solvers.compiled.matrices import Floats, copy, inner, products
from fewshot.solvers.compiled.objective import objective
from fewshot.solvers.compiled.problem import Direction, Point, Problem, Space

_AIM = 1e-12  # of the objective: the remaining gain of a converged problem
_ENOUGH = 1e-9  # the same if rounding prevents further steps
_ROUNDING = 1e-15
_MOST_CG_STEPS = 250


@compiled_part
def _remove_mean(values: Floats, n: int) -> float:
    """Subtracts the mean from the first n values and returns their former sum: a constant has no effect on centred
    rows, but would grow."""
    total = 0.0
    for i in range(n):
        total += values[i]
    for i in range(n):
        values[i] -= total / n
    return total


@compiled_part
def _share_among_twins(values: Floats, twin: NDArray[np.int64], n: int) -> None:
    """Gives equal rows the mean of their values: only the sum has an effect, so what separates them would be rounding,
    which grows."""
    for i in range(n):
        if twin[0, i] != i:
            values[twin[0, i]] += values[i]
    for i in range(n):
        first = twin[0, i]
        if first != i:
            values[i] = values[first]
        elif twin[1, i] > 1:
            values[i] /= twin[1, i]


@compiled_part
def _start_direction(problem: Problem, at: Point, left: Direction, step: Direction, search: Direction) -> None:
    """left = -gradient; step = search = 0."""
    for k in range(len(left.dual)):
        left.bias[k] = 0.0
        for i in range(problem.n):
            left.dual[k, i] = -at.residual[k, i] - at.dual[k, i]
            left.bias[k] -= at.residual[k, i]
        step.dual[k, :] = 0.0
        step.fit[k, :] = 0.0
        search.dual[k, :] = 0.0
        search.fit[k, :] = 0.0
        step.bias[k] = 0.0
        search.bias[k] = 0.0
    _remove_mean(left.bias, len(left.bias))


@compiled_part
def _precondition(problem: Problem, left: Direction) -> float:
    """The squared length of the residual in the preconditioner's metric; fills left.fit with T left.dual."""
    if problem.has_twins:
        for k in range(len(left.dual)):
            _share_among_twins(left.dual[k], problem.twin, problem.n)
    for k in range(len(left.dual)):
        _remove_mean(left.dual[k], problem.n)
    products(left.dual, problem.inner_map, problem.n, left.fit)
    length: float = inner(left.dual, left.fit) + (left.bias * left.bias).sum() / problem.bias_scale
    return length


@compiled_part
def _turn_search(problem: Problem, left: Direction, search: Direction, beta: float) -> None:
    """search = preconditioned residual + beta search."""
    for k in range(len(left.dual)):
        dual, fit, rest, mapped = search.dual[k], search.fit[k], left.dual[k], left.fit[k]
        for i in range(len(dual)):
            dual[i] = rest[i] - problem.shrink * mapped[i] + beta * dual[i]
            fit[i] = mapped[i] + beta * fit[i]
        search.bias[k] = left.bias[k] / problem.bias_scale + beta * search.bias[k]


@compiled_part
def _curve(problem: Problem, p: Floats, search: Direction, space: Space) -> float:
    """The curvature along `search`; fills `curved` with Hessian times `search`."""
    curved, curved_bias = space.curved, space.curved_bias
    own, mean, n = space.of_row[0], space.of_row[1], problem.n
    for i in range(n):
        own[i] = search.fit[problem.truth[i], i] + search.bias[problem.truth[i]]
    mean[:] = 0.0
    for k in range(len(p)):
        pk, fit, out, bias = p[k], search.fit[k], curved[k], search.bias[k]
        for i in range(n):
            out[i] = fit[i] + bias - own[i]
            mean[i] += pk[i] * out[i]
    curvature = 0.0
    for k in range(len(p)):
        pk, out = p[k], curved[k]
        for i in range(n):
            out[i] = problem.c * pk[i] * (out[i] - mean[i])
        curved_bias[k] = _remove_mean(out, n)
        curvature += curved_bias[k] * search.bias[k]
        for i in range(n):
            out[i] += search.dual[k, i]
    _remove_mean(curved_bias, len(curved_bias))
    return curvature + inner(curved, search.fit)


@compiled_part
def _advance(change: Direction, search: Direction, length: float) -> None:
    """change += length search."""
    for k in range(len(change.dual)):
        dual, fit, more, more_fit = change.dual[k], change.fit[k], search.dual[k], search.fit[k]
        for i in range(len(dual)):
            dual[i] += length * more[i]
            fit[i] += length * more_fit[i]
        change.bias[k] += length * search.bias[k]


@compiled_part
def _gain_left(problem: Problem, left: Direction, norm: float, value: float, space: Space) -> float:
    """A bound on the remaining gain, as a share of the objective; a rough one while the gain is large."""
    most = norm * problem.condition / 2
    if norm <= _ENOUGH * value:
        exact = inner(left.dual, left.fit)
        if problem.shrink > 0.0:
            products(left.dual, problem.gram, problem.n, space.curved)
            exact = inner(left.dual, space.curved)
        rounding = _ROUNDING * problem.largest * inner(left.dual, left.dual)  # covers singular directions
        bias = (left.bias * left.bias).sum() / problem.bias_scale * problem.condition
        most = (exact + rounding + bias) / 2
    return most / value if value > 0.0 else 0.0


@compiled_part
def _newton_direction(problem: Problem, p: Floats, norm: float, value: float, space: Space) -> None:
    """Fills space.step by conjugate gradients, until the residual is small against the square of its start."""
    left, search = space.left, space.search
    goal = max(norm * min(0.01, norm / value), 0.1 * _AIM * value / problem.condition)
    beta = 0.0
    for _ in range(_MOST_CG_STEPS):
        _turn_search(problem, left, search, beta)
        curvature = _curve(problem, p, search, space)
        if not curvature > 0.0:
            return
        length = norm / curvature
        _advance(space.step, search, length)
        for k in range(len(left.dual)):
            rest, bent = left.dual[k], space.curved[k]
            for i in range(problem.n):
                rest[i] -= length * bent[i]
            left.bias[k] -= length * space.curved_bias[k]
        fresh = _precondition(problem, left)
        beta, norm = fresh / norm, fresh
        if not norm > goal:
            return


@compiled_part
def _slope(at: Point, step: Direction) -> float:
    """The derivative of the objective along the step."""
    total = inner(at.residual, step.fit) + inner(at.dual, step.fit)
    for k in range(len(step.bias)):
        total += at.residual[k].sum() * step.bias[k]
    return total


@compiled_part
def _line_search(problem: Problem, value: float, norm: float, space: Space) -> bool:
    """Moves space.now by the first of 1, 1/2, 1/4, ... of the step that lowers the objective enough (Armijo); False
    if none does."""
    now, trial, step = space.now, space.trial, space.step
    slope = _slope(now, step)
    cross, square, length = inner(now.dual, step.fit), inner(step.dual, step.fit), 1.0
    for _ in range(40):
        for k in range(len(now.fit)):
            for i in range(problem.n):
                trial.fit[k, i] = now.fit[k, i] + length * step.fit[k, i]
            trial.bias[k] = now.bias[k] + length * step.bias[k]
        moved = objective(problem, trial, norm + 2 * length * cross + length * length * square, space)
        if moved <= value + 1e-4 * length * slope or (length == 1.0 and -slope <= _ENOUGH * value):
            for k in range(len(now.fit)):
                for i in range(problem.n):
                    now.dual[k, i] += length * step.dual[k, i]
                now.bias[k] = trial.bias[k]
            return slope < 0.0
        length /= 2
    return False


@compiled_part
def extrapolate(problem: Problem, share: float, space: Space) -> None:
    """Extrapolates space.now, the optimum for the last C, by `share` of its distance from space.before, if that is a
    better start; space.before becomes the former optimum."""
    now, trial, before = space.now, space.trial, space.before
    for k in range(len(now.fit)):
        for i in range(problem.n):
            trial.dual[k, i] = now.dual[k, i] + share * (now.dual[k, i] - before.dual[k, i])
            trial.fit[k, i] = now.fit[k, i] + share * (now.fit[k, i] - before.fit[k, i])
        trial.bias[k] = now.bias[k] + share * (now.bias[k] - before.bias[k])
    there = objective(problem, trial, inner(trial.dual, trial.fit), space)
    here = objective(problem, now, inner(now.dual, now.fit), space)
    copy(now.dual, before.dual)
    copy(now.fit, before.fit)
    for k in range(len(now.bias)):
        before.bias[k] = now.bias[k]
    if there < here:
        copy(trial.dual, now.dual)
        for k in range(len(now.bias)):
            now.bias[k] = trial.bias[k]
        products(now.dual, problem.gram, problem.n, now.fit)


@compiled_part
def minimise(problem: Problem, space: Space, max_iter: int) -> bool:
    """Whether damped Newton from space.now, in place, reached the optimum. The fit of space.now must match its dual."""
    now, share = space.now, np.inf
    for iteration in range(max_iter + 1):
        size = inner(now.dual, now.fit)
        value = objective(problem, now, size, space)
        _start_direction(problem, now, space.left, space.step, space.search)
        norm = _precondition(problem, space.left)
        before, share = share, _gain_left(problem, space.left, norm, value, space)
        if share <= _AIM:
            return True
        if iteration == max_iter or (not share < before and share <= _ENOUGH):
            break
        _newton_direction(problem, now.p, norm, value, space)
        lower = _line_search(problem, value, size, space)
        products(now.dual, problem.gram, problem.n, now.fit)
        if not lower:
            break
    return share <= _ENOUGH
