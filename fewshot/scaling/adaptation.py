"""Laws of few-shot adaptation from rows of ladders (after Prato et al. 2021, arXiv 2110.06990): exponents by protocol,
and their paired differences over the same checkpoints.

b is minus the exponent of a power law (M1) of error over unique pre-training images. b_new - b_seen is quoted first on
equal ways, shots, queries and head, then against the error over all seen classes at once. Points have equal weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from fewshot.scaling.intervals import Difference, Estimate, over_seeds, paired_difference
from fewshot.scaling.laws import Floats, Law, Points, named
from fewshot.scaling.trained_rows import head_name, source_name, trained
from fewshot.scaling.trust import Trust, trust_all

SEEN_ERROR = "all seen classes"  # the protocol of the column seen_error
_FEWEST_RUNGS = 3
_HELD_OUT_A_CLASS = 10  # of the suites
Rows = Sequence[dict[str, Any]]


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

    def with_classes(self, classes: str) -> Protocol:
        """The same on other classes: equal N, K, Q and head."""
        return Protocol(self.dataset, classes, self.head, self.sampler, self.n_way, self.k_shot, self.n_query)

    @property
    def text(self) -> str:
        """In words."""
        return f"{self.dataset}, {self.classes} classes, {self.n_way}-way {self.k_shot}-shot, {self.head}"


@dataclass(frozen=True, eq=False)
class Ladder:
    """Errors [S seeds, n] of an arm under a protocol over n numbers of images, and what was left out."""

    arm: Arm
    protocol: Protocol | None  # None: the error over all seen classes
    images: Floats  # [n]
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


@dataclass(frozen=True)
class Exponent:
    """b of a ladder, with a 95 % interval over its seeds; NaN bounds where one seed has no spread."""

    ladder: Ladder
    b: float
    low: float
    high: float
    estimate: Estimate  # of the power law, with draws for its band
    trust: Trust

    @property
    def how(self) -> str:
        """What was drawn again for the interval, and how often."""
        return self.estimate.how

    @property
    def law(self) -> Law:
        """The power law."""
        return self.estimate.fit.law

    @property
    def residuals(self) -> Floats:
        """[n] log of the mean error over seeds minus log of the law."""
        measured = self.ladder.errors.mean(0)
        return np.asarray(np.log(measured) - np.log(self.law.predict(self.ladder.images)))


@dataclass(frozen=True)
class ExponentDifference:
    """b of `second` minus b of `first`, over the same checkpoints."""

    first: Ladder
    second: Ladder
    difference: Difference


def ladders(rows: Rows) -> list[Ladder]:
    """The ladders of rows of networks that were trained here, in order; a ValueError where there is none.

    Rungs whose accuracy is within two standard errors of chance for some seed, or whose training loss did not fall, are
    left out for all seeds, and seeds that lack a rung are left out, both said.
    """
    usable = trained(rows)
    groups: dict[tuple[Arm, Protocol | None], list[dict[str, Any]]] = {}
    for row in usable:
        groups.setdefault((_arm(row), _protocol(row)), []).append(row)
    for arm in dict.fromkeys(_arm(row) for row in usable if row.get("seen_error") is not None):
        groups[arm, None] = [row for row in usable if _arm(row) == arm]
    found = [_ladder(arm, protocol, group) for (arm, protocol), group in groups.items()]
    long_enough = [ladder for ladder in found if ladder is not None]
    if not long_enough:
        raise ValueError(
            f"no ladder was found: rows of networks that were trained here (Pretrained) at {_FEWEST_RUNGS} or more "
            "numbers of images, such as those of `fewshot bench data_scaling`"
        )
    return long_enough


def exponent(ladder: Ladder) -> Exponent:
    """b of the mean over seeds, its interval, and how far the power law may be trusted beyond the images."""
    law = named("M1")
    found = over_seeds(law, ladder.images, ladder.errors, weights=ladder.weights)
    [trust] = trust_all(law, [Points(ladder.images, ladder.errors.mean(0), ladder.weights)])
    return Exponent(ladder, -found.fit.law.c, -found.high["c"], -found.low["c"], found, trust)  # type: ignore[attr-defined]


def new_minus_seen(found: Sequence[Ladder]) -> list[ExponentDifference]:
    """b_new - b_seen of every arm: first on equal protocols, then against the error over all seen classes."""
    by_key = {(ladder.arm, ladder.protocol): ladder for ladder in found}
    news = [ladder for ladder in found if ladder.protocol is not None and ladder.protocol.classes == "novel"]
    equal = [(by_key.get((new.arm, new.protocol.with_classes("seen"))), new) for new in news if new.protocol]
    all_ways = [(by_key.get((new.arm, None)), new) for new in news]
    return [difference(seen, new) for seen, new in (*equal, *all_ways) if seen is not None]


def difference(first: Ladder, second: Ladder) -> ExponentDifference:
    """b of the second minus b of the first, on the rungs and seeds that both have."""
    images = np.intersect1d(first.images, second.images)
    seeds = [seed for seed in first.seeds if seed in second.seeds]
    if len(images) < _FEWEST_RUNGS or not seeds:
        return ExponentDifference(first, second, Difference(np.nan, np.nan, np.nan, "they share too few checkpoints"))
    one, other = (_part(ladder, images, seeds) for ladder in (first, second))
    of_one, of_other = (ladder.weights[np.searchsorted(ladder.images, images)] for ladder in (first, second))
    found = paired_difference(named("M1"), "c", images, other, one, weights=(of_other, of_one))  # b is -c
    return ExponentDifference(first, second, found)


def downstream(upstream: Ladder, ladder: Ladder) -> tuple[float, float]:
    """How a few-shot error follows the error upstream over the checkpoints that both have: Spearman's rank correlation,
    and the slope of log error against log error by least squares."""
    images = np.intersect1d(upstream.images, ladder.images)
    seeds = [seed for seed in upstream.seeds if seed in ladder.seeds]
    above, below = (np.log(_part(each, images, seeds)).ravel() for each in (upstream, ladder))
    if len(above) < _FEWEST_RUNGS:
        return float("nan"), float("nan")
    return float(stats.spearmanr(above, below).statistic), float(np.polyfit(above, below, 1)[0])


def _part(ladder: Ladder, images: Floats, seeds: Iterable[int]) -> Floats:
    kept = [ladder.seeds.index(seed) for seed in seeds]
    return np.asarray(ladder.errors[kept][:, np.searchsorted(ladder.images, images)])


def _arm(row: dict[str, Any]) -> Arm:
    recipe, rule = str(row["recipe"]), str(row["training_rule"])
    trained_on = f"{source_name(row)}, {row['training_classes']} classes"
    return Arm(str(row["network"]), int(row["n_params"]), rule, recipe, trained_on)


def _protocol(row: dict[str, Any]) -> Protocol | None:
    if row.get("n_way") is None or row.get("k_shot") is None:
        return None
    size = (int(row["n_way"]), int(row["k_shot"]), int(row["n_query"] or 0))
    return Protocol(str(row["dataset"]), str(row["classes"]), head_name(row), str(row["sampler"]), *size)


def _ladder(arm: Arm, protocol: Protocol | None, rows: Rows) -> Ladder | None:
    """The ladder of rows of one arm and protocol; None where too few rungs are left."""
    column = "seen_error" if protocol is None else "accuracy"
    points = {(int(r["training_seed"]), int(r["unique_images"])): r for r in rows if r.get(column) is not None}
    in_order = sorted(points.items(), key=lambda item: item[0][::-1])
    dropped = {size: why for (_, size), row in in_order if (why := _unfit(row, protocol))}
    images = sorted({size for _, size in points} - set(dropped))
    seeds = sorted({seed for seed, _ in points})
    whole = [seed for seed in seeds if all((seed, size) in points for size in images)]
    if len(images) < _FEWEST_RUNGS or not whole:
        return None
    told = [f"{size} images: {why}" for size, why in dropped.items()]
    told += [f"seed {seed}: not all of its rungs are there" for seed in seeds if seed not in whole]
    kept = [[points[seed, size] for size in images] for seed in whole]
    errors = np.array([[_error(row, protocol) for row in of_seed] for of_seed in kept])
    within = np.array([[_variance(row, protocol) for row in of_seed] for of_seed in kept]).mean(0)
    between = np.log(errors).var(0, ddof=1).mean() if len(whole) > 1 else 0.0
    remark = _assumed(row for of_seed in kept for row in of_seed) if protocol is None else ""
    return Ladder(arm, protocol, np.array(images, float), errors, within + between, tuple(whole), tuple(told), remark)


def _error(row: dict[str, Any], protocol: Protocol | None) -> float:
    return max(1e-6, float(row["seen_error"] if protocol is None else 1 - row["accuracy"]))


def _variance(row: dict[str, Any], protocol: Protocol | None) -> float:
    """Of log e, from the standard error of e: of the episodes, or binomial over the images held out."""
    error = _error(row, protocol)
    if protocol is None:
        standard_error = np.sqrt(error * max(1 - error, 1e-3) / _seen_images(row))
    else:
        standard_error = _standard_error(row)
    return float(max(standard_error, 1e-4) / error) ** 2


def _standard_error(row: dict[str, Any]) -> float:
    """Of the accuracy over episodes: its interval's half width is 1.96 of them."""
    return float((row["accuracy"] - row["accuracy_low"]) / 1.96)


