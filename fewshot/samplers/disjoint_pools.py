"""Episodes from disjoint pools of images, for an interval for new images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from fewshot.datasets import LabelledImages, Pool
from fewshot.episodes import draws, streams
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import Ints, Rows
from fewshot.episodes.shape import EpisodeShape
from fewshot.files.quoting import quoted
from fewshot.plugins.fields import declare, integer
from fewshot.plugins.signature import Later
from fewshot.samplers import Sampler
from fewshot.samplers._drawing import Draw, draw_from, in_parts, require_disjoint
from fewshot.samplers._image_groups import pools_of_groups
from fewshot.samplers.balanced import balanced
from fewshot.statistics.intervals import FEWEST_POOLS


@dataclass(frozen=True)
class DisjointPools(Sampler):
    """Balanced episodes from disjoint pools: the images of each class are divided at random into `pools` pools of equal
    size (give or take one image), and episode i samples from pool i % `pools`.

    Pools share no image, so the mean accuracies of the pools are independent as far as images go. Their spread gives
    an interval for new images of these classes (`pool_interval`), which the row of such a run holds.
    The division of a class depends on the seed and the class's label; the classes of an episode are those of Balanced.
    `support_from` and `query_from` are those of Balanced; each group is divided on its own. `apart` is that of Balanced
    too; the images of one of its groups are all in one pool.
    """

    short_name: ClassVar[str] = "{pools} disjoint pools of images[, {sides}][, each {apart} on one side]"

    pools: int = 5
    support_from: str | None = None
    query_from: str | None = None
    apart: str | Later = None

    rules = declare(
        pools=integer(FEWEST_POOLS).worded(
            f"an integer of at least {FEWEST_POOLS}, the fewest for an interval for new images"
        )
    )

    @classmethod
    def examples(cls) -> list[DisjointPools]:
        return [cls(), cls(support_from="domain=mono", query_from="domain=colour"), cls(apart="burst")]

    def sample(
        self, images: LabelledImages, classes: Ints, shape: EpisodeShape, seed: int, start: int, count: int
    ) -> Episodes:
        draw = draw_from(images, classes, shape, seed, start, count, self.support_from)
        require_disjoint(images, self.support_from, self.query_from)
        support, query = self._divided(draw, images.pool(self.query_from), shape)
        one_pool = self.support_from == self.query_from

        def part(pool: int, member: Ints) -> Episodes:
            chosen = replace(draw.at(member), pool=support[pool])
            queries = chosen if one_pool else replace(chosen, pool=query[pool])
            return balanced(chosen, queries, shape, self.apart)

        for pool in range(self.pools if self.apart else 0):  # raises now if a pool has too few groups
            try:
                part(pool, np.empty(0, np.int64))
            except ValueError as error:
                raise ValueError(f"in pool {pool} of {self.pools}: {error}") from error
        return in_parts(draw, self.pools_of(draw.index), part)

    def _divided(self, draw: Draw, queries: Pool, shape: EpisodeShape) -> tuple[list[Pool], list[Pool]]:
        """The pools of the support and of the queries."""
        if self.apart is not None:
            sides = (draw.pool, queries)
            pools = pools_of_groups(draw.images, sides, draw.candidates, self.apart, draw.seed, self.pools)
            return pools[0], pools[1]
        self._check(draw, shape)
        support = divided(draw.pool, draw.candidates, draw.seed, self.pools)
        return support, divided(queries, draw.candidates, draw.seed, self.pools)

    @property
    def n_pools(self) -> int:
        return self.pools

    def _check(self, draw: Draw, shape: EpisodeShape) -> None:
        k_shot, n_query = shape.fewest_shots, shape.n_query or 1
        if self.support_from == self.query_from:
            self._require(draw, k_shot + n_query, f"{k_shot} support and {n_query} query images")
        else:
            self._require(draw, k_shot, f"{k_shot} support images")
            self._require(draw.of(self.query_from), n_query, f"{n_query} query images")

    def _require(self, draw: Draw, least: int, wanted: str) -> None:
        sizes = draw.pool.sizes(draw.candidates)
        if sizes.min() < least * self.pools:
            label = draw.candidates[sizes.argmin()]
            raise ValueError(
                f"{self.pools} disjoint pools with {wanted} of every class need {least * self.pools} images per class, "
                f"but class {label} ({quoted(draw.images.class_names[label])}) of "
                f"{draw.images.name} has {sizes.min()}; "
                "lower n_query (which changes no expected accuracy, unless an evaluator is transductive) or k_shot"
            )


def divided(pool: Pool, classes: Ints, seed: int, n_pools: int) -> list[Pool]:
    """Disjoint parts of a pool, for these classes: the images of each are shuffled and dealt out in turn. The order is
    a function of the seed, the class's label and its number of images."""
    kept: list[list[Rows]] = [[] for _ in range(n_pools)]
    sizes = np.zeros((n_pools, len(pool.start) - 1), dtype=np.int64)
    for label in classes:
        rows = pool.rows[pool.start[label] : pool.start[label + 1]]
        words = draws.words(seed, np.array([label]), 1, len(rows), streams.POOLS)[0, 0]
        order = np.argsort(words, kind="stable")
        for number in range(n_pools):
            part = np.sort(rows[order[number::n_pools]])
            kept[number].append(part)
            sizes[number, label] = len(part)
    starts = np.concatenate([np.zeros((n_pools, 1), dtype=np.int64), np.cumsum(sizes, axis=1)], axis=1)
    return [Pool(np.concatenate(parts), start) for parts, start in zip(kept, starts, strict=True)]
