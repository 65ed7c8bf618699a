"""Learners: an evaluator with the data that it learns from, feature vectors or images.

A learner gathers the items of an episode by row, fits the evaluator and answers the queries. `solving.py` runs both
kinds (feature_learner.py, image_learner.py) in one loop.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import Rows
from fewshot.evaluators import FeatureEvaluator, Head, ImageEvaluator, TransductiveEvaluator
from fewshot.runs.guards import check_alone
from fewshot.runs.shapes import check_head, check_logits, check_per_episode


class Answers(NamedTuple):
    """The answers of a batch of B episodes."""

    converged: Tensor | None  # [B] bool, as the head reports it
    setting: Tensor | None  # [B] the place in its grid of what an episode chose on its support
    logits: Iterator[Tensor]  # [B, m, N] of the queries, chunk by chunk


class Learner(ABC):
    """An evaluator with the data that it learns from."""

    evaluator: FeatureEvaluator | ImageEvaluator | TransductiveEvaluator
    class_features: Tensor | None = None  # [C, D] vectors of the class names, if there are any

    @abstractmethod
    def items(self, rows: Rows) -> Any:
        """The features or images of `rows` [B, S], as the evaluator gets them."""

    @abstractmethod
    def answer(
        self, batch: EpisodeBatch[Rows], query_rows: Rows, query_mask: NDArray[np.bool_], chunk: int, probe: bool
    ) -> Answers:
        """The answers to the queries, m <= chunk of each episode at a time.

        Rows name the support and the queries. With `probe`, an inductive head also answers one query alone, to check
        that it ignores the others.
        """

    @abstractmethod
    def batch_and_chunk(self, n_support: int, n_query: int, n_way: int, budget_bytes: int) -> tuple[int, int]:
        """The number of episodes to solve at once, and of queries per episode to answer at once."""

    def watched(self) -> AbstractContextManager[None]:
        """A context that raises an error if solving changes a network; it checks nothing if there is no network."""
        return nullcontext()

    def on_one_thread(self, n_support: int) -> bool:
        """Whether an episode of this size is solved on one thread, beside others; only if a batch is one episode."""
        return False

    def lanes(self, episodes: Episodes) -> int:
        """How many of these episodes are solved at once, each on one thread; 1 unless all are that small."""
        return 1

    def _gathered(self, batch: EpisodeBatch[Rows]) -> EpisodeBatch[Any]:
        """The batch with the features or images of its support."""
        return batch.seen_as(self.items(batch.support))


def answers_of(
    learner: Learner,
    head: Head[Any],
    items: Callable[[Rows], Any],
    query_rows: Rows,
    n_way: int,
    chunk: int,
    probe: bool,
) -> Answers:
    """The answers of a head, with queries gathered chunk by chunk."""
    evaluator, n_episodes = learner.evaluator, len(query_rows)
    check_head(head, evaluator)

    def logits_of_chunks() -> Iterator[Tensor]:
        for start in range(0, query_rows.shape[1], chunk):
            rows = query_rows[:, start : start + chunk]
            logits = check_logits(head(items(rows)), (*rows.shape, n_way), evaluator)
            if probe and start == 0:
                check_alone(head, items(query_rows[:, :1]), logits, repr(evaluator))
            yield logits.cpu()

    converged = check_per_episode(head.converged, n_episodes, "converged", evaluator)
    setting = check_per_episode(head.setting, n_episodes, "setting", evaluator)
    converged, setting = (None if each is None else each.cpu() for each in (converged, setting))
    return Answers(converged, setting, logits_of_chunks())
