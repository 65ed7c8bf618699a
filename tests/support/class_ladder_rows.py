"""Rows of networks that were trained on more and more classes, with known changes of their errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fewshot.results.files import Row
from fewshot.scaling.studies.class_ladders import Fixed
from tests.support.trained_rows import SEEDS, row

COUNTS = (32, 64, 128, 256)
A_CLASS, IN_ALL = Fixed(16, in_all=False), Fixed(512, in_all=True)
NARROWED = "Narrowed(inner=Committed(name='icons_mono'), n_seen=32, seed={})"
Change = Callable[[Fixed, int], float]


def change_of(fixed: Fixed, seed: int) -> float:
    """Of the error from the fewest to the most classes: .09, .10, .11 with a total fixed, minus that otherwise."""
    return (0.1 + 0.01 * (seed - 1)) * (1 if fixed.in_all else -1)


def rung(count: int, fixed: Fixed, seed: int, error: float, classes: str = "novel", **changed: Any) -> Row:
    """A row of a network trained on `count` classes, whose error is given."""
    images = fixed.n_images if fixed.in_all else fixed.n_images * count
    scored = {"n_classes": 88 if classes == "novel" else 32, "n_seen_classes": 0 if classes == "novel" else 32}
    about = {
        "training_classes": count, "pretrained_on": f"icons mono: {images} images of {count} classes", "n_way": 5,
        "split": NARROWED.format(seed), "accuracy": 1 - error, "accuracy_low": 0.99 - error, "seen_error": 0.5,
    }  # fmt: skip
    return row(images, seed, classes, **{"k_shot": 1} | about | scored | changed)


def ladder_rows(seeds: Sequence[int] = SEEDS, change: Change = change_of, **changed: Any) -> list[Row]:
    """Both ladders, from an error of .3, .4, .5 at the fewest classes: seeds differ far more than changes do."""
    return [
        rung(count, fixed, seed, 0.3 + 0.1 * seed + change(fixed, seed) * place / 3, **changed)
        for seed in seeds for fixed in (A_CLASS, IN_ALL) for place, count in enumerate(COUNTS)
    ]  # fmt: skip
