"""The logarithmic loss: how much probability the true class gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fewshot.measures import EpisodeMeasure
from fewshot.results.predictions import Predictions, means
from fewshot.statistics.interval import Floats


@dataclass(frozen=True)
class LogLoss(EpisodeMeasure):
    """The mean of -ln p of the true class; guessing among N classes gives ln N."""

    columns: ClassVar = {"log_loss": "float | None", "log_loss_low": "float | None", "log_loss_high": "float | None"}
    title = "log loss"
    unit = "nats"
    limits = (0.0, None)
    better = "lower"

    def of_episodes(self, predictions: Predictions) -> Floats:
        return log_loss(predictions)


def log_loss(predictions: Predictions) -> Floats:
    """[E] the mean over the queries of -ln of the probability of the true way (negative log-likelihood). NaN for an
    episode without queries."""
    return means(-predictions.log_probability.astype(np.float64), predictions.episodes.query_start)
