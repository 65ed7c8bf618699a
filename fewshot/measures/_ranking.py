"""Ranking measures: for each way, the queries sorted by its probability. They need the logits.

e episodes at a time, W of their N ways, M queries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from fewshot.episodes.flat import Ints
from fewshot.results.predictions import Predictions
from fewshot.statistics.interval import Floats

_AT_ONCE = 1 << 16  # logits
_RANKED: WeakKeyDictionary[Predictions, tuple[Floats, Floats]] = WeakKeyDictionary()  # gone with the predictions
_ROUNDING = np.uint64((1 << 12) - 1)  # last bits of a float64: differences of 2^-40 and less are rounding


@dataclass(frozen=True, eq=False)
class Ranked:
    """All queries, sorted for each way by its probability, the highest first; equal probabilities tie."""

    positive: NDArray[np.bool_]  # [e, W, M] whether the query belongs to the way
    first: Ints  # [e, W, M] place of the first query of the same probability
    last: Ints  # and of the last

    @staticmethod
    def of(surprise: Floats, positive: NDArray[np.bool_]) -> Ranked:
        """The ranking by -ln p [e, W, M]: one sort of integers; their last bit is 0 for a query of the way."""
        keys = np.maximum(surprise, 0.0).view(np.uint64)
        keys = np.sort((keys & ~_ROUNDING) | ~positive, axis=2)
        same = (keys[:, :, 1:] | _ROUNDING) == (keys[:, :, :-1] | _ROUNDING)
        place = np.broadcast_to(np.arange(keys.shape[2]), keys.shape)
        first = last = place
        if same.any():
            first, last = place.copy(), place.copy()
            first[:, :, 1:][same] = 0
            np.maximum.accumulate(first, axis=2, out=first)
            last[:, :, :-1][same] = keys.shape[2]
            last = np.minimum.accumulate(last[:, :, ::-1], axis=2)[:, :, ::-1]
        return Ranked((keys & np.uint64(1)) == 0, first, last)


def auroc(ranked: Ranked) -> Floats:
    """[e, W] the area under the ROC curve of each way against the others: the chance that a query of the way stands
    before one that is not, ties counting half; 1 is best, 0.5 is guessing. NaN where all queries or none are of it."""
    outside = np.cumsum(~ranked.positive, axis=2)
    total = outside[:, :, -1:]
    up_to = np.take_along_axis(outside, ranked.last, 2)
    before: Ints = np.take_along_axis(outside - ~ranked.positive, ranked.first, 2)
    behind = total - 0.5 * (up_to + before)
    n_positive = ranked.positive.sum(2)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((behind * ranked.positive).sum(2) / (n_positive * total[:, :, 0]))


def average_precision(ranked: Ranked) -> Floats:
    """[e, W] the mean over the queries of a way of the precision down to them, ties included; 1 is best, the share of
    the way is guessing. NaN where no query is of the way."""
    hits = np.take_along_axis(np.cumsum(ranked.positive, axis=2), ranked.last, 2)
    precision = hits / (ranked.last + 1)
    with np.errstate(invalid="ignore"):
        return np.asarray((precision * ranked.positive).sum(2) / ranked.positive.sum(2))


def ranking(predictions: Predictions) -> tuple[Floats, Floats]:
    """[E] of each episode the means over its ways of `auroc` (one way against the rest; with two ways both give the
    same) and of `average_precision`, over the ways where they are defined; NaN where there are none, and a ValueError
    where the logits were not kept. Predictions are sorted once for both."""
    if predictions.logits is None:
        raise ValueError("AUROC and average precision need the logits, which were not kept")
    if predictions not in _RANKED:
        _RANKED[predictions] = _ranking(predictions)
    return _RANKED[predictions]


def _ranking(predictions: Predictions) -> tuple[Floats, Floats]:
    areas, precisions = np.full(len(predictions), np.nan), np.full(len(predictions), np.nan)
    for member, surprise, truth in _blocks(predictions):
        parts: list[tuple[Floats, Floats]] = []
        n_way = surprise.shape[1]
        width = max(1, _AT_ONCE // max(1, surprise.shape[0] * surprise.shape[2]))
        for way in range(0, n_way, width):
            ways = np.arange(way, min(way + width, n_way))
            ranked = Ranked.of(surprise[:, ways], truth[:, None] == ways[:, None])
            parts.append((auroc(ranked), average_precision(ranked)))
        areas[member], precisions[member] = (_mean(np.concatenate(flat, axis=1)) for flat in zip(*parts, strict=True))
    return areas, precisions


def _mean(by_way: Floats) -> Floats:
    """[e] the mean over the ways that have a number."""
    known = np.isfinite(by_way)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, by_way, 0).sum(1) / known.sum(1))


def _blocks(predictions: Predictions) -> Iterator[tuple[Ints, Floats, NDArray[np.int32]]]:
    """Positions [e] of episodes of one size, a bounded number at a time; -ln p [e, N, M] and true ways [e, M]."""
    episodes = predictions.episodes
    assert predictions.logits is not None
    n_query, n_way = np.diff(episodes.query_start), episodes.n_way.astype(np.int64)
    start = np.concatenate([[0], np.cumsum(n_query * n_way)])
    sizes, kind = np.unique(np.stack([n_query, n_way]), axis=1, return_inverse=True)
    for number, (queries, ways) in enumerate(sizes.T.tolist()):
        members = np.flatnonzero(kind.reshape(-1) == number)
        step = max(1, _AT_ONCE // max(1, queries * ways))
        for low in range(0, len(members) if queries else 0, step):
            member = members[low : low + step]
            logits = predictions.logits[start[member][:, None] + np.arange(queries * ways)]
            truth = episodes.query_labels[episodes.query_start[member][:, None] + np.arange(queries)]
            yield member, _surprise(logits.reshape(-1, queries, ways).astype(np.float64)), truth


def _surprise(logits: Floats) -> Floats:
    """-ln softmax [e, N, M] of logits [e, M, N], exact also where a probability is all but 1."""
    top = logits.argmax(2)[:, :, None]
    behind = np.take_along_axis(logits, top, 2) - logits  # >= 0
    others = np.exp(-behind)
    np.put_along_axis(others, top, 0.0, 2)
    return np.ascontiguousarray((behind + np.log1p(others.sum(2, keepdims=True))).transpose(0, 2, 1))
