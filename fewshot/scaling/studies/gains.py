"""What larger networks and larger sources gain, paired by seed (Cherti & Jitsev 2021, arXiv 2106.00116).

A gain is the accuracy of the larger minus the accuracy of the smaller, with everything else equal, seed by seed.
Several fine-tuning seeds on one checkpoint say nothing about another pre-training."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from fewshot.files.quoting import quoted
from fewshot.scaling.fits.intervals import student_bounds

Target = TypeVar("Target", bound=Hashable)


@dataclass(frozen=True)
class PairedScore(Generic[Target]):
    """The score of one training. Its seed pairs it with others."""

    target: Target
    shots: str
    network: str
    source: str
    seed: str
    score: float  # higher is better


_Split = Callable[[PairedScore[Target]], tuple[str, str]]  # the side that varies, and the fixed side


@dataclass(frozen=True)
class Gain(Generic[Target]):
    """The mean difference between two scores of a seed, with a 95 % t interval over shared seeds."""

    target: Target
    shots: str
    axis: str  # "network" or "source": what grows
    fixed: str  # the side that does not grow
    mean: float
    low: float  # NaN below two seeds
    high: float
    n_seeds: int


def network_gains(scores: Iterable[PairedScore[Target]], small: str, large: str) -> list[Gain[Target]]:
    """What network `large` gains over network `small`, for every target, shots and source."""
    return _gains(scores, "network", small, large, lambda each: (each.network, each.source))


def source_gains(scores: Iterable[PairedScore[Target]], small: str, large: str) -> list[Gain[Target]]:
    """What source `large` gains over source `small`, for every target, shots and network."""
    return _gains(scores, "source", small, large, lambda each: (each.source, each.network))


def _gains(
    scores: Iterable[PairedScore[Target]], axis: str, small: str, large: str, split: _Split[Target]
) -> list[Gain[Target]]:
    """A gain for every target, shots and fixed side with a shared seed. Raises a ValueError if a side has no score."""
    scores = list(scores)
    sides_given = dict.fromkeys(split(each)[0] for each in scores)
    for side in (small, large):
        if side not in sides_given:
            raise ValueError(f"there is no score of the {axis} {quoted(side)}; known: {', '.join(sides_given)}")
    by_key: dict[tuple[Target, str, str], dict[str, dict[str, float]]] = {}
    for each in scores:
        varied, fixed = split(each)
        if varied in (small, large):
            sides = by_key.setdefault((each.target, each.shots, fixed), {small: {}, large: {}})
            if each.seed in sides[varied]:
                raise ValueError(
                    f"there are two scores of seed {each.seed} on {each.target} at {each.shots} shots, network "
                    f"{each.network}, source {each.source}; keep one"
                )
            sides[varied][each.seed] = each.score
    shared = {key: (a[small], a[large], [seed for seed in a[small] if seed in a[large]]) for key, a in by_key.items()}
    return [
        _gain(np.array([b[seed] - a[seed] for seed in seeds]), target, shots, axis, fixed)
        for (target, shots, fixed), (a, b, seeds) in shared.items()
        if seeds
    ]


def _gain(differences: np.ndarray, target: Target, shots: str, axis: str, fixed: str) -> Gain[Target]:
    low, high = student_bounds(differences)
    return Gain(target, shots, axis, fixed, float(differences.mean()), low, high, len(differences))
