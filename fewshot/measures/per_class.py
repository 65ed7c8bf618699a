"""The accuracy of each class over the episodes that hold it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fewshot.scoring import Predictions
from fewshot.statistics import Floats, Ints


@dataclass(eq=False)
class ClassAccuracy:
    """Of each label: how many episodes ask for it, and the mean over them of the share of its queries that were right
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
