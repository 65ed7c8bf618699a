"""Macro-F1: precision and recall of every way in one number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fewshot.measures import EpisodeMeasure
from fewshot.measures._per_class import mean_over_ways, right_answers
from fewshot.results.predictions import Predictions
from fewshot.statistics.interval import Floats


@dataclass(frozen=True)
class MacroF1(EpisodeMeasure):
    """The F1 score of each class, averaged over the classes of an episode."""

    columns: ClassVar = {"macro_f1": "float | None", "macro_f1_low": "float | None", "macro_f1_high": "float | None"}
    title = "macro-F1"
    unit = "%"
    better = "higher"

    def of_episodes(self, predictions: Predictions) -> Floats:
        return macro_f1(predictions)


def macro_f1(predictions: Predictions) -> Floats:
    """[E] the mean of F1 = 2 TP / (queries + answers), in [0, 1], over the ways of an episode that have a query or an
    answer; NaN for an episode without queries."""
    episodes = predictions.episodes
    n_ways = len(episodes.classes)
    first = np.repeat(episodes.way_start[:-1], np.diff(episodes.query_start))
    answer = first + predictions.predicted
    right = right_answers(predictions)
    total = episodes.query_count + np.bincount(answer, minlength=n_ways)
    counted = total > 0
    f1 = 2.0 * right[counted] / total[counted]
    return mean_over_ways(f1, counted, predictions)
