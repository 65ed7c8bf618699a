"""Simulated data sets with known truth, for coverage.py: Gaussian classes and a nearest-centroid classifier.

Class means are N(0, spread^2 I) and images N(class mean, I), with DIM features; `heavy_tailed` gives every class
log-normal scales of its own. A classifier that uses only the first
`seen` features plays a weaker backbone on the same images. C classes, n images per class, E episodes, N ways.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from fewshot.solvers.compiled import compiled
from fewshot.statistics.units import Units

DIM, FEWER = 16, 12
_NODES = 20  # nodes of every sum that replaces an integral
Floats = NDArray[np.float64]


@functools.cache
def accuracy(spread: float, k_shot: int, n_way: int, seen: int = DIM) -> float:
    """The mean accuracy of the nearest centroid over new classes, images and supports, without simulation.

    A query x and its own centroid p differ by u ~ N(0, a I), a = 1 + 1/K, and x = u/a + w with w ~ N(0, b I)
    independent of u, b = spread^2 + 1 - 1/a. The other centroids are N(0, v I), v = spread^2 + 1/K, independent of
    both, so each is farther away than p with the probability that a noncentral chi^2 with |x|^2 / v exceeds |u|^2 / v.
    The expectation over |u|^2, the part of w along u, and the rest of |w|^2 is a sum over Gauss nodes.
    """
    from scipy.special import roots_genlaguerre, roots_hermitenorm
    from scipy.stats import ncx2

    a, v = 1 + 1 / k_shot, spread**2 + 1 / k_shot
    b = spread**2 + 1 - 1 / a
    u_nodes, u_weights = roots_genlaguerre(_NODES, seen / 2 - 1)
    w_nodes, w_weights = roots_genlaguerre(_NODES, (seen - 1) / 2 - 1)
    z_nodes, z_weights = roots_hermitenorm(_NODES)
    weights = np.array([one * two * three for one, two, three in product(u_weights, w_weights, z_weights)])
    u, rest, z = np.array(list(product(2 * a * u_nodes, 2 * b * w_nodes, z_nodes))).T
    of_x = (np.sqrt(u) / a + np.sqrt(b) * z) ** 2 + rest  # |x|^2
    farther = ncx2.sf(u / v, seen, of_x / v)
    return float((weights * farther ** (n_way - 1)).sum() / weights.sum())


@functools.cache
def spread_for(wanted: float, k_shot: int, n_way: int) -> float:
    """The spread of class means that gives the wanted accuracy."""
    from scipy.optimize import brentq

    return float(brentq(lambda spread: accuracy(spread, k_shot, n_way) - wanted, 0.05, 10, xtol=1e-6))


@dataclass(frozen=True, eq=False)
class Solved:
    """The accuracies of both classifiers on the same queries of E episodes."""

    accuracy: Floats  # [E] of the classifier that uses all features
    weaker: Floats  # [E] of the weaker classifier
    units: Units

    def first(self, count: int) -> Solved:
        """The first episodes."""
        return Solved(self.accuracy[:count], self.weaker[:count], self.units.first(count))


def solve(
    images: Floats,
    n_episodes: int,
    n_way: int,
    k_shot: int,
    n_query: int,
    random: np.random.Generator,
    n_images: NDArray[np.int64] | None = None,
) -> Solved:
    """The accuracies on balanced episodes from images [C, n, DIM], sampled without replacement; of class c only the
    first n_images[c], if given."""
    classes = np.empty((n_episodes, n_way), dtype=np.int64)
    correct = np.empty((n_episodes, 2), dtype=np.int64)
    counts = np.full(len(images), images.shape[1]) if n_images is None else n_images
    _finite()(images, counts, k_shot, n_query, classes, correct, random)
    shares = correct / (n_way * n_query)
    units = Units(classes.reshape(-1), np.full(n_episodes, n_way), len(images))
    return Solved(shares[:, 0], shares[:, 1], units)


@dataclass(frozen=True)
class Tails:
    """Classes whose distance from the origin and whose width differ: both have log-normal scales."""

    spread: float  # of the class means
    far: float  # standard deviation of the distances on the log scale
    wide: float  # the same of the widths


def heavy_tailed(n_classes: int, n_images: int, tails: Tails, random: np.random.Generator) -> Floats:
    """Images [C, n, DIM] of classes with these tails."""
    far, wide = random.standard_normal((2, n_classes, 1))
    means = tails.spread * np.exp(tails.far * far) * random.standard_normal((n_classes, DIM))
    noise: Floats = np.exp(tails.wide * wide)[:, None] * random.standard_normal((n_classes, n_images, DIM))
    images: Floats = means[:, None] + noise
    return images


def solve_new_images(
    means: Floats, n_episodes: int, n_way: int, k_shot: int, n_query: int, random: np.random.Generator
) -> float:
    """The accuracy over episodes of the classes with means [C, DIM], each with its own new images. Queries lie in pairs
    around the class mean, which lowers the noise and keeps the expectation."""
    if n_query % 2:
        raise ValueError(f"n_query must be even, because queries come in pairs; got {n_query}")
    return float(_endless()(means, n_episodes, n_way, k_shot, n_query, random)) / (n_episodes * n_way * n_query)


def solve_all_ways(centroids: Floats, queries: Floats) -> NDArray[np.bool_]:
    """[C * n] whether each query of [C, n, DIM] is nearest to the centroid [C, DIM] of its own class."""
    scores = queries.reshape(-1, DIM) @ centroids.T - 0.5 * (centroids**2).sum(1)
    return np.asarray(scores.argmax(1) == np.repeat(np.arange(len(centroids)), queries.shape[1]))


@functools.cache
def _finite():  # type: ignore[no-untyped-def]
    nearest = _nearest()

    def loop(images, counts, k_shot, n_query, classes, correct, random):  # type: ignore[no-untyped-def]
        n_classes, n_way = len(images), classes.shape[1]
        order, rows = np.arange(n_classes), np.arange(images.shape[1])
        centroids = np.empty((n_way, DIM))
        queries = np.empty((n_way, n_query), dtype=np.int64)
        for e in range(len(classes)):
            correct[e] = 0
            centroids[:] = 0.0
            for way in range(n_way):  # a partial Fisher-Yates shuffle
                other = way + int(random.random() * (n_classes - way))
                order[way], order[other] = order[other], order[way]
                classes[e, way] = order[way]
                n_images = counts[order[way]]
                rows[:n_images] = np.arange(n_images)
                for i in range(k_shot + n_query):
                    j = i + int(random.random() * (n_images - i))
                    rows[i], rows[j] = rows[j], rows[i]
                    if i < k_shot:
                        centroids[way] += images[order[way], rows[i]] / k_shot
                    else:
                        queries[way, i - k_shot] = rows[i]
            for way in range(n_way):
                for i in range(n_query):
                    nearest(images[order[way], queries[way, i]], centroids, way, correct[e])

    return compiled(loop)


@functools.cache
def _endless():  # type: ignore[no-untyped-def]
    nearest = _nearest()

    def loop(means, n_episodes, n_way, k_shot, n_query, random):  # type: ignore[no-untyped-def]
        n_classes = len(means)
        order, centroids = np.arange(n_classes), np.empty((n_way, DIM))
        noise, query = np.empty(DIM), np.empty(DIM)
        correct = np.zeros(2, dtype=np.int64)
        for _ in range(n_episodes):
            for way in range(n_way):
                other = way + int(random.random() * (n_classes - way))
                order[way], order[other] = order[other], order[way]
                for d in range(DIM):
                    centroids[way, d] = means[order[way], d] + random.standard_normal() / np.sqrt(k_shot)
            for way in range(n_way):
                for _ in range(n_query // 2):
                    for d in range(DIM):
                        noise[d] = random.standard_normal()
                    for sign in (-1.0, 1.0):
                        for d in range(DIM):
                            query[d] = means[order[way], d] + sign * noise[d]
                        nearest(query, centroids, way, correct)
        return correct[0]

    return compiled(loop)


@functools.cache
def _nearest():  # type: ignore[no-untyped-def]
    def loop(query, centroids, way, correct):  # type: ignore[no-untyped-def]
        """Adds to `correct` [2] whether the query's own centroid is nearest, by all features and by the first ones."""
        n_way = len(centroids)
        own, own_fewer = 0.0, 0.0
        wrong, wrong_fewer = False, False
        for number in range(n_way):
            which = (way + number) % n_way
            fewer, rest = 0.0, 0.0
            for d in range(FEWER):
                fewer += (query[d] - centroids[which, d]) ** 2
            for d in range(FEWER, DIM):
                rest += (query[d] - centroids[which, d]) ** 2
            distance = fewer + rest
            if number == 0:
                own, own_fewer = distance, fewer
            wrong |= distance < own
            wrong_fewer |= fewer < own_fewer
        correct[0] += not wrong
        correct[1] += not wrong_fewer

    return compiled(loop)
