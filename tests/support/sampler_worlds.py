"""A small world of images, episodes sampled from it, and the rows of one of them."""

from __future__ import annotations

import numpy as np

from fewshot.conformance.samplers import SHAPES, by_rank, labelled
from fewshot.samplers.balanced import Balanced

WORLD = labelled(range(32, 41), domain=by_rank(("mono", "colour"), 1), partition=by_rank(("train", "test"), 2))
CLASSES = np.arange(1, 9)


def sample(sampler=None, shape=SHAPES[0], images=WORLD, classes=CLASSES, seed=0, start=0, count=20):
    """Episodes of the world, balanced ones unless a sampler is given."""
    return (sampler or Balanced()).sample(images, classes, shape, seed, start, count)


def rows(episodes, e, which):
    """The support or query rows of episode e."""
    start = getattr(episodes, f"{which}_start")
    return getattr(episodes, which)[start[e] : start[e + 1]]
