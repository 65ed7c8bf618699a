"""The objective of logistic regression at a trial solution, with its probabilities and residuals."""

from __future__ import annotations

import math

from fewshot.solvers.compiled import compiled_part
from fewshot.solvers.compiled.exponential import exponential
from fewshot.solvers.compiled.matrices import Floats
from fewshot.solvers.compiled.problem import Point, Problem, Space

_ROWS_PER_LOG = 16  # N^16 is a finite number


@compiled_part
def objective(problem: Problem, at: Point, norm: float, space: Space) -> float:
    """The objective at a point whose <A, F> is `norm`; fills its probabilities and residuals with all their digits:
    all fits are relative to that of the true class, and its residual is minus the sum of the others."""
    p, residual, n, c = at.p, at.residual, problem.n, problem.c
    others, of_true, top, share = space.of_row[0], space.of_row[1], space.of_row[2], space.of_row[3]
    _exponentials(problem, at, space)
    loss = _losses(problem, others, of_true, top)
    for i in range(n):
        share[i] = 1.0 / (others[i] + of_true[i])
    share[n:] = 0.0
    for k in range(len(p)):
        pk, rk = p[k], residual[k]
        for i in range(len(pk)):
            pk[i] *= share[i]
            rk[i] = c * pk[i]
    for i in range(n):
        p[problem.truth[i], i] = of_true[i] * share[i]
        residual[problem.truth[i], i] = -c * share[i] * others[i]
    return c * loss + norm / 2


@compiled_part
def _exponentials(problem: Problem, at: Point, space: Space) -> None:
    """Fills p with e^(fit - top), zero for the true class, and of_row with their sums, the term of the true class, and
    the top; all fits are relative to the true class. Padding stays zero."""
    fit, bias, p, n = at.fit, at.bias, at.p, problem.n
    others, of_true, top, own = space.of_row[0], space.of_row[1], space.of_row[2], space.of_row[3]
    for i in range(n):
        own[i] = fit[problem.truth[i], i] + bias[problem.truth[i]]
    top[:] = 0.0
    others[:] = 0.0
    for k in range(len(p)):
        pk, fk, bk = p[k], fit[k], bias[k]
        for i in range(len(pk)):
            pk[i] = fk[i] + bk - own[i]
            top[i] = max(top[i], pk[i])
    for i in range(len(top)):
        of_true[i] = exponential(-top[i])
    for k in range(len(p)):
        pk = p[k]
        for i in range(len(pk)):
            pk[i] = exponential(pk[i] - top[i])
    for i in range(n):
        p[problem.truth[i], i] = 0.0
    for k in range(len(p)):
        pk = p[k]
        for i in range(len(pk)):
            others[i] += pk[i]


@compiled_part
def _losses(problem: Problem, others: Floats, of_true: Floats, top: Floats) -> float:
    """The sum over rows of log(1 + others), or of top + log(others + term of the true class) if another class is on
    top. A few rows share a logarithm: (1 + a) (1 + b) = 1 + (a + b + a b) keeps the digits of tiny terms."""
    total = 0.0
    for low in range(0, problem.n, _ROWS_PER_LOG):
        product = 0.0
        for i in range(low, min(low + _ROWS_PER_LOG, problem.n)):
            factor = others[i] if top[i] == 0.0 else others[i] + of_true[i] - 1.0
            product += factor + product * factor
            total += top[i]
        total += math.log1p(product)
    return total
