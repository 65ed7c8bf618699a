"""MIEB's draws: K images per class by one permutation, applied again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Self

import numpy as np

from fewshot.datasets import LabelledImages
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import Ints, Rows
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.fields import declare, integer
from fewshot.samplers import Sampler
from fewshot.samplers._drawing import Draw, Drawn, draw_from, require_disjoint


@dataclass(frozen=True)
class RepeatedPermutation(Sampler):
    """The draws of mteb's image classification (MIEB, Xiao et al. 2025, arXiv 2504.10471, after its code), all-way.

    The training images, in their order, are shuffled by the permutation that numpy's legacy generator gives after
    `numpy_seed`; the support holds the first K of each class. The next draw shuffles the order of the one before by the
    same permutation, because mteb sets the seed again before each draw. So draw i is that permutation's power i + 1:
    the draws are not independent. The queries of every draw are all images of `query_from`. A class with fewer images
    gives all of them, as there. The shape must leave ways and queries open, and the run's seed must be 0.
    """

    short_name: ClassVar[str] = "draws of MIEB, {sides}"
    nests_shots: ClassVar[bool] = True
    draws_depend: ClassVar[bool] = True

    support_from: str = "partition=train"
    query_from: str = "partition=test"
    numpy_seed: int = 42

    rules = declare(numpy_seed=integer(0, 1 << 32))

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """None: the laws ask for other seeds and for episodes of some classes, which published draws do not have."""
        return []

    @classmethod
    def usual(cls) -> EpisodeShape:
        return EpisodeShape(None, 16, None)

    def sample(
        self, images: LabelledImages, classes: Ints, shape: EpisodeShape, seed: int, start: int, count: int
    ) -> Episodes:
        if shape.n_way is not None or shape.n_query is not None or shape.k_shot is None or seed:
            raise ValueError(
                "RepeatedPermutation has only the published draws: K images of all classes, all queries, and seed 0; "
                f"got n_way={shape.n_way}, k_shot={shape.k_shot}, n_query={shape.n_query}, seed={seed}"
            )
        draw = draw_from(images, classes, shape, seed, start, count, self.support_from)
        require_disjoint(images, self.support_from, self.query_from)
        draw.require(1, "an image of every class in the support")
        orders = _orders(len(draw.pool.rows), self.numpy_seed, start + count)[start:]
        supports = [_first_of_each_class(draw, order, shape.k_shot) for order in orders]
        rows = [row for one, _ in supports for row in one]
        sizes = [size for _, some in supports for size in some]
        support = np.array(rows, dtype=np.int32), np.array(sizes, dtype=np.int32)
        return draw.episodes(support, draw.of(self.query_from).query(shape))


def _first_of_each_class(draw: Draw, order: Ints, k_shot: int) -> Drawn:
    """The first K rows of each candidate class in the order of the training images, class by class."""
    rows: Rows = np.sort(draw.pool.rows)[order]
    labels = draw.images.labels[rows]
    chosen = [rows[labels == label][:k_shot] for label in draw.candidates]
    return np.concatenate(chosen), np.array([len(one) for one in chosen], dtype=np.int32)


@lru_cache(maxsize=4)
def _orders(size: int, numpy_seed: int, count: int) -> tuple[Ints, ...]:
    """The orders of the first `count` draws."""
    permutation = np.random.RandomState(numpy_seed).permutation(size)
    orders, order = [], np.arange(size)
    for _ in range(count):
        order = order[permutation]
        orders.append(order)
    return tuple(orders)
