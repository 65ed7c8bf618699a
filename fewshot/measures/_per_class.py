"""The accuracy of each class over the episodes that hold it, and what it was taken for."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fewshot.results.predictions import Predictions
from fewshot.statistics.intervals import Floats, Ints


@dataclass(eq=False)
class ClassAccuracy:
    """For each label: how many episodes ask for it, and the mean over them of the share of its queries that were right
    (so every episode counts alike, however many queries of the class it has)."""

    n_episodes: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))  # [C]
    total: Floats = field(default_factory=lambda: np.zeros(0))  # [C]

    def add(self, predictions: Predictions) -> None:
        """Counts these too."""
        episodes = predictions.episodes
        asked = episodes.query_count > 0
        correct = predictions.predicted == episodes.query_labels
        start = np.concatenate([[0], np.cumsum(episodes.query_count)])
        right = np.diff(np.concatenate([[0], np.cumsum(correct)])[start])[asked]
        classes = episodes.classes[asked]
        size = max(len(self.total), int(classes.max(initial=-1)) + 1)
        self.n_episodes = _padded(self.n_episodes, size) + np.bincount(classes, minlength=size)
        self.total = _padded(self.total, size)
        np.add.at(self.total, classes, right / episodes.query_count[asked])  # in order, so parts change no bit

    @property
    def mean(self) -> Floats:
        """[C] by label; NaN for a class that no episode asked for."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.total / self.n_episodes)


@dataclass(eq=False)
class Mistakes:
    """How often a query of one class was answered by another, by label."""

    pairs: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))  # [P] asked * 2^32 + answered, ascending
    counts: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))  # [P]

    def add(self, predictions: Predictions) -> None:
        """Counts these too."""
        episodes = predictions.episodes
        wrong = predictions.predicted != episodes.query_labels
        first = np.repeat(episodes.way_start[:-1], np.diff(episodes.query_start))[wrong]
        ways = (first + episodes.query_labels[wrong], first + predictions.predicted[wrong])
        asked, answered = (episodes.classes[flat].astype(np.int64) for flat in ways)
        pairs = np.concatenate([self.pairs, (asked << 32) + answered])
        self.pairs, code = np.unique(pairs, return_inverse=True)
        weights = np.concatenate([self.counts, np.ones(len(asked), dtype=np.int64)])
        self.counts = np.bincount(code, weights, len(self.pairs)).astype(np.int64)

    def most_often(self) -> dict[int, tuple[int, int]]:
        """For every label that was missed: the label that it was taken for most often (the lowest of equal ones), and
        how often."""
        order = np.lexsort((-self.counts, self.pairs >> 32))
        asked, at = np.unique(self.pairs[order] >> 32, return_index=True)
        best = order[at]
        taken_for = (self.pairs[best] & 0xFFFFFFFF).tolist()
        return dict(zip(asked.tolist(), zip(taken_for, self.counts[best].tolist(), strict=True), strict=True))


def lowest_class(by_class: ClassAccuracy) -> tuple[int, float] | None:
    """The label of the class with the lowest accuracy (the first of equal ones), and that accuracy; None where no class
    was asked for. As the least of many it is too low, the more so the fewer episodes a class has."""
    mean = by_class.mean
    if not np.isfinite(mean).any():
        return None
    label = int(np.nanargmin(mean))
    return label, float(mean[label])


def _padded(flat: np.ndarray, size: int) -> np.ndarray:
    return np.concatenate([flat, np.zeros(size - len(flat), flat.dtype)])
