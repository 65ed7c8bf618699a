"""Portions: the predictions of a block of episodes, in parts of about half a minute of solving, so that a run that is
killed loses little work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np

from fewshot.episodes.episodes import Episodes
from fewshot.results.predictions import Predictions

WRITE_SECONDS = 30.0  # of solving between two writes
_BATCH_SECONDS = 10.0  # of one call of a solver: a kill loses this batch and the unwritten ones before it
_GROWTH = 4  # a batch may be this much larger than the one before: its pace may not last


def portions(
    block: Episodes,
    solved: Callable[[Episodes, list[Predictions]], Predictions],
    at_least: int = 1,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Predictions]:
    """The predictions of a block, in parts of about WRITE_SECONDS at any pace of the solver.

    A batch has `at_least` episodes, those that are solved at once. The size of the parts changes no prediction. An
    interruption (Ctrl-C, SIGTERM) or an error gives the finished batches before it continues, and those episodes of its
    own batch that `solved` puts into its list then.
    """
    pending: list[Predictions] = []
    size, low, since = at_least, 0, clock()
    while low < len(block):
        start, finished = clock(), list[Predictions]()
        try:
            pending.append(solved(block[low : low + size], finished))
        except BaseException:
            yield from _without_gaps([*pending, *finished])
            raise
        low += size
        pace, left = max(clock() - start, 1e-6) / size, WRITE_SECONDS - (clock() - since)
        if low >= len(block) or left <= 0:
            whole, pending = Predictions.concatenate(pending), []
            yield whole
            del whole
            since, left = clock(), WRITE_SECONDS
        size = max(at_least, min(_GROWTH * size, int(min(left, _BATCH_SECONDS) / pace)))


def _without_gaps(parts: list[Predictions]) -> Iterator[Predictions]:
    """The predictions of these parts in as few parts as there are ranges of episodes among them: episodes may end in
    another order than that of the block."""
    if not parts:
        return
    whole = Predictions.concatenate(parts)
    whole = whole.take(np.argsort(whole.episodes.index))
    edges = np.flatnonzero(np.diff(whole.episodes.index, prepend=-2, append=-1) != 1).tolist()
    for start, stop in pairwise(edges):
        yield whole[start:stop]
