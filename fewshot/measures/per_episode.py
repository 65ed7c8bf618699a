"""Measures of each episode by itself."""

from __future__ import annotations

import numpy as np

from fewshot.results.predictions import Predictions, means
from fewshot.statistics.intervals import Floats


def macro_f1(predictions: Predictions) -> Floats:
    """[E] the mean over the ways of F1 = 2 TP / (asked + answered), in [0, 1]: over the ways of an episode that have
    a query or were predicted. NaN for an episode without queries."""
    episodes = predictions.episodes
    n_ways = len(episodes.classes)
    first = np.repeat(episodes.way_start[:-1], np.diff(episodes.query_start))
    truth, answer = first + episodes.query_labels, first + predictions.predicted
    right = np.bincount(truth[truth == answer], minlength=n_ways)
    met = episodes.query_count + np.bincount(answer, minlength=n_ways)
    counted = met > 0
    f1 = 2.0 * right[counted] / met[counted]
    return means(f1, np.concatenate([[0], np.cumsum(counted)])[episodes.way_start])


def log_loss(predictions: Predictions) -> Floats:
    """[E] the mean over the queries of -ln of the probability of the true way (negative log-likelihood): 0 is best,
    ln N is guessing. NaN for an episode without queries."""
    return means(-predictions.log_probability.astype(np.float64), predictions.episodes.query_start)
