"""Ladders from rows: errors of one training at several numbers of images or of classes, under one protocol."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fewshot.scaling.laws import Floats
from fewshot.scaling.studies.checkpoints import assumed, error, unfit, variance
from fewshot.scaling.studies.trained_rows import head_name

SEEN_ERROR = "all seen classes"  # the protocol of the column seen_error
_SEED_OF_NARROWED = re.compile(r"^(Narrowed\(.*), seed=\d+\)$")
Rows = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Axis:
    """What grows from rung to rung."""

    column: str  # of rows
    word: str
    fewest: int  # rungs of a ladder


IMAGES = Axis("unique_images", "images", 3)
CLASSES = Axis("training_classes", "classes", 2)


@dataclass(frozen=True, order=True)
class Arm:
    """What is trained: one ladder with all its seeds."""

    network: str
    n_params: int
    rule: str  # what more images change: "epochs", "steps" or "tuned"
    recipe: str
    trained_on: str


@dataclass(frozen=True, order=True)
class Protocol:
    """How checkpoints are scored."""

    dataset: str
    classes: str
    head: str
    sampler: str
    n_way: int
    k_shot: int
    n_query: int
    narrowed: str = ""  # the split of the scored classes where it is Narrowed, without its seed

    def with_classes(self, classes: str) -> Protocol:
        """The same on other classes: equal N, K, Q and head."""
        return replace(self, classes=classes)

    @property
    def text(self) -> str:
        """In words."""
        few = f" of {self.narrowed}" if self.narrowed else ""
        return f"{self.dataset}, {self.classes} classes{few}, {self.n_way}-way {self.k_shot}-shot, {self.head}"


@dataclass(frozen=True, eq=False)
class Ladder:
    """Errors [S seeds, n] of an arm under a protocol at n sizes, and what was left out."""

    arm: Arm
    protocol: Protocol | None  # None: the error over all seen classes
    sizes: Floats  # [n] numbers of images, or of classes
    errors: Floats  # [S, n]
    variance: Floats  # [n] of log e of one checkpoint
    seeds: tuple[int, ...]
    dropped: tuple[str, ...]  # rungs and seeds that were left out, and why
    remark: str = ""  # what was assumed

    @property
    def weights(self) -> Floats:
        """[n] of the points in a fit, with mean 1."""
        return np.asarray((1 / self.variance) / np.mean(1 / self.variance))

    @property
    def name(self) -> str:
        """In words."""
        return SEEN_ERROR if self.protocol is None else self.protocol.text


def protocol_of(row: dict[str, Any]) -> Protocol | None:
    """How a row was scored; None where it has no fixed ways and shots."""
    if row.get("n_way") is None or row.get("k_shot") is None:
        return None
    size = (int(row["n_way"]), int(row["k_shot"]), int(row["n_query"] or 0))
    few = _SEED_OF_NARROWED.match(str(row.get("split") or ""))
    narrowed = f"{few[1]})" if few else ""
    return Protocol(str(row["dataset"]), str(row["classes"]), head_name(row), str(row["sampler"]), *size, narrowed)


def ladder_of(arm: Arm, protocol: Protocol | None, rows: Rows, axis: Axis) -> Ladder | None:
    """The ladder of rows of one arm and protocol along an axis; None where too few rungs are left."""
    column, n_way = ("seen_error", None) if protocol is None else ("accuracy", protocol.n_way)
    points = {(int(r["training_seed"]), int(r[axis.column])): r for r in rows if r.get(column) is not None}
    in_order = sorted(points.items(), key=lambda item: item[0][::-1])
    dropped = {size: why for (_, size), row in in_order if (why := unfit(row, n_way))}
    sizes = sorted({size for _, size in points} - set(dropped))
    seeds = sorted({seed for seed, _ in points})
    whole = [seed for seed in seeds if all((seed, size) in points for size in sizes)]
    if len(sizes) < axis.fewest or not whole:
        return None
    told = [f"{size} {axis.word}: {why}" for size, why in dropped.items()]
    told += [f"seed {seed}: not all of its rungs are there" for seed in seeds if seed not in whole]
    kept = [[points[seed, size] for size in sizes] for seed in whole]
    errors = np.array([[error(row, n_way) for row in of_seed] for of_seed in kept])
    within = np.array([[variance(row, n_way) for row in of_seed] for of_seed in kept]).mean(0)
    between = np.log(errors).var(0, ddof=1).mean() if len(whole) > 1 else 0.0
    remark = assumed(row for of_seed in kept for row in of_seed) if protocol is None else ""
    return Ladder(arm, protocol, np.array(sizes, float), errors, within + between, tuple(whole), tuple(told), remark)
