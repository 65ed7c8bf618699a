"""How often each image is classified correctly, for designs in which the same images are queries of many episodes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fewshot.results.predictions import Predictions
from fewshot.statistics.interval import Floats, Ints


@dataclass(eq=False)
class ImageAnswers:
    """For each row of the data set: in how many episodes it is a query, a correct query, and a support image."""

    counts: Ints = field(default_factory=lambda: np.zeros((3, 0), dtype=np.int64))  # [3, n]
    labels: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))  # [n] of the queries, 0 for others
    n_episodes: int = 0

    def add(self, predictions: Predictions) -> None:
        """Adds these predictions to the counts."""
        episodes = predictions.episodes
        right = episodes.query[predictions.predicted == episodes.query_labels]
        size = max(self.counts.shape[1], *(int(r.max(initial=-1)) + 1 for r in (episodes.query, episodes.support)))
        grown = np.zeros((4, size), dtype=np.int64)
        grown[:3, : self.counts.shape[1]], grown[3, : len(self.labels)] = self.counts, self.labels
        for number, rows in enumerate((episodes.query, right, episodes.support)):
            grown[number] += np.bincount(rows, minlength=size)
        grown[3, episodes.query] = np.repeat(episodes.classes, episodes.query_count)
        self.counts, self.labels = grown[:3], grown[3]
        self.n_episodes += len(predictions)

    @property
    def whole(self) -> bool:
        """Whether every episode answers the same images except its own support: a whole test set."""
        queries, _, supports = self.counts[:, self.counts[0] > 0]
        return bool((queries + supports == self.n_episodes).all())

    def accuracy(self) -> tuple[Floats, Ints]:
        """For every image that is a query of some episode: the share of right answers, and its label."""
        queried = self.counts[0] > 0
        return self.counts[1, queried] / self.counts[0, queried], self.labels[queried]
