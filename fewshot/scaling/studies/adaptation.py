"""Laws of few-shot adaptation from rows of ladders (after Prato et al. 2021, arXiv 2110.06990): exponents by protocol,
and their paired differences over the same checkpoints.

b is minus the exponent of a power law (M1) of error over unique pre-training images. b_new - b_seen comes first with
equal ways, shots, queries and head, then against the error over all seen classes at once. Points have the weight
1 / var(log e).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from fewshot.scaling.fits.intervals import Difference, Estimate, over_seeds, paired_difference
from fewshot.scaling.fits.trust import Trust, trust_all
from fewshot.scaling.laws import Floats, Law, Points, named
from fewshot.scaling.studies.ladders import IMAGES, Arm, Ladder, ladder_of
from fewshot.scaling.studies.protocols import Protocol
from fewshot.scaling.studies.trained_rows import TrainedRow


@dataclass(frozen=True)
class Exponent:
    """b of a ladder, with a 95 % interval over its seeds; NaN bounds for a single seed."""

    ladder: Ladder
    b: float
    low: float
    high: float
    estimate: Estimate  # the power law, with resamples for its band
    trust: Trust

    @property
    def how(self) -> str:
        """How the interval was computed."""
        return self.estimate.how

    @property
    def law(self) -> Law:
        """The power law."""
        return self.estimate.fit.law

    @property
    def residuals(self) -> Floats:
        """[n] log of the mean error over seeds minus log of the law."""
        measured = self.ladder.errors.mean(0)
        return np.asarray(np.log(measured) - np.log(self.law.predict(self.ladder.sizes)))


@dataclass(frozen=True)
class ExponentDifference:
    """b of `second` minus b of `first`, over the same checkpoints."""

    first: Ladder
    second: Ladder
    difference: Difference


def ladders(rows: Iterable[TrainedRow]) -> list[Ladder]:
    """The ladders of images of these rows, in order.

    A rung is omitted for all seeds if the accuracy of one seed is within two standard errors of chance, or its training
    loss did not fall. Seeds that lack a rung are omitted too. Ladders list both.
    """
    groups: dict[tuple[Arm, Protocol | None], list[TrainedRow]] = {}
    by_arm: dict[Arm, list[TrainedRow]] = {}
    for row in rows:
        groups.setdefault((_arm(row), row.protocol), []).append(row)
        by_arm.setdefault(_arm(row), []).append(row)
    for arm, own in by_arm.items():
        if any(row.seen_error is not None for row in own):
            groups[arm, None] = own
    candidates = [ladder_of(arm, protocol, group, IMAGES) for (arm, protocol), group in groups.items()]
    return [ladder for ladder in candidates if ladder is not None]


def exponent(ladder: Ladder) -> Exponent:
    """b of the mean over seeds, its interval, and how far to trust the power law beyond the measured images."""
    law = named("M1")
    estimate = over_seeds(law, ladder.sizes, ladder.errors, weights=ladder.weights)
    [trust] = trust_all(law, [Points(ladder.sizes, ladder.errors.mean(0), ladder.weights)])
    b = -estimate.fit.law.c  # type: ignore[attr-defined]
    return Exponent(ladder, b, -estimate.high["c"], -estimate.low["c"], estimate, trust)


def new_minus_seen(ladders: Sequence[Ladder]) -> list[ExponentDifference]:
    """b_new - b_seen of every arm: first with equal protocols, then against the error over all seen classes."""
    by_key = {(ladder.arm, ladder.protocol): ladder for ladder in ladders}
    news = [ladder for ladder in ladders if ladder.protocol is not None and ladder.protocol.target.classes == "novel"]
    equal = [(by_key.get((new.arm, new.protocol.with_classes("seen"))), new) for new in news if new.protocol]
    all_ways = [(by_key.get((new.arm, None)), new) for new in news]
    return [difference(seen, new) for seen, new in (*equal, *all_ways) if seen is not None]


def difference(first: Ladder, second: Ladder) -> ExponentDifference:
    """b of the second minus b of the first, on the rungs and seeds that both have."""
    sizes = np.intersect1d(first.sizes, second.sizes)
    seeds = [seed for seed in first.seeds if seed in second.seeds]
    if len(sizes) < IMAGES.fewest or not seeds:
        return ExponentDifference(first, second, Difference(np.nan, np.nan, np.nan, "they share too few checkpoints"))
    one, other = (_part(ladder, sizes, seeds) for ladder in (first, second))
    weights_one, weights_other = (ladder.weights[np.searchsorted(ladder.sizes, sizes)] for ladder in (first, second))
    of_c = paired_difference(named("M1"), "c", sizes, other, one, weights=(weights_other, weights_one))  # b is -c
    return ExponentDifference(first, second, of_c)


def downstream(upstream: Ladder, ladder: Ladder) -> tuple[float, float]:
    """How a few-shot error follows the upstream error over shared checkpoints: Spearman's rank correlation, and the
    least squares slope of log error over log error."""
    sizes = np.intersect1d(upstream.sizes, ladder.sizes)
    seeds = [seed for seed in upstream.seeds if seed in ladder.seeds]
    above, below = (np.log(_part(each, sizes, seeds)).ravel() for each in (upstream, ladder))
    if len(above) < IMAGES.fewest:
        return float("nan"), float("nan")
    from scipy import stats

    return float(stats.spearmanr(above, below).statistic), float(np.polyfit(above, below, 1)[0])


def _part(ladder: Ladder, sizes: Floats, seeds: Iterable[int]) -> Floats:
    kept = [ladder.seeds.index(seed) for seed in seeds]
    return np.asarray(ladder.errors[kept][:, np.searchsorted(ladder.sizes, sizes)])


def _arm(row: TrainedRow) -> Arm:
    trained_on = f"{row.source}, {row.training_classes} classes"
    return Arm(row.network, row.n_params, row.training_rule, row.recipe, trained_on)
