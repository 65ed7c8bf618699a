"""Ladders from rows: errors of one training at several numbers of images or classes, under one protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fewshot.plugins.spec import Spec
from fewshot.scaling.laws import Floats
from fewshot.scaling.studies.checkpoints import Checkpoint, assumed, on_episodes, on_seen_classes
from fewshot.scaling.studies.protocols import Protocol, unique_names
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
    """A training with all its seeds: one ladder per protocol."""

    network: Spec
    n_params: int
    rule: str  # how training grows with images: "epochs", "steps" or "tuned"
    recipe: Spec
    trained_on: str

    @property
    def name(self) -> str:
        """Network, training rule and source."""
        return f"{self.network.short_name}, {self.rule}, on {self.trained_on}"

    @property
    def details(self) -> tuple[str | Spec, ...]:
        """What the name may omit."""
        return self.network, f"{self.n_params:,} weights", self.recipe

    @property
    def order(self) -> tuple[str | int, ...]:
        """The sort key."""
        return self.network.text, self.n_params, self.rule, self.recipe.text, self.trained_on


@dataclass(frozen=True, eq=False)
class Ladder:
    """Errors [S seeds, n] of an arm under a protocol at n sizes, and what was omitted."""

    arm: Arm
    protocol: Protocol | None  # None: the error over all seen classes
    sizes: Floats  # [n] numbers of images, or of classes
    errors: Floats  # [S, n]
    variance: Floats  # [n] of log e of one checkpoint
    seeds: tuple[int, ...]
    dropped: tuple[str, ...]  # omitted rungs and seeds, with reasons
    remark: str = ""  # an assumption about the rows

    @property
    def weights(self) -> Floats:
        """[n] weights of the points in a fit, with mean 1."""
        return np.asarray((1 / self.variance) / np.mean(1 / self.variance))

    @property
    def name(self) -> str:
        """The protocol, with members as specs."""
        return SEEN_ERROR if self.protocol is None else self.protocol.text


@dataclass(frozen=True)
class Names:
    """Names of ladders and their arms, all different."""

    arms: Mapping[Arm, str]
    protocols: Mapping[Protocol, str]  # short
    texts: Mapping[Protocol, str]  # with members as specs

    @staticmethod
    def of(ladders: Iterable[Ladder]) -> Names:
        """The names of these ladders."""
        every = list(ladders)
        protocols = [ladder.protocol for ladder in every if ladder.protocol is not None]
        return Names(
            unique_names((ladder.arm for ladder in every), lambda arm: arm.name),
            unique_names(protocols, lambda protocol: protocol.short_name),
            unique_names(protocols, lambda protocol: protocol.text),
        )

    def arm(self, ladder: Ladder) -> str:
        """The name of the arm."""
        return self.arms[ladder.arm]

    def short(self, ladder: Ladder) -> str:
        """The short name of the protocol."""
        return SEEN_ERROR if ladder.protocol is None else self.protocols[ladder.protocol]

    def text(self, ladder: Ladder) -> str:
        """The protocol, with members as specs."""
        return SEEN_ERROR if ladder.protocol is None else self.texts[ladder.protocol]


def ladder_of(arm: Arm, protocol: Protocol | None, rows: Iterable[TrainedRow], axis: Axis) -> Ladder | None:
    """The ladder of the rows of one arm and protocol along an axis; None if too few rungs remain."""
    points = _points(protocol, rows, axis)
    in_order = sorted(points.items(), key=lambda item: item[0][::-1])
    dropped = {size: point.unfit for (_, size), point in in_order if point.unfit}
    sizes = sorted({size for _, size in points} - set(dropped))
    seeds = sorted({seed for seed, _ in points})
    complete = [seed for seed in seeds if all((seed, size) in points for size in sizes)]
    if len(sizes) < axis.fewest or not complete:
        return None
    omitted = [f"{size} {axis.word}: {why}" for size, why in dropped.items()]
    omitted += [f"seed {seed}: some of its rungs are missing" for seed in seeds if seed not in complete]
    kept = [[points[seed, size] for size in sizes] for seed in complete]
    errors = np.array([[point.error for point in own] for own in kept])
    return Ladder(
        arm,
        protocol,
        np.array(sizes, float),
        errors,
        _variance(kept, errors),
        tuple(complete),
        tuple(omitted),
        assumed(point.row for own in kept for point in own) if protocol is None else "",
    )


def _points(protocol: Protocol | None, rows: Iterable[TrainedRow], axis: Axis) -> dict[tuple[int, int], Checkpoint]:
    """The checkpoint of each seed at each size. Raises a ValueError if two rows of one checkpoint differ."""
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
    """[n] the variance of log e: within a checkpoint plus between seeds."""
    within = np.array([[point.variance for point in own] for own in kept]).mean(0)
    between = np.log(errors).var(0, ddof=1).mean() if len(kept) > 1 else 0.0
    return np.asarray(within + between)
