"""The fit of M2 and M4 alternates: least squares for what is linear, damped Newton steps for the bounds of the error.

Residual of point n: log(e_n - e_inf) - alpha log(e_0 - e_n) - log(beta x_n^c). A round solves (log beta, c, alpha) by
least squares with the last e_inf, then moves e_inf (and e_0) downhill on the mean squared residual.

Source: Alabdulmohsin, Neyshabur, Zhai 2022, arXiv 2209.06640. The fit ends in the *local* optimum below the start e_inf
= min(e) - 0.001, on purpose: the global optimum often lies at e_inf = 0 and extrapolates badly. As published, the
column of alpha is computed from the start of e_0 and stays, while e_0 moves. So the fit ends where two gradients
vanish, not in a minimum over all parameters. `joint` updates the column (M4Joint).

Deviations, with the same end points on 36 real curves: - Newton steps from the first round. Published: 100 rounds of
gradient descent by 1e-8 before them. - 30 steps damped by 0.3 in each of the first rounds, then one step per round.
Published: 100 steps damped by 0.1. - A step is at most 1.5 times the last movement. Full steps can throw e_0 from one
end of its range to the other, until rounding decides where the fit ends. - If a round moves the bounds by nearly as
much as the last one, up to 64 rounds are done in one leap."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from fewshot.scaling.laws import Floats

Flags = NDArray[np.bool_]
MARGIN = 1e-3  # between the bounds of the error and the measured errors
MAX_ROUNDS = 10_000
_DAMPED_ROUNDS, _DAMPED_STEPS, _DAMPING = 5, 30, 0.3
_GROWTH, _SHORT = 1.5, 1e-4  # a round moves a bound at most by the first times the last movement, or by the second
_BLOCK = 25  # rounds between two checks of convergence
_LONGEST_LEAP, _LENGTHEN_BELOW, _SHORTEN_ABOVE = 64, 0.02, 0.08  # rounds; relative changes of a round's movement
_STILL = 1e-9  # movement of a bound in a round, below which it has converged
_BETA_STILL = 1e-10  # movement of beta in a round, below which the published fit ends, also at its bound
_FLAT = 1e-5  # curvature below which a bound does not move


@dataclass(frozen=True, eq=False)
class Alternated:
    """The ends of B alternations."""

    coefficients: Floats  # [B, p]: log beta, c or -c, and alpha
    e_inf: Floats  # [B]
    e_0: Floats  # [B]
    rounds: NDArray[np.int64]  # [B]
    converged: Flags  # [B]


def alternate(x: Floats, errors: Floats, weights: Floats, with_chance: bool, joint: bool = False) -> Alternated:
    """The ends of B alternations over x [n] or [B, n], errors and weights [B, n]: for M2 (log beta, c), or
    `with_chance` for M4 (log beta, -c and alpha, none negative). `joint`: the column of alpha follows e_0."""
    state = _State.start(x, errors, weights, with_chance, joint)
    count = len(errors)
    nothing = np.zeros(count)
    ended = Alternated(
        np.zeros((count, 3 if with_chance else 2)), nothing, nothing.copy(), nothing.astype(int), nothing.astype(bool)
    )
    while len(state.rows):
        for _ in range(_BLOCK):
            state.step()
        still = state.stopped | (abs(state.moved).max(0) < _STILL)
        finished = still | (state.rounds >= MAX_ROUNDS)
        state.write(ended, finished, still)
        state = state.kept(~finished)
    return ended


@dataclass(eq=False)
class _State:
    """The b of B alternations that still move."""

    rows: NDArray[np.intp]  # [b] places in the whole batch
    errors: Floats  # [b, n]
    weights: Floats  # [b, n], of sum 1
    columns: Floats  # [b, n, p]
    inverses: Floats  # [b, subsets, p, p]
    highest_floor: Floats  # [b]
    lowest_chance: Floats  # [b]
    e_inf: Floats  # [b]
    e_0: Floats  # [b]
    coefficients: Floats  # [b, p]
    moved: Floats  # [2, b]: of e_inf and e_0 in the last round
    leap: Floats  # [b]: rounds of the last step
    rounds: Floats  # [b]
    stopped: Flags  # [b]: beta stood still, where the published fit ends
    joint: bool

    @staticmethod
    def start(x: Floats, errors: Floats, weights: Floats, with_chance: bool, joint: bool) -> _State:
        """The published start."""
        used = weights > 0
        floor = np.maximum(np.where(used, errors, np.inf).min(1) - MARGIN, 0.0)
        errors = np.where(used, errors, floor[:, None] + 2 * MARGIN)  # points of weight 0: any value between the bounds
        highest = errors.max(1) + MARGIN
        chance = np.maximum(1.0, highest)
        log_x = np.broadcast_to(np.log(x), errors.shape)
        columns = [np.ones_like(errors), log_x]
        if with_chance:
            columns = [np.ones_like(errors), -log_x, np.log(chance[:, None] - errors)]
        matrix = np.stack(columns, 2)
        weights = weights / weights.sum(1, keepdims=True)
        inverses = _inverses(matrix, weights, with_chance)
        return _State(
            np.arange(len(errors)), errors, weights, matrix, inverses, floor, highest, floor, chance,
            np.zeros((len(errors), len(columns))), np.zeros((2, len(errors))), np.ones(len(errors)),
            np.zeros(len(errors)), np.zeros(len(errors), bool), joint,
        )  # fmt: skip

    def step(self) -> None:
        """Does one round, or several in a leap."""
        before, last = self._bounds(), self.moved
        if self.joint:
            self.columns[:, :, 2] = np.log(self.e_0[:, None] - self.errors)
            self.inverses = _inverses(self.columns, self.weights, True)
        last_beta, self.coefficients = np.exp(self.coefficients[:, 0]), self._solve()
        beta_moved = abs(np.exp(self.coefficients[:, 0]) - last_beta)
        if (self.rounds < _DAMPED_ROUNDS).any():  # all rows start together
            for _ in range(_DAMPED_STEPS):
                self._newton_step(_DAMPING)
            self.moved = self._bounds() - before
        else:
            self._newton_step(1.0)
            longest = np.maximum(_GROWTH * abs(last), _SHORT)
            self.moved = np.clip(self._bounds() - before, -longest, longest)
            self.leap = np.where(self.stopped, 0, self._leap(last))
            self._put(before + self.leap * self.moved)
            self.stopped = self.stopped | ((beta_moved < _BETA_STILL * self.leap) & (not self.joint))
        self.rounds = self.rounds + self.leap

    def _bounds(self) -> Floats:
        """[2, b] e_inf and e_0."""
        return np.stack([self.e_inf, self.e_0])

    def _leap(self, last: Floats) -> Floats:
        """[b] rounds to do at once: twice as many if the movement hardly changes, a quarter if it changes."""
        tiny = abs(last) < 1e-13
        change = np.where(tiny, 0.0, abs(self.moved - last) / np.where(tiny, 1.0, abs(last))).max(0)
        leap = np.where(change < _LENGTHEN_BELOW, 2 * self.leap, self.leap)
        leap = np.clip(np.where(change > _SHORTEN_ABOVE, self.leap // 4, leap), 1, _LONGEST_LEAP)
        return np.minimum(leap, MAX_ROUNDS - self.rounds)

    def _put(self, bounds: Floats) -> None:
        self.e_inf = np.minimum(np.maximum(bounds[0], 0.0), self.highest_floor)
        self.e_0 = np.minimum(np.maximum(bounds[1], self.lowest_chance), 1 + MARGIN)

    def _solve(self) -> Floats:
        target = np.log(self.errors - self.e_inf[:, None]) * self.weights
        moments = np.einsum("bnp,bn->bp", self.columns, target)
        solved = np.einsum("bspq,bq->bsp", self.inverses, moments)
        if solved.shape[1] == 1:
            return np.asarray(solved[:, 0])
        gain = np.einsum("bsp,bp->bs", solved, moments)  # the reduction of the sum of squares
        gain[(solved < 0).any(2)] = 0.0
        rows, best = np.arange(len(solved)), gain.argmax(1)
        return np.asarray(np.where(gain[rows, best, None] > 0, solved[rows, best], 0.0))

    def _newton_step(self, damping: float) -> None:
        """Does a damped Newton step of e_inf and of e_0, separately."""
        above = 1 / (self.errors - self.e_inf[:, None])
        log_beta, slope = self.coefficients[:, :1], self.coefficients[:, 1:2]
        residual = -np.log(above) - log_beta - slope * self.columns[:, :, 1]
        steps = np.zeros((2, len(self.rows)))
        if self.coefficients.shape[1] == 3:
            alpha = self.coefficients[:, 2:]
            below = 1 / (self.e_0[:, None] - self.errors)
            residual += alpha * np.log(below)
            pull = alpha * self.weights * below
            steps[1] = _ratio(-(pull * residual).sum(1), (pull * below * (alpha + residual)).sum(1))
        pull = self.weights * above
        steps[0] = _ratio(-(pull * residual).sum(1), (pull * above * (1 - residual)).sum(1))
        self._put(np.stack([self.e_inf, self.e_0]) - damping * steps)

    def write(self, ended: Alternated, which: Flags, still: Flags) -> None:
        """Writes the state of the alternations `which` [b] to `ended`."""
        rows = self.rows[which]
        ended.coefficients[rows] = self._solve()[which]
        ended.e_inf[rows], ended.e_0[rows] = self.e_inf[which], self.e_0[which]
        ended.rounds[rows], ended.converged[rows] = self.rounds[which], still[which]

    def kept(self, which: Flags) -> _State:
        """The alternations `which` [b]."""
        values = {name: value[which] for name, value in vars(self).items() if name not in ("moved", "joint")}
        return _State(**values, moved=self.moved[:, which], joint=self.joint)


def _ratio(gradient: Floats, curvature: Floats) -> Floats:
    flat = abs(curvature) <= _FLAT
    return np.where(flat, 0.0, gradient / np.where(flat, 1.0, curvature))


def _subsets(size: int) -> list[tuple[int, ...]]:
    return [subset for length in range(1, size + 1) for subset in combinations(range(size), length)]


def _inverses(columns: Floats, weights: Floats, with_chance: bool) -> Floats:
    """[B, subsets, p, p]: the inverses of all principal submatrices of the Gram matrix of columns [B, n, p], padded
    with zeros. The non-negative solution is the best of their solutions without a negative entry. Without chance signs
    are free, so only the whole matrix is inverted."""
    gram = np.einsum("bnp,bn,bnq->bpq", columns, weights, columns)
    subsets = _subsets(3) if with_chance else [tuple(range(2))]
    inverses = np.zeros((len(gram), len(subsets), *gram.shape[1:]))
    for number, subset in enumerate(subsets):
        part = np.ix_(range(len(gram)), subset, subset)
        inverses[:, number][part] = np.linalg.pinv(gram[part], hermitian=True)
    return inverses
