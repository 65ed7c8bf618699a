"""Whole partitions as support and queries: VTAB's 800 + 200 training images."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Self

import numpy as np

from fewshot.datasets import LabelledImages, Pool
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import Ints
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.fields import Rule, declare
from fewshot.samplers import Sampler
from fewshot.samplers._drawing import Draw, Drawn, draw_from

_log = logging.getLogger("fewshot")
_NAMES = Rule(
    "a tuple of image groups, such as ('partition=train800', 'partition=val200')",
    lambda names: isinstance(names, tuple) and bool(names) and all(isinstance(name, str) for name in names),
)


@dataclass(frozen=True)
class WholePartitions(Sampler):
    """All images of some partitions are the support, all images of others the queries, of all classes: VTAB's 1000
    training images (Zhai et al. 2020, arXiv 1910.04867). Nothing is drawn, so one episode is enough.

    Hyperparameters are chosen (Selection on "images") with `train` as the support and `validation` as the queries; the
    chosen ones then learn from both. Classes without a training image, or without a test image, are left out, with a
    warning that counts them: the published numbers count the test images of the former as errors.
    """

    short_name: ClassVar[str] = "whole partitions"
    repeats_if_open: ClassVar[bool] = True
    query_groups: ClassVar[str] = "test"

    train: tuple[str, ...]
    validation: tuple[str, ...] = ()
    test: tuple[str, ...] = ("partition=test",)

    rules = declare(
        train=_NAMES,
        validation=Rule("a tuple of image groups, or ()", lambda names: isinstance(names, tuple)),
        test=_NAMES,
    )

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """None: the laws ask for episodes that differ."""
        return []

    @classmethod
    def usual(cls) -> EpisodeShape:
        return EpisodeShape(None, None, None)

    def repeats(self, shape: EpisodeShape) -> bool:
        return True

    def for_choice(self) -> WholePartitions:
        if not self.validation:
            raise ValueError(f"{self!r} has no validation images to choose hyperparameters on; name their partition")
        return WholePartitions(self.train, (), self.validation)

    def sample(
        self, images: LabelledImages, classes: Ints, shape: EpisodeShape, seed: int, start: int, count: int
    ) -> Episodes:
        if shape != EpisodeShape(None, None, None) or seed:
            raise ValueError(
                f"WholePartitions takes all images of all classes, with seed 0; got {shape} and seed {seed}"
            )
        support, query = (_united(images, names) for names in (self.train + self.validation, self.test))
        both = np.intersect1d(support.rows, query.rows)
        if len(both):
            raise ValueError(
                f"{len(both)} images are in the support and in the queries of {self!r}; name other partitions"
            )
        draw = draw_from(images, _held(images, classes, support, query), shape, seed, start, count, None)
        return draw.episodes(_all(draw, support), _all(draw, query))


def _united(images: LabelledImages, names: tuple[str, ...]) -> Pool:
    """The images of several groups, class by class."""
    rows = np.flatnonzero(np.any([images.mask(name) for name in names], axis=0))
    order = np.argsort(images.labels[rows], kind="stable")
    counts = np.bincount(images.labels[rows], minlength=len(images.class_names))
    return Pool(rows[order].astype(np.int32), np.concatenate([[0], np.cumsum(counts)]))


def _held(images: LabelledImages, classes: Ints, support: Pool, query: Pool) -> Ints:
    """The classes with images on both sides; logs what is left out."""
    candidates = np.unique(classes)
    n_support, n_query = support.sizes(candidates), query.sizes(candidates)
    lost = candidates[(n_support == 0) & (n_query > 0)]
    if len(lost):
        _warn(images.name, len(lost), len(candidates), int(query.sizes(lost).sum()), int(n_query.sum()))
    held: Ints = candidates[(n_support > 0) & (n_query > 0)]
    return held


@cache
def _warn(name: str, *counts: int) -> None:
    """Warns, once per process and data set, of classes without a training image."""
    message = (
        "%s: %d of %d classes have no training image, so their %d of %d test images are left out; published numbers "
    )
    _log.warning(message + "count these as errors", name, *counts)


def _all(draw: Draw, pool: Pool) -> Drawn:
    """All rows of the chosen classes, and their number."""
    rows, start = pool.rows, pool.start
    parts = [rows[start[label] : start[label + 1]] for label in draw.chosen.reshape(-1)]
    return np.concatenate([rows[:0], *parts]), np.array([len(part) for part in parts], dtype=np.int32)
