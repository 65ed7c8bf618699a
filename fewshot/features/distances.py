"""Distances between a target set and the pre-training set of a network, in the features of one reference network.

Never score the reference network itself. Both sets have equal size n, because the Fréchet distance is biased in n; the
squared MMD is not, and comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fewshot.datasets import LabelledImages
from fewshot.episodes import draws, streams
from fewshot.episodes.flat import Ints

if TYPE_CHECKING:
    from fewshot.backbones import Backbone

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Distances:
    """Distances of a target from a source, in the features of a reference network."""

    mmd: float  # squared, unbiased: may be below 0 if the sets are alike
    mmd_alike: float  # the same between two halves of the source: the effect of chance for sets of n / 2
    frechet: float  # biased upwards in small n
    nearest_class: float  # mean over the target's classes of the cosine distance to the nearest of the source's
    n: int  # images of each set


def distances(
    source: LabelledImages,
    source_classes: Ints,
    target: LabelledImages,
    target_classes: Ints,
    reference: Backbone,
    n: int = 1000,
    seed: int = 0,
) -> Distances:
    """The distances of these classes (labels) of a target from those of a source, on n random images of each; a smaller
    n if either set has fewer images. Fewer than 4 are a ValueError."""
    from fewshot.features.table import feature_table

    pools = [np.flatnonzero(np.isin(i.labels, c)) for i, c in ((source, source_classes), (target, target_classes))]
    n = min(n, *map(len, pools))
    if n < 4:
        raise ValueError(f"distances need at least 4 images of {source.name} and of {target.name}; found {n}")
    features, labels = [], []
    for images, rows, stream in ((source, pools[0], streams.SOURCE), (target, pools[1], streams.TARGET)):
        chosen = rows[np.argsort(draws.words(seed, np.arange(len(rows)), 1, 1, stream)[:, 0, 0], kind="stable")[:n]]
        table = feature_table(images, reference, np.sort(chosen), progress=False)
        features.append(np.asarray(table.gather(chosen), dtype=np.float64))
        labels.append(images.labels[chosen])
    first, second = features
    return Distances(
        mmd=squared_mmd(first, second),
        mmd_alike=squared_mmd(first[: n // 2], first[n // 2 : 2 * (n // 2)]),
        frechet=frechet(first, second),
        nearest_class=nearest_class(class_means(first, labels[0]), class_means(second, labels[1])),
        n=n,
    )


def squared_mmd(x: Floats, y: Floats) -> float:
    """The unbiased squared maximum mean discrepancy of samples [n, D] and [m, D] under the kernel (x.y / D + 1)^3: the
    "kernel inception distance" (Binkowski et al. 2018, arXiv 1801.01401) of a network's features."""

    def kernel(a: Floats, b: Floats) -> Floats:
        values: Floats = (a @ b.T / a.shape[1] + 1) ** 3
        return values

    def off_diagonal_mean(a: Floats) -> float:
        values = kernel(a, a)
        return float((values.sum() - np.trace(values)) / (len(a) * (len(a) - 1)))

    return off_diagonal_mean(x) + off_diagonal_mean(y) - 2 * float(kernel(x, y).mean())


def frechet(x: Floats, y: Floats) -> float:
    """The Fréchet distance of the normal distributions with the means and covariances of samples [n, D] and [m, D]:
    |mu - nu|^2 + tr(S + T - 2 (S T)^(1/2)) (Heusel et al. 2017, arXiv 1706.08500)."""
    centred = [(a - a.mean(0)) / np.sqrt(len(a) - 1) for a in (x, y)]  # S = A^T A, T = B^T B
    # tr (S T)^(1/2) is the sum of the singular values of A B^T: the eigenvalues of S T are those of (A B^T)(A B^T)^T
    crossed = np.linalg.svd(centred[0] @ centred[1].T, compute_uv=False).sum()
    spread = sum(float((c**2).sum()) for c in centred)
    return float(((x.mean(0) - y.mean(0)) ** 2).sum() + spread - 2 * crossed)


def nearest_class(source: Floats, target: Floats) -> float:
    """The mean over target class means [T, D] of one minus the largest cosine with a source class mean [S, D]."""
    unit = [means / np.linalg.norm(means, axis=1, keepdims=True) for means in (source, target)]
    return float((1 - (unit[1] @ unit[0].T).max(1)).mean())


def class_means(features: Floats, labels: Ints) -> Floats:
    """[C, D] the mean of each class that has features, by ascending label."""
    _, place = np.unique(labels, return_inverse=True)
    sums = np.zeros((place.max() + 1, features.shape[1]))
    np.add.at(sums, place, features)
    return sums / np.bincount(place)[:, None]
