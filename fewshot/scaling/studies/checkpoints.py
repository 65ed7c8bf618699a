"""What one row says of a checkpoint: its error, how sure that is, and why it may be unfit for a ladder."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

_HELD_OUT_A_CLASS = 10  # of the suites
Row = dict[str, Any]  # as trained_rows.trained returns it


def error(row: Row, n_way: int | None) -> float:
    """Of episodes of `n_way` classes, or over all seen classes at once where that is None; at least 1e-6."""
    return max(1e-6, float(row["seen_error"] if n_way is None else 1 - row["accuracy"]))


def variance(row: Row, n_way: int | None) -> float:
    """Of log e, from the standard error of e: of the episodes, or binomial over the images held out."""
    e = error(row, n_way)
    standard_error = np.sqrt(e * max(1 - e, 1e-3) / _seen_images(row)) if n_way is None else _standard_error(row)
    return float(max(standard_error, 1e-4) / e) ** 2


def assumed(rows: Iterable[Row]) -> str:
    """What is assumed of the images that `seen_error` is counted on; "" where all rows say how many they are."""
    if all(row.get("n_held_out") for row in rows):
        return ""
    return f"rows of an older release do not say n_held_out: {_HELD_OUT_A_CLASS} images a class are assumed"


def unfit(row: Row, n_way: int | None) -> str:
    """Why a checkpoint is left out; '' where it is not."""
    if None not in (row["first_loss"], row["training_loss"]) and row["training_loss"] >= row["first_loss"]:
        return "its training loss did not fall"
    if n_way is None:
        chance = 1 / int(row["training_classes"])
        near = 1 - row["seen_error"] <= chance + 2 * np.sqrt(chance * (1 - chance) / _seen_images(row))
    elif row["accuracy_low"] is None:
        return "its accuracy has no interval"
    else:
        near = row["accuracy"] - 1 / n_way <= 2 * _standard_error(row)
    return "within two standard errors of chance" if near else ""


def _standard_error(row: Row) -> float:
    """Of the accuracy over episodes: its interval's half width is 1.96 of them."""
    return float((row["accuracy"] - row["accuracy_low"]) / 1.96)


def _seen_images(row: Row) -> int:
    """How many images `seen_error` is counted on; older rows do not say, and the suites hold ten a class out."""
    return int(row.get("n_held_out") or _HELD_OUT_A_CLASS * int(row["training_classes"]))
