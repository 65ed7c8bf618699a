"""The accuracy of each class over the episodes that hold it, and the classes that it is mistaken for."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fewshot.results.predictions import Predictions, means
from fewshot.statistics.interval import Floats, Ints


@dataclass(eq=False)
class ClassAccuracy:
    """For each label: the number of episodes with queries of it, and the mean over these episodes of the share of its
    queries that are right. Every episode counts alike, however many queries of the class it has."""

    n_episodes: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))  # [C]
    total: Floats = field(default_factory=lambda: np.zeros(0))  # [C]

    def add(self, predictions: Predictions) -> None:
        """Adds these predictions to the counts."""
        episodes = predictions.episodes
        queried = episodes.query_count > 0
        right = right_answers(predictions)[queried]
        classes = episodes.classes[queried]
        size = max(len(self.total), int(classes.max(initial=-1)) + 1)
        self.n_episodes = _padded(self.n_episodes, size) + np.bincount(classes, minlength=size)
        self.total = _padded(self.total, size)
        np.add.at(self.total, classes, right / episodes.query_count[queried])  # in order, so parts change no bit

    @property
    def mean(self) -> Floats:
        """[C] the accuracy by label; NaN for a class without queries."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.total / self.n_episodes)


def right_answers(predictions: Predictions) -> Ints:
    """[sum N] the number of right answers to the queries of each way."""
    correct = predictions.predicted == predictions.episodes.query_labels
    start = np.concatenate([[0], np.cumsum(predictions.episodes.query_count)])
    right: Ints = np.diff(np.concatenate([[0], np.cumsum(correct)])[start])
    return right


def mean_over_ways(values: Floats, counted: NDArray[np.bool_], predictions: Predictions) -> Floats:
    """[E] the mean over the ways of each episode that count; `values` are those of the counted ways [sum N]."""
    return means(values, np.concatenate([[0], np.cumsum(counted)])[predictions.episodes.way_start])


@dataclass(eq=False)
class Mistakes:
    """How often queries of one class are answered by another class, by label."""

    pairs: Ints = field(
        default_factory=lambda: np.zeros(0, dtype=np.int64)
    )  # [P] true label * 2^32 + answer, ascending
    counts: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))  # [P]

    def add(self, predictions: Predictions) -> None:
        """Adds these predictions to the counts."""
        episodes = predictions.episodes
        wrong = predictions.predicted != episodes.query_labels
        first = np.repeat(episodes.way_start[:-1], np.diff(episodes.query_start))[wrong]
        ways = (first + episodes.query_labels[wrong], first + predictions.predicted[wrong])
        truth, answer = (episodes.classes[flat].astype(np.int64) for flat in ways)
        pairs = np.concatenate([self.pairs, (truth << 32) + answer])
        self.pairs, code = np.unique(pairs, return_inverse=True)
        weights = np.concatenate([self.counts, np.ones(len(truth), dtype=np.int64)])
        self.counts = np.bincount(code, weights, len(self.pairs)).astype(np.int64)

    def most_often(self) -> dict[int, tuple[int, int]]:
        """For every label with mistakes: the most frequent wrong answer (the lowest of equal ones), and its count."""
        order = np.lexsort((-self.counts, self.pairs >> 32))
        truth, at = np.unique(self.pairs[order] >> 32, return_index=True)
        best = order[at]
        mistaken_for = (self.pairs[best] & 0xFFFFFFFF).tolist()
        return dict(zip(truth.tolist(), zip(mistaken_for, self.counts[best].tolist(), strict=True), strict=True))


def lowest_class(by_class: ClassAccuracy) -> tuple[int, float] | None:
    """The label and the accuracy of the class with the lowest accuracy (the first of equal ones); None without queries.

    A minimum over classes is too low on average, the more so the fewer episodes a class has."""
    mean = by_class.mean
    if not np.isfinite(mean).any():
        return None
    label = int(np.nanargmin(mean))
    return label, float(mean[label])


def _padded(flat: np.ndarray, size: int) -> np.ndarray:
    return np.concatenate([flat, np.zeros(size - len(flat), flat.dtype)])
