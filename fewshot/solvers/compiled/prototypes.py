"""Nearest class means of episodes straight from a table of vectors: reads every needed row once, gathers nothing."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fewshot.solvers.compiled import compiled, compiled_part
from fewshot.solvers.compiled.aligned import zeros
from fewshot.solvers.compiled.matrices import Floats, copy, to_length_one
from fewshot.solvers.compiled.queries import Either, products, shifted
from fewshot.solvers.compiled.rounding import shown

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]
BLOCK = 4  # queries processed together


@compiled_part
def _class_means(
    table: Vectors, rows: Rows, labels: Rows, held: NDArray[np.bool_], means: Floats, counts: Floats
) -> None:
    """Fills the means [N, D] of the held rows."""
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


@compiled_part
def _centre(means: Floats, centre: Either, centred: Either, lengths: Floats) -> None:
    """Fills `centre` [D], the mean of means [N, D]; `centred` [N, D], the means minus the rounded centre, so that its
    rounding changes no distance; and their squared lengths [N]."""
    for d in range(len(centre)):
        total = 0.0
        for k in range(len(means)):
            total += means[k, d]
        centre[d] = total / len(means)
    for k in range(len(means)):
        lengths[k] = shifted(means[k], centre, centred[k])


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
    like: Either,
    out: Vectors,
) -> None:
    """out [B, m, N] = -|q - c|^2, or the cosines of q and c, for episodes [first, last) whose support [B, S] and query
    [B, m] are rows of the table [n, D]. Means are float64; queries are worked on in the type of `like`: float32 has the
    digits that distances need and halves the work, cosines of tiny and huge vectors need float64."""
    n_query, n_way, dim = out.shape[1], out.shape[2], table.shape[1]
    counts, lengths, squares = np.zeros(n_way), np.zeros(n_way), np.zeros(BLOCK)
    means, centre = zeros(n_way, dim, counts), zeros(1, dim, like)[0]
    near, block = zeros(n_way, dim, like), zeros(BLOCK, dim, like)
    inner_products, row = np.zeros((BLOCK, n_way), like.dtype), np.zeros(n_way)
    for e in range(first, last):
        _class_means(table, support[e], labels[e], held[e], means, counts)
        if cosine:
            to_length_one(means, n_way)
            copy(means, near)
        else:
            _centre(means, centre, near, lengths)
        for start in range(0, n_query, BLOCK):
            n_here = min(BLOCK, n_query - start)
            for i in range(n_here):
                squares[i] = shifted(table[query[e, start + i]], centre, block[i])
            products(block, near, n_way, inner_products, 0)
            for i in range(n_here):
                for k in range(n_way):
                    if not cosine:
                        row[k] = 2.0 * inner_products[i, k] - squares[i] - lengths[k]
                    else:
                        row[k] = inner_products[i, k] / math.sqrt(squares[i]) if squares[i] > 0.0 else 0.0
                if cosine:
                    shown(row)
                for k in range(n_way):  # as in `copy`
                    out[e, start + i, k] = row[k]
