"""Linear algebra on the rows of many small problems together, with the smaller of two Gram matrices.

Linear methods on rows X [S, D] need an S x S matrix if S < D, and a D x D matrix otherwise. Rows are converted to
float64 in parts, so that a problem of 25 000 rows needs no second copy of them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from fewshot.solvers import compiled

_PART = 2048  # rows converted to float64 at once
_NULL = 1e-13  # directions with less than this share of the largest variance are empty
_FLOOR = 1e-13  # a ridge below this share of the trace would be lost in rounding


@dataclass(frozen=True)
class Rows:
    """Rows [B, S, D] of B problems. `part(low, high)` gives [B, high - low, D] in float64, zero for padding."""

    n_rows: int
    dim: int
    part: Callable[[int, int], Tensor]

    @property
    def wide(self) -> bool:
        """Whether X X^T is smaller than X^T X."""
        return self.n_rows < self.dim

    @functools.cached_property
    def whole(self) -> Tensor:
        """All rows [B, S, D], cached."""
        return self.part(0, self.n_rows)

    def parts(self) -> Iterator[tuple[Tensor, slice]]:
        """The rows in order, in parts of bounded size, and the slice of each part. Few rows are one part."""
        if self.wide:
            yield self.whole, slice(0, self.n_rows)
            return
        for low in range(0, self.n_rows, _PART):
            high = min(low + _PART, self.n_rows)
            yield self.part(low, high), slice(low, high)

    def times(self, targets: Tensor) -> Tensor:
        """X^T T [B, D, N] of targets T [B, S, N]."""
        first, *others = (part.transpose(1, 2) @ targets[:, where] for part, where in self.parts())
        for other in others:
            first += other
        return first


def means(rows: Tensor, weights: Tensor) -> Tensor:
    """Weighted means [B, N, D] float64 of rows [B, S, D], for weights [B, S, N], zero for padding."""
    return _weighted_sums(rows, weights) / weights.sum(1)[:, :, None]


def _weighted_sums(rows: Tensor, weights: Tensor) -> Tensor:
    if not compiled.serves(rows, weights):
        return plain(rows, weights.sum(2) > 0).times(weights).transpose(1, 2)
    from fewshot.solvers.compiled import queries

    sums = torch.empty(len(rows), weights.shape[2], rows.shape[2], dtype=torch.float64)
    arrays = (array.contiguous().numpy() for array in (rows, weights.double(), sums))
    compiled.over_episodes(queries.weighted_sums, len(rows), *arrays)
    return sums


def plain(rows: Tensor, mask: Tensor) -> Rows:
    """The rows as they are."""
    return Rows(rows.shape[1], rows.shape[2], lambda low, high: rows[:, low:high].double() * mask[:, low:high, None])


def centred(rows: Tensor, mask: Tensor, mean: Tensor) -> Rows:
    """The rows less their mean [B, 1, D]."""
    return Rows(
        rows.shape[1], rows.shape[2], lambda low, high: (rows[:, low:high].double() - mean) * mask[:, low:high, None]
    )


def within(rows: Tensor, mask: Tensor, labels: Tensor, class_means: Tensor) -> Rows:
    """The rows less the mean of their class [B, N, D]."""

    def part(low: int, high: int) -> Tensor:
        index = labels[:, low:high, None].expand(-1, -1, rows.shape[2])
        return (rows[:, low:high].double() - class_means.gather(1, index)) * mask[:, low:high, None]

    return Rows(rows.shape[1], rows.shape[2], part)


def with_constant(rows: Rows, mask: Tensor, value: float) -> Rows:
    """The rows with a last column of this value."""
    column = value * mask.double()[:, :, None]
    return Rows(
        rows.n_rows, rows.dim + 1, lambda low, high: torch.cat([rows.part(low, high), column[:, low:high]], dim=2)
    )


def gram(rows: Rows) -> Tensor:
    """X X^T [B, S, S] if it is the smaller, else X^T X [B, D, D]."""
    if rows.wide:
        whole = rows.whole
        return whole @ whole.transpose(1, 2)
    first, *others = (part.transpose(1, 2) @ part for part, _ in rows.parts())
    for other in others:
        first += other
    return first


def solver(matrix: Tensor, right: Tensor, n_ridges: int = 1) -> Callable[[float | Tensor], Tensor]:
    """Gives (G + ridge I)^-1 R for Gram matrices G [B, r, r], R [B, r, N] and any ridge (a number, or [B]).

    One eigendecomposition serves many ridges; a Cholesky factor is cheaper for one. A ridge is at least 1e-13 of the
    trace: less would be lost in rounding.
    """
    least = _FLOOR * matrix.diagonal(dim1=1, dim2=2).sum(1)
    if n_ridges > 1:
        values, vectors = torch.linalg.eigh(matrix)
        turned = vectors.transpose(1, 2) @ right
        return lambda ridge: vectors @ (turned / (values.clamp_min(0) + _at_least(ridge, least)[:, None])[:, :, None])

    def solve(ridge: float | Tensor) -> Tensor:
        shifted = matrix + torch.diag_embed(_at_least(ridge, least)[:, None].expand(matrix.shape[:2]))
        return torch.cholesky_solve(right, torch.linalg.cholesky_ex(shifted).L)

    return solve


def inverse_times(rows: Rows, matrix: Tensor, right: Tensor, ridge: Tensor) -> Tensor:
    """(X^T X + ridge I)^-1 R for R [B, D, N], ridges [B] and `matrix`, the Gram matrix of the rows. If that is X X^T,
    by Woodbury's identity."""
    if not rows.wide:
        return solver(matrix, right)(ridge)
    whole = rows.whole
    inside = whole.transpose(1, 2) @ solver(matrix, whole @ right)(ridge)
    return (right - inside) / ridge[:, None, None]


