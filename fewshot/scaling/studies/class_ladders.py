"""Ladders of pre-training classes from rows: error on the same classes at every rung, and what the most classes change
against the fewest, paired by the seed of the training.

What stays fixed decides what a ladder says: with so many images of each class, images grow with the classes; with so
many in all, more classes leave fewer images of each. A checkpoint may be a rung of both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fewshot.scaling.fits.intervals import Difference, student_bounds
from fewshot.scaling.studies.ladders import CLASSES, Arm, Ladder, Protocol, Rows, ladder_of, protocol_of
from fewshot.scaling.studies.trained_rows import ONE_SEED, source_name, trained

HURT, HELP, UNTOLD = "hurt", "help", "cannot be told"  # what more classes do


@dataclass(frozen=True, order=True)
class Fixed:
    """The images that every rung has."""

    n_images: int
    in_all: bool  # or of each class

    @property
    def text(self) -> str:
        """In words."""
        return f"{self.n_images} images {'in all' if self.in_all else 'a class'}"


@dataclass(frozen=True, order=True)
class Setting:
    """All that ladders which are shown together share: what is trained on which set, and how it is scored."""

    arm: Arm
    protocol: Protocol  # of no classes and no shots


@dataclass(frozen=True, eq=False)
class ClassLadder:
    """Errors of one training under one protocol over numbers of classes, all else but the images fixed."""

    setting: Setting
    fixed: Fixed
    protocol: Protocol
    ladder: Ladder  # its sizes are numbers of classes

    @property
    def classes(self) -> tuple[int, ...]:
        """[n] of training, ascending."""
        return tuple(int(size) for size in self.ladder.sizes)

    @property
    def rungs(self) -> str:
        """The ends in words."""
        return f"{self.classes[-1]} classes instead of {self.classes[0]}"

    @property
    def means(self) -> list[tuple[float, float, float]]:
        """[n] mean error over seeds, with the bounds of its 95 % t interval in [0, 1]; NaN bounds below two seeds."""
        bounds = [np.clip(student_bounds(errors), 0, 1) for errors in self.ladder.errors.T]
        means = self.ladder.errors.mean(0)
        return [(float(mean), float(low), float(high)) for mean, (low, high) in zip(means, bounds, strict=True)]

    @property
    def change(self) -> Difference:
        """Error at the most classes minus error at the fewest, mean over the same seeds with a 95 % t interval."""
        differences = self.ladder.errors[:, -1] - self.ladder.errors[:, 0]
        count = len(differences)
        how = f"a difference for each of {count} seeds, Student's t" if count > 1 else ONE_SEED
        return Difference(float(differences.mean()), *student_bounds(differences), how)

    @property
    def verdict(self) -> str:
        """Whether more classes hurt or help; that it cannot be told where the interval of the change holds 0, or where
        there is none."""
        change = self.change
        return HURT if change.low > 0 else HELP if change.high < 0 else UNTOLD


def class_ladders(rows: Rows) -> list[ClassLadder]:
    """The ladders with two numbers of classes or more, setting by setting; a ValueError where there is none.

    Scores are compared on the same classes only, all of which a network has seen, or none. Rungs and seeds are left out
    as in ladders of images.
    """
    groups: dict[tuple[Setting, Fixed, Protocol], list[dict[str, Any]]] = {}
    for row in trained(rows):
        protocol = protocol_of(row)
        if protocol is not None and _whole(row):
            for fixed in _fixed(row):
                groups.setdefault((_setting(row, protocol), fixed, protocol), []).append(row)
    found = list(_found(groups))
    if not found:
        raise ValueError(
            f"no ladder of classes was found: rows of networks that were trained here (Pretrained) on {CLASSES.fewest} "
            "or more numbers of classes and scored on the same ones, such as those of `fewshot bench data_scaling_full`"
        )
    return found


def _found(groups: dict[tuple[Setting, Fixed, Protocol], list[dict[str, Any]]]) -> Iterator[ClassLadder]:
    """In the order of settings, what is fixed, classes and shots."""
    for (setting, fixed, protocol), rows in sorted(groups.items(), key=lambda item: item[0]):
        arm = replace(setting.arm, trained_on=f"{setting.arm.trained_on}, {fixed.text}")
        ladder = ladder_of(arm, protocol, rows, CLASSES)
        if ladder is not None:
            yield ClassLadder(setting, fixed, protocol, ladder)


def _whole(row: dict[str, Any]) -> bool:
    """Whether the network has seen none or all of the classes that it is scored on, as far as is known."""
    return row["n_seen_classes"] in (None, 0, row["n_classes"])


def _fixed(row: dict[str, Any]) -> Iterator[Fixed]:
    """What a checkpoint may be a rung of."""
    images, classes = int(row["unique_images"]), int(row["training_classes"])
    yield Fixed(images, in_all=True)
    if images % classes == 0:
        yield Fixed(images // classes, in_all=False)


def _setting(row: dict[str, Any], protocol: Protocol) -> Setting:
    arm = Arm(str(row["network"]), row["n_params"], str(row["training_rule"]), str(row["recipe"]), source_name(row))
    return Setting(arm, replace(protocol, classes="", k_shot=0))
