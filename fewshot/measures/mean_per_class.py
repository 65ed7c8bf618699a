"""Mean per-class accuracy: every class counts alike, however many queries it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fewshot.measures import EpisodeMeasure
from fewshot.results.predictions import Predictions, means
from fewshot.statistics.intervals import Floats


@dataclass(frozen=True)
class MeanPerClass(EpisodeMeasure):
    """The accuracy of each class, averaged over the classes of an episode (balanced accuracy)."""

    columns: ClassVar = {
        "mean_per_class": "float | None",
        "mean_per_class_low": "float | None",
        "mean_per_class_high": "float | None",
    }
    title = "mean per class"
    unit = "%"
    better = "higher"

    def of_episodes(self, predictions: Predictions) -> Floats:
        return mean_per_class(predictions)


def mean_per_class(predictions: Predictions) -> Floats:
    """[E] the mean over the ways with queries of the share of right answers (macro recall); NaN without queries.

    It is the accuracy if all ways have equally many queries.
    """
    episodes = predictions.episodes
    first = np.repeat(episodes.way_start[:-1], np.diff(episodes.query_start))
    truth, correct = first + episodes.query_labels, predictions.predicted == episodes.query_labels
    right = np.bincount(truth[correct], minlength=len(episodes.classes))
    queried = episodes.query_count > 0
    recall = right[queried] / episodes.query_count[queried]
    return means(recall, np.concatenate([[0], np.cumsum(queried)])[episodes.way_start])
