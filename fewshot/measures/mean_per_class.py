"""Mean per-class accuracy: every class counts alike, however many queries it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fewshot.measures import EpisodeMeasure
from fewshot.measures._per_class import mean_over_ways, right_answers
from fewshot.results.predictions import Predictions
from fewshot.statistics.interval import Floats


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
    count = predictions.episodes.query_count
    queried = count > 0
    return mean_over_ways(right_answers(predictions)[queried] / count[queried], queried, predictions)
