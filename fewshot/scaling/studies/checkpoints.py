"""The error of a checkpoint from one row, its variance, and why it may be unfit for a ladder."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from fewshot.scaling.studies.trained_rows import TrainedRow

_HELD_OUT_PER_CLASS = 10  # in the suites
_NEAR_CHANCE = "within two standard errors of chance"


@dataclass(frozen=True)
class Checkpoint:
    """The error of a checkpoint, over episodes or over all seen classes at once."""

    row: TrainedRow
    error: float  # at least 1e-6
    variance: float  # of log error; NaN if unknown
    unfit: str  # why it cannot be a rung of a ladder; "" if it can


def on_episodes(row: TrainedRow, n_way: int) -> Checkpoint | None:
    """The error over episodes. Its standard error is half the width of its interval over 1.96. None if the row has no
    accuracy."""
    if row.accuracy is None:
        return None
    error = max(1e-6, 1 - row.accuracy)
    if row.accuracy_low is None:
        return Checkpoint(row, error, math.nan, _not_learned(row) or "its accuracy has no interval")
    standard_error = (row.accuracy - row.accuracy_low) / 1.96
    near = _NEAR_CHANCE if row.accuracy - 1 / n_way <= 2 * standard_error else ""
    return Checkpoint(row, error, _of_log(error, standard_error), _not_learned(row) or near)


def on_seen_classes(row: TrainedRow) -> Checkpoint | None:
    """The error over all seen classes at once, with a binomial variance over the held-out images. None if the row has
    none."""
    if row.seen_error is None:
        return None
    images, chance = _seen_images(row), 1 / row.training_classes
    error = max(1e-6, row.seen_error)
    standard_error = math.sqrt(error * max(1 - error, 1e-3) / images)
    near = _NEAR_CHANCE if 1 - row.seen_error <= chance + 2 * math.sqrt(chance * (1 - chance) / images) else ""
    return Checkpoint(row, error, _of_log(error, standard_error), _not_learned(row) or near)


def assumed(rows: Iterable[TrainedRow]) -> str:
    """What is assumed about the number of images behind `seen_error`; "" if all rows have it."""
    if all(row.n_held_out for row in rows):
        return ""
    return f"Rows of an older release lack n_held_out; {_HELD_OUT_PER_CLASS} held-out images per class are assumed."


def _of_log(error: float, standard_error: float) -> float:
    """The variance of log e."""
    return (max(standard_error, 1e-4) / error) ** 2


def _not_learned(row: TrainedRow) -> str:
    rose = row.first_loss is not None and row.training_loss is not None and row.training_loss >= row.first_loss
    return "its training loss did not fall" if rose else ""


def _seen_images(row: TrainedRow) -> int:
    """The number of images behind `seen_error`. Older rows lack it, and suites hold out ten per class."""
    return row.n_held_out or _HELD_OUT_PER_CLASS * row.training_classes