def _seen_images(row: dict[str, Any]) -> int:
    """How many images `seen_error` is counted on; older rows do not say, and the suites hold ten a class out."""
    return int(row.get("n_held_out") or _HELD_OUT_A_CLASS * int(row["training_classes"]))


def _assumed(rows: Iterable[dict[str, Any]]) -> str:
    """What is assumed of the images that `seen_error` is counted on; "" where all rows say how many they are."""
    if all(row.get("n_held_out") for row in rows):
        return ""
    return f"rows of an older release do not say n_held_out: {_HELD_OUT_A_CLASS} images a class are assumed"


def _unfit(row: dict[str, Any], protocol: Protocol | None) -> str:
    """Why a checkpoint is left out; '' where it is not."""
    if None not in (row["first_loss"], row["training_loss"]) and row["training_loss"] >= row["first_loss"]:
        return "its training loss did not fall"
    if protocol is None:
        chance = 1 / int(row["training_classes"])
        near = 1 - row["seen_error"] <= chance + 2 * np.sqrt(chance * (1 - chance) / _seen_images(row))
    elif row["accuracy_low"] is None:
        return "its accuracy has no interval"
    else:
        near = row["accuracy"] - 1 / protocol.n_way <= 2 * _standard_error(row)
    return "within two standard errors of chance" if near else ""