def gram_bytes(n_support: int, dim: int, n_columns: int) -> int:
    """Bytes of an episode's rows, Gram matrix and right-hand sides of `n_columns` columns in all."""
    smaller = min(n_support, dim)
    held = n_support if n_support < dim else min(n_support, _PART)
    return 8 * (3 * held * dim + 3 * smaller * smaller + (n_support + dim) * n_columns)


def _at_least(ridge: float | Tensor, least: Tensor) -> Tensor:
    return torch.maximum(torch.as_tensor(ridge, dtype=torch.float64, device=least.device), least)


@dataclass(frozen=True)
class Principal:
    """The centred rows of B problems in principal coordinates: centred rows = scores @ axes^T."""

    scores: Tensor  # [B, S, r] float64, orthogonal columns, zero under the padding
    axes: Tensor  # [B, D, r]
    variances: Tensor  # [B, r] squared lengths of the columns of `scores`
    mean: Tensor  # [B, 1, D]


def principal(rows: Tensor, mask: Tensor) -> Principal:
    """Principal coordinates of the rows [B, S, D] with a True `mask` [B, S], from the smaller Gram matrix."""
    n_rows = mask.double().sum(1)[:, None, None]
    mean = plain(rows, mask).times(mask.double()[:, :, None]).transpose(1, 2) / n_rows
    around = centred(rows, mask, mean)
    variances, axes = torch.linalg.eigh(gram(around))  # [B, S] or [B, D], and eigenvectors in columns
    lengths = variances.where(variances > _NULL * variances.amax(1, keepdim=True), 0).sqrt()
    if around.wide:
        inverse = torch.where(lengths > 0, 1 / lengths.where(lengths > 0, 1), 0)
        return Principal(axes * lengths[:, None], around.times(axes * inverse[:, None]), lengths.square(), mean)
    scores = axes.new_empty(len(rows), around.n_rows, around.dim)
    for part, where in around.parts():
        torch.matmul(part, axes * (lengths > 0)[:, None], out=scores[:, where])
    return Principal(scores, axes, lengths.square(), mean)
