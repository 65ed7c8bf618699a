"""Whether an answer given with 80 % confidence is right 80 times in 100."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fewshot.scoring import Predictions
from fewshot.statistics import Floats, Ints

N_BINS = 15
_CODES = 1 << 16  # values of a float16


@dataclass(frozen=True, eq=False)
class Bins:
    """The queries in bins of equal mass, by confidence, the lowest first."""

    confidence: Floats  # [bins] mean
    accuracy: Floats  # [bins]
    n_queries: float  # in each bin

    @property
    def error(self) -> float:
        """The mean over the bins of |confidence - accuracy|: the expected calibration error."""
        return float(np.abs(self.confidence - self.accuracy).mean())


@dataclass(frozen=True, eq=False)
class Calibration:
    """Counts of queries and of right answers at every confidence that a float16 can hold, which is all that the
    predictions of any number of episodes have to say about it."""

    asked: Ints = field(default_factory=lambda: np.zeros(_CODES, dtype=np.int64))
    right: Ints = field(default_factory=lambda: np.zeros(_CODES, dtype=np.int64))

    def add(self, predictions: Predictions) -> None:
        """Counts these too."""
        codes = np.asarray(predictions.confidence, dtype=np.float16).view(np.uint16)
        correct: NDArray[np.bool_] = predictions.predicted == predictions.episodes.query_labels
        self.asked[:] += np.bincount(codes, minlength=_CODES)
        self.right[:] += np.bincount(codes[correct], minlength=_CODES)

    def bins(self, count: int = N_BINS) -> Bins:
        """Bins that hold equally many queries; queries of one confidence that span several are shared out evenly, so
        their order never counts. A ValueError where there is no query."""
        met = np.flatnonzero(self.asked)
        if not len(met):
            raise ValueError("a calibration needs at least one query, got none")
        values = met.astype(np.uint16).view(np.float16).astype(np.float64)
        asked, right = self.asked[met], self.right[met]
        ends = np.concatenate([[0], np.cumsum(asked)])
        edges = ends[-1] * np.arange(count + 1) / count
        sums = (np.interp(edges, ends, np.concatenate([[0.0], np.cumsum(flat)])) for flat in (values * asked, right))
        mass = ends[-1] / count
        confidence, accuracy = (np.diff(total) / mass for total in sums)
        return Bins(confidence, accuracy, mass)


def calibration_error(calibration: Calibration) -> float:
    """The expected calibration error of the predicted ways, with 15 adaptive bins of equal mass (Nguyen and O'Connor
    2015, arXiv 1508.05154), over the queries of all episodes together; NaN where there are none. On a few queries it
    is biased upward: each bin's gap counts absolutely, noise too. So it is never made of a single episode."""
    return calibration.bins().error if calibration.asked.any() else float("nan")
