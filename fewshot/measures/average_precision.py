"""Average precision, each way against the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fewshot.measures import EpisodeMeasure
from fewshot.measures._ranking import ranking
from fewshot.results.predictions import Predictions
from fewshot.statistics.interval import Floats


@dataclass(frozen=True)
class AveragePrecision(EpisodeMeasure):
    """The precision down to each query of a class, by the probability of that class, averaged."""

    columns: ClassVar = {
        "average_precision": "float | None",
        "average_precision_low": "float | None",
        "average_precision_high": "float | None",
    }
    title = "average precision"
    unit = "%"
    better = "higher"
    reason = "ranking_reason"

    def of_episodes(self, predictions: Predictions) -> Floats | None:
        return None if predictions.logits is None else ranking(predictions)[1]
