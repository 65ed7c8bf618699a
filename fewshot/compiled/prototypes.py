"""Nearest class means of episodes straight from a table of vectors: every row that an episode needs is read once, and
nothing is gathered."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fewshot.compiled import compiled
from fewshot.compiled.matrices import Floats, to_length_one
from fewshot.compiled.queries import products, shifted

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]
BLOCK = 4  # queries that are float64 at once


@compiled
def _class_means(
    table: Vectors, rows: Rows, labels: Rows, held: NDArray[np.bool_], means: Floats, counts: Floats
) -> None:
    """Fills means [N, D] of the rows that are held."""
    means[:, :] = 0.0
    counts[:] = 0.0
    for s in range(len(rows)):
        if held[s]:
            total, row = means[labels[s]], table[rows[s]]
            counts[labels[s]] += 1.0
            for d in range(len(row)):
                total[d] += row[d]
    for k in range(len(means)):
        for d in range(means.shape[1]):
            means[k, d] /= counts[k]


@compiled
def _centre(means: Floats, centre: Floats, lengths: Floats) -> None:
    """Takes their mean, the `centre` [D], from the means [N, D]; fills their squared lengths [N]."""
    centre[:] = 0.0
    for k in range(len(means)):
        for d in range(len(centre)):
            centre[d] += means[k, d]
    for d in range(len(centre)):
        centre[d] /= len(means)
    for k in range(len(means)):
        lengths[k] = shifted(means[k], centre, means[k])


@compiled
def logits(
    first: int,
    last: int,
    table: Vectors,
    support: Rows,
    labels: Rows,
    held: NDArray[np.bool_],
    query: Rows,
    cosine: bool,
    out: Vectors,
) -> None:
    """out [B, m, N] = -|q - c|^2, or the cosines of q and c, for episodes [first, last) whose support [B, S] and query
    [B, m] are rows of the table [n, D]."""
    n_query, n_way, dim = out.shape[1], out.shape[2], table.shape[1]
    means, centre = np.zeros((n_way, dim)), np.zeros(dim)
    lengths, counts = np.zeros(n_way), np.zeros(n_way)
    block, squares, inner_products = np.zeros((BLOCK, dim)), np.zeros(BLOCK), np.zeros((BLOCK, n_way))
    for e in range(first, last):
        _class_means(table, support[e], labels[e], held[e], means, counts)
        if cosine:
            to_length_one(means, n_way)
        else:
            _centre(means, centre, lengths)
        for start in range(0, n_query, BLOCK):
            n_here = min(BLOCK, n_query - start)
            for i in range(n_here):
                squares[i] = shifted(table[query[e, start + i]], centre, block[i])
            products(block, means, n_way, inner_products, 0)
            for i in range(n_here):
                for k in range(n_way):
                    if not cosine:
                        out[e, start + i, k] = 2.0 * inner_products[i, k] - squares[i] - lengths[k]
                    else:
                        out[e, start + i, k] = inner_products[i, k] / math.sqrt(squares[i]) if squares[i] > 0.0 else 0.0
