"""What larger networks and larger sources are worth, paired by seed (Cherti & Jitsev 2021, arXiv 2106.00116).

A gain is the accuracy of the larger minus that of the smaller, everything else equal, seed by seed. Five fine-tuning
seeds on one checkpoint say nothing about another pre-training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from fewshot.scaling.fits.intervals import student_bounds


@dataclass(frozen=True)
class Run:
    """One fine-tuning run."""

    target: str
    shots: str
    network: str
    source: str
    seed: str
    score: float  # higher is better


@dataclass(frozen=True)
class Gain:
    """The mean difference between two runs of a seed, with a 95 % t interval over the seeds that both have."""

    target: str
    shots: str
    axis: str  # "network" or "source": what grows
    fixed: str  # the other of the two
    mean: float
    low: float  # NaN below two seeds
    high: float
    n_seeds: int


def network_gains(runs: Iterable[Run], small: str, large: str) -> list[Gain]:
    """What network `large` gains over `small`, for every target, shots and source."""
    return _gains(runs, "network", small, large, lambda run: (run.network, run.source))


def source_gains(runs: Iterable[Run], small: str, large: str) -> list[Gain]:
    """What source `large` gains over `small`, for every target, shots and network."""
    return _gains(runs, "source", small, large, lambda run: (run.source, run.network))


def _gains(
    runs: Iterable[Run], axis: str, small: str, large: str, split: Callable[[Run], tuple[str, str]]
) -> list[Gain]:
    scores: dict[tuple[str, str, str], dict[str, dict[str, float]]] = {}
    for run in runs:
        varied, fixed = split(run)
        if varied in (small, large):
            sides = scores.setdefault((run.target, run.shots, fixed), {small: {}, large: {}})
            if run.seed in sides[varied]:
                raise ValueError(
                    f"two runs of seed {run.seed}: {run.target}, {run.shots}, {varied}, {fixed}; keep the last per path"
                )
            sides[varied][run.seed] = run.score
    pairs = {key: (sides[small], sides[large]) for key, sides in scores.items()}
    shared = {key: (a, b, [seed for seed in a if seed in b]) for key, (a, b) in pairs.items()}
    if not any(seeds for _, _, seeds in shared.values()):
        raise ValueError(f"no seed has runs of both {axis}s {small!r} and {large!r}")
    return [
        _gain(np.array([b[seed] - a[seed] for seed in seeds]), target, shots, axis, fixed)
        for (target, shots, fixed), (a, b, seeds) in shared.items()
        if seeds
    ]


def _gain(differences: np.ndarray, target: str, shots: str, axis: str, fixed: str) -> Gain:
    low, high = student_bounds(differences)
    return Gain(target, shots, axis, fixed, float(differences.mean()), low, high, len(differences))
