"""Ladders of pre-training classes from rows: error on the same classes at every rung, and the change from the fewest to
the most classes, paired by training seed.

With fixed images per class, images grow with the classes. With a fixed total, more classes leave fewer images per
class. A checkpoint may be a rung of both kinds of ladder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from fewshot.plugins.spec import Spec
from fewshot.plugins.wording import counted
from fewshot.scaling.fits.intervals import ONE_SEED, Difference, student_bounds
from fewshot.scaling.studies.ladders import CLASSES, Arm, Ladder, ladder_of
from fewshot.scaling.studies.protocols import Head, Protocol, Target, unique_names
from fewshot.scaling.studies.trained_rows import TrainedRow

HURT, HELP, UNCLEAR = "hurt", "help", "unclear"  # the effect of more classes


@dataclass(frozen=True, order=True)
class Fixed:
    """The number of images at every rung."""

    n_images: int
    in_all: bool  # in total; False: per class

    @property
    def text(self) -> str:
        """Such as "512 images in all"."""
        return f"{counted(self.n_images, 'image')} {'in all' if self.in_all else 'per class'}"


@dataclass(frozen=True)
class Setting:
    """What ladders share that are shown together: network, training set, and scoring."""

    arm: Arm
    target: Target  # without classes
    head: Head

    @property
    def name(self) -> str:
        """A name for people."""
        scored = f"{self.target.dataset.short_name}, {self.target.n_way}-way, {self.head.short_name}"
        return f"{self.arm.name}; {scored}"

    @property
    def order(self) -> tuple[str | int, ...]:
        """The sort key."""
        return *self.arm.order, self.target.dataset.text, self.head.text, *map(str, self.target.details)

    @property
    def details(self) -> tuple[str | Spec, ...]:
        """What names omit."""
        return *self.arm.details, *self.target.details, *self.head.details


@dataclass(frozen=True, eq=False)
class ClassLadder:
    """Errors of one training under one protocol over numbers of classes."""

    setting: Setting
    fixed: Fixed
    protocol: Protocol
    ladder: Ladder  # its sizes are numbers of classes

    @property
    def classes(self) -> tuple[int, ...]:
        """[n] numbers of training classes, ascending."""
        return tuple(int(size) for size in self.ladder.sizes)

    @property
    def rungs(self) -> str:
        """Both ends: "256 classes instead of 32"."""
        return f"{self.classes[-1]} classes instead of {self.classes[0]}"

    @property
    def means(self) -> list[tuple[float, float, float]]:
        """[n] mean error over seeds, with the bounds of its 95 % t interval in [0, 1]; NaN bounds below two seeds."""
        bounds = [np.clip(student_bounds(errors), 0, 1) for errors in self.ladder.errors.T]
        means = self.ladder.errors.mean(0)
        return [(float(mean), float(low), float(high)) for mean, (low, high) in zip(means, bounds, strict=True)]

    @property
    def change(self) -> Difference:
        """Error at the most classes minus error at the fewest: mean over seeds with a 95 % t interval."""
        differences = self.ladder.errors[:, -1] - self.ladder.errors[:, 0]
        count = len(differences)
        how = f"one difference for each of {count} seeds, Student's t" if count > 1 else ONE_SEED
        return Difference(float(differences.mean()), *student_bounds(differences), how)

    @property
    def verdict(self) -> str:
        """Whether more classes hurt or help; unclear if the interval of the change contains 0 or is missing."""
        change = self.change
        return HURT if change.low > 0 else HELP if change.high < 0 else UNCLEAR


def scored_on(protocol: Protocol) -> str:
    """Classes and shots: "new classes, 5-shot"."""
    return f"{classes_name(protocol)}, {protocol.k_shot}-shot"


def classes_name(protocol: Protocol) -> str:
    """The scored classes: "new classes"."""
    return "new classes" if protocol.target.classes == "novel" else f"{protocol.target.classes} classes"


def setting_names(ladders: Iterable[ClassLadder]) -> dict[Setting, str]:
    """The names of the settings, all different."""
    return unique_names((each.setting for each in ladders), lambda setting: setting.name)


def class_ladders(rows: Iterable[TrainedRow]) -> list[ClassLadder]:
    """The ladders with two numbers of classes or more, setting by setting.

    Scores are compared only on the same classes, of which a network has seen all or none. Rungs and seeds are omitted
    as in ladders of images.
    """
    groups: dict[tuple[Setting, Fixed, Protocol], list[TrainedRow]] = {}
    for row in rows:
        if row.protocol is not None and _saw_all_or_none(row):
            for fixed in _fixed(row):
                groups.setdefault((_setting(row, row.protocol), fixed, row.protocol), []).append(row)
    return list(_in_order(groups))


def _in_order(groups: dict[tuple[Setting, Fixed, Protocol], list[TrainedRow]]) -> Iterator[ClassLadder]:
    """The ladders in the order of settings, numbers of images, classes and shots."""
    for setting, fixed, protocol in sorted(groups, key=lambda key: (key[0].order, key[1], key[2].order)):
        arm = replace(setting.arm, trained_on=f"{setting.arm.trained_on}, {fixed.text}")
        ladder = ladder_of(arm, protocol, groups[setting, fixed, protocol], CLASSES)
        if ladder is not None:
            yield ClassLadder(setting, fixed, protocol, ladder)


def _saw_all_or_none(row: TrainedRow) -> bool:
    """Whether the network has seen none or all of the scored classes, as far as is known."""
    return row.n_seen_classes in (None, 0, row.n_classes)


def _fixed(row: TrainedRow) -> Iterator[Fixed]:
    """The numbers of images whose ladders a checkpoint may be a rung of."""
    images, classes = row.unique_images, row.training_classes
    yield Fixed(images, in_all=True)
    if images % classes == 0:
        yield Fixed(images // classes, in_all=False)


def _setting(row: TrainedRow, protocol: Protocol) -> Setting:
    arm = Arm(row.network, row.n_params, row.training_rule, row.recipe, row.source)
    return Setting(arm, replace(protocol.target, classes=""), protocol.head)
