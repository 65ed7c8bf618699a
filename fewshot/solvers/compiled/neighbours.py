"""Votes of the nearest support rows, episode by episode: NearestNeighbour's answers without its similarities in memory.

The arithmetic is that of solvers/similarity.py: float64, rows minus their mean or unit vectors, and similarities that
differ by no more than rounding are ties.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fewshot.solvers.compiled import compiled, compiled_part
from fewshot.solvers.compiled.aligned import zeros
from fewshot.solvers.compiled.matrices import Floats, gather_centred, inner, to_length_one
from fewshot.solvers.compiled.queries import products, shifted
from fewshot.solvers.compiled.rounding import shown

Vectors = NDArray[np.float32]
_ROUNDING = 1e-12


@compiled_part
def _gather(support: Vectors, held: NDArray[np.bool_], rows: Floats) -> int:
    """The number n of rows held. Packs them into `rows` unchanged: subtracting the mean and adding it back would lose a
    row that is tiny beside the others."""
    n = 0
    for s in range(len(support)):
        if held[s]:
            for d in range(support.shape[1]):
                rows[n, d] = support[s, d]
            n += 1
    return n


@compiled_part
def _kth_largest(values: Floats, n: int, best: Floats) -> float:
    """The len(best)-th largest of the first n values. Fills `best` with the largest ones, in rising order."""
    k = len(best)
    best[:] = -math.inf
    for s in range(n):
        if values[s] > best[0]:
            i = 1
            while i < k and best[i] < values[s]:
                best[i - 1] = best[i]
                i += 1
            best[i - 1] = values[s]
    return float(best[0])


@compiled_part
def _vote(
    similarity: Floats,
    n: int,
    truth: NDArray[np.int64],
    best: Floats,
    rounding: float,
    temperature: float,
    voted: Floats,
) -> None:
    """Fills the vote share of each class from the first n rows; a temperature of 0 means equal votes."""
    last = _kth_largest(similarity, n, best)
    n_sure = n_near = 0
    for s in range(n):
        n_sure += similarity[s] > last + rounding
        n_near += similarity[s] >= last - rounding
    of_tied = (len(best) - n_sure) / (n_near - n_sure)
    total, top = 0.0, best[len(best) - 1]
    voted[:] = 0.0
    for s in range(n):
        if similarity[s] >= last - rounding:
            vote = 1.0 if similarity[s] > last + rounding else of_tied
            if temperature > 0.0:
                vote *= math.exp((similarity[s] - top) / temperature)
            voted[truth[s]] += vote
            total += vote
    for c in range(len(voted)):
        voted[c] /= total


@compiled
def votes(
    first: int,
    last: int,
    support: Vectors,
    labels: NDArray[np.int64],
    held: NDArray[np.bool_],
    query: Vectors,
    k: int,
    cosine: bool,
    temperature: float,
    least: float,
    out: Vectors,
) -> None:
    """out [B, m, N] = log(max(least, the class's share of the votes)) for episodes [first, last) of support [B, S, D]
    and query [B, m, D]."""
    n_rows, dim = support.shape[1:]
    mean, square, lengths, inner_products = np.zeros(dim), np.zeros(n_rows), np.zeros(4), np.zeros((4, n_rows))
    rows, block = zeros(n_rows, dim, mean), zeros(4, dim, mean)
    similarity, voted = np.zeros(n_rows), np.zeros(out.shape[2])
    for e in range(first, last):
        if cosine:
            n = _gather(support[e], held[e], rows)
            to_length_one(rows, n)
        else:
            n = gather_centred(support[e], held[e], rows, mean)
        truth, best = labels[e][held[e]], np.zeros(min(k, n))
        for s in range(n):
            square[s] = 1.0 if cosine else inner(rows[s : s + 1], rows[s : s + 1])
        largest = square[:n].max()
        for start in range(0, query.shape[1], 4):
            n_here = min(4, query.shape[1] - start)
            for i in range(n_here):
                lengths[i] = shifted(query[e, start + i], mean, block[i])
            products(block, rows, n, inner_products, 0)
            for i in range(n_here):
                length = math.sqrt(lengths[i]) if lengths[i] > 0.0 else 1.0
                for s in range(n):
                    if cosine:
                        similarity[s] = inner_products[i, s] / length
                    else:
                        similarity[s] = -max(0.0, square[s] + lengths[i] - 2.0 * inner_products[i, s])
                rounding = _ROUNDING if cosine else _ROUNDING * (largest + lengths[i])
                _vote(similarity, n, truth, best, rounding, temperature, voted)
                for c in range(len(voted)):
                    voted[c] = math.log(max(least, voted[c]))
                shown(voted)
                for c in range(len(voted)):  # as in `copy` of matrices.py
                    out[e, start + i, c] = voted[c]
