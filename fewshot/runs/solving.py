"""Solving: episodes to predictions, in batches that fit the memory budget, with queries in chunks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fewshot.episodes import draws, streams
from fewshot.episodes.batch import EpisodeBatch
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import Rows
from fewshot.features.embedding import keep_freed_memory
from fewshot.results.predictions import Predictions
from fewshot.runs.learners import Learner
from fewshot.runs.side_by_side import Watch, side_by_side
from fewshot.runs.within_memory import WithinMemory
from fewshot.solvers.summaries import Summary, summarise

DEFAULT_BUDGET_BYTES = 24 << 20  # larger batches do not fit the processor's cache
Batch = tuple[int, int, int]  # start and stop of its episodes, and the queries of a chunk


def solve(
    episodes: Episodes,
    learner: Learner,
    budget_bytes: int = DEFAULT_BUDGET_BYTES,
    keep_logits: bool = True,
    watch: Watch | None = None,
    advance: Callable[[int], Any] | None = None,
    finished: list[Predictions] | None = None,
) -> Predictions:
    """The predictions of a learner on these episodes; the budget does not change them, nor does too little memory: a
    batch that does not fit is halved.

    All episodes of a batch have the same number of ways; ragged episodes are padded to the largest one. Slow evaluators
    call `watch` with the number of finished steps of a batch and the total. `advance` gets the number of episodes of
    each finished batch. After an error or an interruption `finished` holds the batches that had ended.
    """
    keep_freed_memory()
    by_ways = np.argsort(episodes.n_way, kind="stable")
    ordered = episodes if bool((np.diff(by_ways) > 0).all()) else episodes.take(by_ways)
    parts: list[Predictions] = []
    errors: list[BaseException] = []
    with learner.watched():  # batches count only if the network is unchanged
        try:
            for part in _parts(ordered, learner, budget_bytes, keep_logits, watch):
                parts.append(part)
                if advance is not None:
                    advance(len(part))
        except BaseException as error:
            if finished is None or not parts:
                raise
            errors.append(error)
    if finished is not None and errors:
        finished.extend(parts)
        raise errors.pop()  # without a name, which would keep the learner in memory
    solved = Predictions.concatenate(parts)
    return solved if ordered is episodes else solved.take(np.argsort(by_ways, kind="stable"))


def _parts(
    episodes: Episodes, learner: Learner, budget_bytes: int, keep_logits: bool, watch: Watch | None
) -> Iterator[Predictions]:
    """The predictions of batches, in order: of single small episodes side by side, of others one after the other."""

    def solved(batch: Batch, watch: Watch | None, in_lane: bool = False) -> list[Predictions]:
        low, high, chunk = batch
        between = partial(watch, 0, 0) if in_lane and watch is not None else None
        work = partial(
            _solve_batch, learner=learner, keep_logits=keep_logits, watch=watch, probe=low == 0, between=between
        )
        return list(within_memory.solved(episodes[low:high], chunk, work))

    within_memory = WithinMemory()
    n_support = np.diff(episodes.support_start)
    batches = _batches(episodes, learner, budget_bytes)
    for small, some in itertools.groupby(batches, lambda batch: learner.on_one_thread(int(n_support[batch[0]]))):
        if small:
            each = list(some)
            n_lanes = learner.lanes(episodes[each[0][0] : each[-1][1]])
            done: Iterable[list[Predictions]] = side_by_side(partial(solved, in_lane=True), each, n_lanes, watch)
        else:
            done = (solved(batch, watch) for batch in some)
        yield from itertools.chain.from_iterable(done)


def _batches(episodes: Episodes, learner: Learner, budget_bytes: int) -> Iterator[Batch]:
    """(start, stop, query chunk) of batches of equal ways; the largest episode of each fits the budget."""
    n_support, n_query = np.diff(episodes.support_start), np.diff(episodes.query_start)
    edges = np.flatnonzero(np.diff(episodes.n_way, prepend=-1, append=-1)).tolist()
    for first, last in itertools.pairwise(edges):
        largest = int(n_support[first:last].max()), int(n_query[first:last].max()), int(episodes.n_way[first])
        size, chunk = learner.batch_and_chunk(*largest, budget_bytes)
        if first == 0 and size > 1:
            yield 0, 1, chunk  # one episode for the probe, because probing a whole batch would double its cost
        for start in range(max(first, int(size > 1)), last, size):
            yield start, min(start + size, last), chunk


def _solve_batch(
    episodes: Episodes,
    chunk: int,
    learner: Learner,
    keep_logits: bool,
    watch: Watch | None,
    probe: bool,
    between: Callable[[], None] | None,
) -> Predictions:
    """The predictions of a batch of equal ways; `between` is called after each chunk of queries."""
    query_rows, truth, query_mask = episodes.padded("query")
    batch = _batch_of(episodes, learner, watch)
    converged, setting, answers = learner.answer(batch, query_rows, query_mask, chunk, probe)
    parts: list[Summary] = []
    start = 0
    for logits in answers:
        if between is not None:
            between()
        stop = start + logits.shape[1]
        _refuse_nan(logits, query_mask[:, start:stop], episodes, learner)
        parts.append(summarise(logits, truth[:, start:stop], keep_logits))
        start = stop
    predicted = _unpadded([part.predicted for part in parts], query_mask)
    confidence = _unpadded([part.confidence for part in parts], query_mask)
    log_probability = _unpadded([part.log_probability for part in parts], query_mask)
    part_logits = [part.logits for part in parts if part.logits is not None]
    kept = _unpadded(part_logits, query_mask).reshape(-1) if keep_logits else None
    done = np.ones(len(episodes), dtype=np.bool_) if converged is None else converged.numpy()
    chosen = None if setting is None else setting.numpy().astype(np.uint16)
    return Predictions(episodes, predicted, confidence, log_probability, done, kept, chosen)


def _batch_of(episodes: Episodes, learner: Learner, watch: Watch | None) -> EpisodeBatch[Rows]:
    """The batch of episodes with the same number of ways, with the rows of their support."""
    rows, labels, mask = episodes.padded("support")
    n_way = int(episodes.n_way[0])
    classes = torch.from_numpy(episodes.classes.astype(np.int64)).reshape(-1, n_way)
    return EpisodeBatch(
        support=rows,
        support_labels=torch.from_numpy(labels.astype(np.int64)),
        support_mask=torch.from_numpy(mask),
        n_way=n_way,
        seeds=episode_seeds(episodes),
        class_features=None if learner.class_features is None else learner.class_features[classes],
        watch=watch,
    )


def _unpadded(parts: Sequence[NDArray[Any]], mask: NDArray[np.bool_]) -> NDArray[Any]:
    """[B * m, ...] the values of all real queries, from padded chunks [B, chunk, ...]."""
    whole = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
    return whole.reshape(-1, *whole.shape[2:]) if mask.all() else whole[mask]


def _refuse_nan(logits: Tensor, mask: NDArray[np.bool_], episodes: Episodes, learner: Learner) -> None:
    if math.isfinite(logits.sum()):
        return
    wrong = ~torch.isfinite(logits).all(2).numpy() & mask
    if wrong.any():
        index = episodes.index[np.flatnonzero(wrong.any(1))[0]]
        raise ValueError(
            f"{learner.evaluator!r} gave logits that are not finite in episode {index:,}; "
            "look for NaN or huge values in the features, or lower the learning rate"
        )


def episode_seeds(episodes: Episodes) -> Tensor:
    """[E] int64 seeds in [0, 2^62), functions of the episodes' seed and index alone."""
    words = draws.words(episodes.seed, episodes.index, 1, 2, streams.SEEDS)[:, 0]
    return torch.from_numpy(((words[:, 0] << np.uint64(30)) ^ words[:, 1]).astype(np.int64))
