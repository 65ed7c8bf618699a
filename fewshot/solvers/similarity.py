"""Similarities of queries to every support row, in float64 and bounded memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from fewshot.solvers import compiled

METRICS = ("cosine", "euclidean")
_HELD = 1 << 20  # similarities held at once
_ROUNDING = 1e-12
_COMPILED_ENTRIES = 1 << 16  # vectors that fill the second-level cache; above this, matrix libraries are faster


@dataclass(frozen=True)
class Neighbours:
    """The support rows of B episodes, ready to be compared with queries."""

    rows: Tensor  # [B, S, D] float64: unit vectors, or rows minus their mean
    square: Tensor | None  # [B, 1, S] squared lengths; None for cosines
    mean: Tensor  # [B, 1, D] also subtracted from queries
    mask: Tensor  # [B, 1, S]

    @staticmethod
    def of(support: Tensor, mask: Tensor, metric: str) -> Neighbours:
        """The support rows [B, S, D] with a True `mask` [B, S]."""
        rows, held = support.double(), mask.double()[:, :, None]
        if metric == "cosine":
            return Neighbours(unit(rows), None, rows.new_zeros(len(rows), 1, rows.shape[2]), mask[:, None])
        mean = (rows * held).sum(1, keepdim=True) / held.sum(1, keepdim=True)  # distances do not change
        rows = (rows - mean) * held
        return Neighbours(rows, rows.square().sum(2)[:, None], mean, mask[:, None])

    def similarities(self, query: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """[B, m, S] cosines (0 with a zero vector) or minus squared distances of queries [B, M, D], -inf for padding;
        and [B, m, 1] bounds on their rounding errors. Yields parts of the queries, small enough for memory."""
        size = max(1, _HELD // self.mask.numel())
        for part in torch.split(query, size, dim=1):
            similarity, scale = self._similarity(part)
            yield similarity.masked_fill(~self.mask, -math.inf), _ROUNDING * scale

    def _similarity(self, query: Tensor) -> tuple[Tensor, Tensor]:
        """Similarities, and the size of the terms that they are sums of."""
        if self.square is None:
            return cosines(query, self.rows), self.rows.new_ones(*query.shape[:2], 1)
        products, lengths = inner_products(query, self.mean[:, 0], self.rows)
        squares = self.square + lengths[:, :, None]
        distance = torch.add(squares, products, alpha=-2).clamp_min(0)
        return -distance, squares.amax(2, keepdim=True)


def cosines(query: Tensor, directions: Tensor) -> Tensor:
    """[B, m, N] float64 <q, w> / |q| of queries [B, m, D] and directions [B, N, D]: cosines if the directions are unit
    vectors; 0 with a zero query."""
    if query.dtype == torch.float64:
        query = unit(query)  # squares of float64 may overflow; those of float32 do not
    products, squares = inner_products(query, None, directions)
    length = squares.sqrt()[:, :, None]
    return products / length.where(length > 0, 1)


def inner_products(query: Tensor, shift: Tensor | None, vectors: Tensor) -> tuple[Tensor, Tensor]:
    """<q - shift, v> [B, m, N] and |q - shift|^2 [B, m] in float64, for queries [B, m, D] of any float dtype, a shift
    [B, D] (None: zero) and vectors [B, N, D] float64."""
    n_episodes, n_vectors, dim = vectors.shape
    if not (compiled.serves(query, vectors) and n_vectors * dim <= _COMPILED_ENTRIES):
        moved = query.double() if shift is None else query.double() - shift[:, None]
        return torch.bmm(moved, vectors.transpose(1, 2)), moved.square().sum(2)
    from fewshot.solvers.compiled import queries

    out = torch.empty(n_episodes, query.shape[1], n_vectors, dtype=torch.float64)
    shift = torch.zeros(n_episodes, dim, dtype=torch.float64) if shift is None else shift
    squares = torch.empty(out.shape[:2], dtype=torch.float64)
    arrays = (array.contiguous().numpy() for array in (query, shift, vectors, out, squares))
    compiled.over_episodes(queries.inner_products, n_episodes, *arrays)
    return out, squares


def unit(vectors: Tensor) -> Tensor:
    """Vectors divided by their length, without overflow or underflow; zero vectors stay zero."""
    largest = vectors.abs().amax(-1, keepdim=True)
    scaled = vectors / largest.where(largest > 0, 1)
    length: Tensor = torch.linalg.vector_norm(scaled, dim=-1, keepdim=True)
    return scaled / length.where(length > 0, 1)
