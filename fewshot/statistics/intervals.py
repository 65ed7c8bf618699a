"""Intervals over episodes, pools of images and draws of a support; class_intervals.py holds those for new classes.

E episodes, T the mean over episodes. The design decides which intervals exist; one without bounds gives the reason.
"""

from __future__ import annotations

import numpy as np

from fewshot.statistics.interval import NEW_DRAWS, NEW_IMAGES, THESE_IMAGES, Floats, Interval, Ints, around

FEWEST_POOLS = 5


def episode_interval(values: Floats, level: float = 0.95) -> Interval:
    """The interval for *these images*: the mean over episodes +- t(E-1) s / sqrt(E), s with ddof 1.

    It covers other episodes of these images and classes, not new images or new classes (Lafargue et al. 2024, arXiv
    2409.02850). One episode has a mean and no interval. `inside` keeps the bounds of an accuracy within 0 and 1.
    """
    n = len(values)
    if n == 0:
        raise ValueError("a mean over episodes needs at least one episode, got none")
    mean = float(values.mean())
    if n == 1:
        return Interval.unknown(mean, THESE_IMAGES, level, "one episode has no spread")
    error = float(values.std(ddof=1) / np.sqrt(n))
    return around(mean, error, n - 1, THESE_IMAGES, level, monte_carlo=1.0)


def pool_interval(values: Floats, pools: Ints, level: float = 0.95) -> Interval:
    """The interval for *new images of these classes*: the mean of the means T_g of G disjoint image pools
    +- t(G-1) sd(T_g) / sqrt(G).

    `pools` [E]: the pool of all images of an episode. With fewer than 5 pools there are no bounds.
    """
    names = np.unique(pools)
    code = np.searchsorted(names, pools)
    means = np.bincount(code, weights=values) / np.bincount(code)
    mean = float(means.mean())
    if len(names) < FEWEST_POOLS:
        reason = f"{len(names)} disjoint pools of images; at least {FEWEST_POOLS} are needed"
        reason = reason if len(names) > 1 else "the episodes share images; draw them with DisjointPools"
        return Interval.unknown(mean, NEW_IMAGES, level, reason)
    error = float(means.std(ddof=1) / np.sqrt(len(names)))
    return around(mean, error, len(names) - 1, NEW_IMAGES, level)


def draw_interval(draws: Floats, by_image: Floats, labels: Ints, level: float = 0.95) -> Interval:
    """The interval for *new draws* (new supports and new images of these classes): R supports answer the same test
    images.

    `draws` [R] is the accuracy with each support, `by_image` [n] the share of correct answers to each image, `labels`
    [n] their classes. SE^2 = var(draws)/R + sum_c (n_c/n)^2 s_c^2/n_c, with s_c^2 the variance of `by_image` over the
    images of class c (with equal n_c the factor is 1/C^2), and degrees of freedom by Satterthwaite (1946). Both parts
    contain the interaction of support and image, so the interval is rather too wide: it covered 98 to 99 % in a
    simulation where this interaction was most of the variance. An image may be missing from some draws, such as those
    with it in the support. A class with one image has no variance of its own, so there are no bounds.
    """
    mean = float(draws.mean())
    if len(draws) < 2:
        return Interval.unknown(mean, NEW_DRAWS, level, "one support was drawn; at least 2 are needed")
    _, code, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if counts.min() < 2:
        return Interval.unknown(mean, NEW_DRAWS, level, "a class has one test image; at least 2 are needed")
    centred = by_image - (np.bincount(code, by_image) / counts)[code]
    spread = np.bincount(code, centred**2) / (counts - 1)
    parts = np.append((counts / len(labels)) ** 2 * spread / counts, draws.var(ddof=1) / len(draws))
    freedom = np.append(counts - 1, len(draws) - 1)
    variance = float(parts.sum())
    if variance == 0:
        return Interval.unknown(mean, NEW_DRAWS, level, "all draws answer all images alike")
    return around(mean, variance**0.5, variance**2 / float((parts**2 / freedom).sum()), NEW_DRAWS, level)


def median_range(draws: Floats) -> tuple[float, float, float, float]:
    """The median, lowest and highest accuracy of R draws of a support, and the probability that the range of R
    independent draws covers the median of all draws: 1 - 2^(1-R), for any distribution (R = 5: 93.75 %).

    The range is for *other supports* from the same images. No draws raise a ValueError.
    """
    if not len(draws):
        raise ValueError("a median needs at least one draw, got none")
    return float(np.median(draws)), float(draws.min()), float(draws.max()), 1 - 2.0 ** (1 - len(draws))
