"""Similarities of queries to every support row, in float64 and bounded memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

METRICS = ("cosine", "euclidean")
_HELD = 1 << 20  # similarities that are held at once
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Neighbours:
    """The support rows of B episodes, ready to be compared with queries."""

    rows: Tensor  # [B, S, D] float64: of length one, or less their mean
    square: Tensor | None  # [B, 1, S] squared lengths; None for cosines
    mean: Tensor  # [B, 1, D] what is taken from queries too
    mask: Tensor  # [B, 1, S]

    @staticmethod
    def of(support: Tensor, mask: Tensor, metric: str) -> Neighbours:
        """Neighbours [B, S, D] where `mask` [B, S] is True."""
        rows, held = support.double(), mask.double()[:, :, None]
        if metric == "cosine":
            return Neighbours(unit(rows), None, rows.new_zeros(len(rows), 1, rows.shape[2]), mask[:, None])
        mean = (rows * held).sum(1, keepdim=True) / held.sum(1, keepdim=True)  # distances do not change
        rows = (rows - mean) * held
        return Neighbours(rows, rows.square().sum(2)[:, None], mean, mask[:, None])

    def similarities(self, query: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """[B, m, S] cosines (0 with a zero vector) or minus squared distances of queries [B, M, D], as many queries
        at a time as keep them small, -inf under the padding; and [B, m, 1] how much of them may be rounding."""
        size = max(1, _HELD // self.mask.numel())
        for part in torch.split(query, size, dim=1):
            similarity, scale = self._similarity(part.double())
            yield similarity.masked_fill(~self.mask, -math.inf), _ROUNDING * scale

    def _similarity(self, query: Tensor) -> tuple[Tensor, Tensor]:
        """Similarities, and the size of what was added and subtracted."""
        if self.square is None:
            return unit(query) @ self.rows.transpose(1, 2), query.new_ones(*query.shape[:2], 1)
        moved = query - self.mean
        squares = self.square + moved.square().sum(2, keepdim=True)
        distance = torch.baddbmm(squares, moved, self.rows.transpose(1, 2), alpha=-2).clamp_min(0)
        return -distance, squares.amax(2, keepdim=True)


def unit(vectors: Tensor) -> Tensor:
    """Vectors divided by their length, whatever its size; zero vectors as they are."""
    largest = vectors.abs().amax(-1, keepdim=True)
    scaled = vectors / largest.where(largest > 0, 1)
    length: Tensor = torch.linalg.vector_norm(scaled, dim=-1, keepdim=True)
    return scaled / length.where(length > 0, 1)
