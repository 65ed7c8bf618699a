"""Ladders from rows: errors of one training at several numbers of images or of classes, under one protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fewshot.plugins.spec import Spec
from fewshot.scaling.laws import Floats
from fewshot.scaling.studies.checkpoints import Checkpoint, assumed, on_episodes, on_seen_classes
from fewshot.scaling.studies.protocols import Protocol, told_apart
from fewshot.scaling.studies.trained_rows import TrainedRow, two_rows

SEEN_ERROR = "all seen classes"  # the protocol of the column seen_error


@dataclass(frozen=True)
class Axis:
    """What grows from rung to rung."""

    size: Callable[[TrainedRow], int]
    word: str
    fewest: int  # rungs of a ladder


IMAGES = Axis(lambda row: row.unique_images, "images", 3)
CLASSES = Axis(lambda row: row.training_classes, "classes", 2)


@dataclass(frozen=True)
class Arm:
    """What is trained: one ladder with all its seeds."""

    network: Spec
    n_params: int
    rule: str  # what more images change: "epochs", "steps" or "tuned"
    recipe: Spec
    trained_on: str

    @property
    def name(self) -> str:
        """Network, rule and source, for people."""
        return f"{self.network.short_name}, {self.rule}, on {self.trained_on}"

    @property
    def details(self) -> tuple[str | Spec, ...]:
        """What the name may leave out."""
        return self.network, f"{self.n_params:,} weights", self.recipe

    @property
    def order(self) -> tuple[str | int, ...]:
        """To sort by."""
        return self.network.text, self.n_params, self.rule, self.recipe.text, self.trained_on


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
        """How it is scored, with members as specs."""
        return SEEN_ERROR if self.protocol is None else self.protocol.text


@dataclass(frozen=True)
class Names:
    """Names of ladders and their arms for people, all different."""

    arms: Mapping[Arm, str]
    protocols: Mapping[Protocol, str]  # in few words
    texts: Mapping[Protocol, str]  # with members as specs

    @staticmethod
    def of(ladders: Iterable[Ladder]) -> Names:
        """The names of these ladders and no others."""
        found = list(ladders)
        protocols = [ladder.protocol for ladder in found if ladder.protocol is not None]
        return Names(
            told_apart((ladder.arm for ladder in found), lambda arm: arm.name),
            told_apart(protocols, lambda protocol: protocol.short_name),
            told_apart(protocols, lambda protocol: protocol.text),
        )

    def arm(self, ladder: Ladder) -> str:
        """What is trained."""
        return self.arms[ladder.arm]

    def short(self, ladder: Ladder) -> str:
        """How it is scored, in few words."""
        return SEEN_ERROR if ladder.protocol is None else self.protocols[ladder.protocol]

    def text(self, ladder: Ladder) -> str:
        """How it is scored, with members as specs."""
        return SEEN_ERROR if ladder.protocol is None else self.texts[ladder.protocol]


def ladder_of(arm: Arm, protocol: Protocol | None, rows: Iterable[TrainedRow], axis: Axis) -> Ladder | None:
    """The ladder of rows of one arm and protocol along an axis; None where too few rungs are left."""
    points = _points(protocol, rows, axis)
    in_order = sorted(points.items(), key=lambda item: item[0][::-1])
    dropped = {size: point.unfit for (_, size), point in in_order if point.unfit}
    sizes = sorted({size for _, size in points} - set(dropped))
    seeds = sorted({seed for seed, _ in points})
    whole = [seed for seed in seeds if all((seed, size) in points for size in sizes)]
    if len(sizes) < axis.fewest or not whole:
        return None
    left_out = [f"{size} {axis.word}: {why}" for size, why in dropped.items()]
    left_out += [f"seed {seed}: some of its rungs are missing" for seed in seeds if seed not in whole]
    kept = [[points[seed, size] for size in sizes] for seed in whole]
    errors = np.array([[point.error for point in of_seed] for of_seed in kept])
    return Ladder(
        arm,
        protocol,
        np.array(sizes, float),
        errors,
        _variance(kept, errors),
        tuple(whole),
        tuple(left_out),
        assumed(point.row for of_seed in kept for point in of_seed) if protocol is None else "",
    )


def _points(protocol: Protocol | None, rows: Iterable[TrainedRow], axis: Axis) -> dict[tuple[int, int], Checkpoint]:
    """The checkpoint of each seed at each size; a ValueError where two rows of one differ."""
    n_way = None if protocol is None else protocol.target.n_way
    points: dict[tuple[int, int], Checkpoint] = {}
    for row in rows:
        point = on_episodes(row, n_way) if n_way else on_seen_classes(row)
        if point is not None:
            first = points.setdefault((row.training_seed, axis.size(row)), point)
            if first.error != point.error:
                raise two_rows(first.row, row)
    return points


def _variance(kept: Sequence[Sequence[Checkpoint]], errors: Floats) -> Floats:
    """[n] of log e: that of one checkpoint, and what seeds add."""
    within = np.array([[point.variance for point in of_seed] for of_seed in kept]).mean(0)
    between = np.log(errors).var(0, ddof=1).mean() if len(kept) > 1 else 0.0
    return np.asarray(within + between)
