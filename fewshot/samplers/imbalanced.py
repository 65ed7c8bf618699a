"""Supports of a fixed total size, with unequal numbers of images per class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fewshot.datasets import LabelledImages
from fewshot.episodes import streams
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import Ints
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.fields import Rule, declare, number_in
from fewshot.plugins.signature import Later
from fewshot.samplers import Sampler
from fewshot.samplers._apart import Side, Sides, episodes_apart, in_words, must_keep_apart
from fewshot.samplers._drawing import Draw, Drawn, draw_from, queries_first, require_disjoint, some_of
from fewshot.samplers.dirichlet_query import ALPHA, dirichlet

_CELLS = 1 << 21  # shares that are sorted at once
_SHARE = number_in("[1e-6, 1e6]")


@dataclass(frozen=True)
class Imbalanced(Sampler):
    """N-way episodes with k_shot * N support images in unequal numbers per class, at least one each, and n_query
    queries per class.

    With `shares` None, each episode draws its shares from Dirichlet(alpha, ..., alpha); a small alpha is a large
    imbalance. Otherwise `shares` are those of the ways in order, such as (1, 2, 4), repeated if there are more ways;
    classes are in a random order, so each may be the largest. If they are whole numbers, one per way, that sum to
    k_shot * N, they are the sizes.

    Images go one by one to the class with the largest share / (images + 1/2) (Sainte-Lague's rule): no class loses an
    image when k_shot grows, and other classes get the images that a class lacks. Classes and queries are those of
    Balanced with the same seed; so are `support_from`, `query_from` and `apart`.
    """

    shots_on_average: ClassVar[bool] = True
    nests_shots: ClassVar[bool] = False
    short_name: ClassVar[str] = "[{shares}|Dirichlet({alpha})] supports[, {sides}][, each {apart} on one side]"

    alpha: float = 2.0
    shares: tuple[float, ...] | None = None
    support_from: str | None = None
    query_from: str | None = None
    apart: str | Later = None

    rules = declare(
        alpha=ALPHA,
        shares=Rule(
            "None or a tuple of numbers in [1e-6, 1e6], such as (1, 2, 4)",
            lambda shares: isinstance(shares, tuple) and len(shares) > 0 and all(map(_SHARE.holds, shares)),
        ),
    )

    @classmethod
    def examples(cls) -> list[Imbalanced]:
        mixed = cls(support_from="domain=mono", query_from="domain=colour")
        return [cls(), cls(0.5), cls(shares=(1, 2, 4)), mixed, cls(apart="video")]

    def sample(
        self, images: LabelledImages, classes: Ints, shape: EpisodeShape, seed: int, start: int, count: int
    ) -> Episodes:
        if not shape.k_shot or shape.n_query is None:
            raise ValueError(
                "Imbalanced divides k_shot * n_way support images and takes n_query queries per class; give both"
            )
        draw = draw_from(images, classes, shape, seed, start, count, self.support_from)
        require_disjoint(images, self.support_from, self.query_from)
        queries = draw if self.support_from == self.query_from else draw.of(self.query_from)
        if self.apart is not None and must_keep_apart(draw, queries, self.apart):
            return self._apart(draw, queries, self.apart, shape)
        if queries is not draw:
            support = some_of(draw, self._counts(draw, shape.k_shot, shape.k_shot_at_most, 0))
            return draw.episodes(support, queries.query(shape))
        draw.require(shape.n_query + 1, f"n_query = {shape.n_query} images a class and one for the support")
        counts = self._counts(draw, shape.k_shot, shape.k_shot_at_most, shape.n_query)
        return draw.episodes(*queries_first(draw, np.full(counts.shape, shape.n_query), counts))

    def _counts(self, draw: Draw, k_shot: int, at_most: bool, kept: int) -> Ints:
        """[E, N] the number of support images of each class, which keeps `kept` images for its queries."""
        n_way = draw.chosen.shape[1]
        draw.require(1, "a support image of every class")
        fewest = np.sort(draw.pool.sizes(draw.candidates) - kept)[:n_way].sum()
        if fewest < k_shot * n_way and not at_most:
            raise ValueError(
                f"k_shot * n_way = {k_shot * n_way} support images an episode, but the {n_way} smallest classes of "
                f"{draw.images.name} have {fewest} beside their queries; lower k_shot or n_query"
            )
        return self._seats(draw, k_shot, draw.pool.sizes(draw.chosen) - kept)

    def _seats(self, draw: Draw, k_shot: int, most: Ints) -> Ints:
        """[E, N] the number of support images of each class, `most` [E, N] at most."""
        n_way = draw.chosen.shape[1]
        if self.shares is None:
            shares = dirichlet(draw.seed, draw.index, n_way, self.alpha)
        else:
            shares = np.tile(np.resize(np.array(self.shares, dtype=np.float64), n_way), (len(draw.index), 1))
        return seats(shares, np.minimum(k_shot * n_way, most.sum(1)), most)

    def _apart(self, draw: Draw, queries: Draw, apart: str, shape: EpisodeShape) -> Episodes:
        """Episodes that keep groups apart. A support that its groups cannot hold in any draw raises a ValueError."""
        k_shot, n_way = shape.k_shot or 1, draw.chosen.shape[1]
        fewest = int(np.sort(Sides.of(draw, queries, apart, shape.n_query).left[draw.candidates])[:n_way].sum())
        if fewest < k_shot * n_way and not shape.k_shot_at_most:
            raise ValueError(
                f"k_shot * n_way = {k_shot * n_way} support images an episode, but in the {n_way} smallest classes of "
                f"{draw.images.name} only {fewest} are sure to be in other groups of {apart!r} than the queries; lower "
                "k_shot or n_query"
            )

        def compose(part: Draw, support: Side, query: Side) -> tuple[Drawn, Drawn]:
            counts = self._seats(part, k_shot, support.total)
            return support.counted(counts, streams.SUPPORT), query.some(shape.n_query, streams.QUERY)

        return episodes_apart(draw, queries, apart, shape.n_query, 1, in_words(shape), compose)


def seats(shares: NDArray[np.float64], total: Ints, most: Ints) -> Ints:
    """[E, N] whole numbers from 1 to `most` [E, N] that sum to `total` [E], by Sainte-Lague's rule: the numbers of a
    smaller total are never above those of a larger one. N <= total <= the sum of `most`."""
    n_more = int(max(0, min((most - 1).max(initial=0), (total - shares.shape[1]).max(initial=0))))
    at_once = max(1, _CELLS // max(1, shares.shape[1] * n_more))
    blocks = [slice(start, start + at_once) for start in range(0, len(shares), at_once)]
    parts = [_more_seats(shares[block], total[block], most[block], n_more) for block in blocks]
    return 1 + np.concatenate([np.zeros((0, shares.shape[1]), dtype=np.int64), *parts])


def _more_seats(shares: NDArray[np.float64], total: Ints, most: Ints, n_more: int) -> Ints:
    """[E, N] the seats of each class beyond its first: `n_more` at most."""
    seat = np.arange(1, n_more + 1)  # the seats of a class that gets another
    claim = np.where(seat < most[:, :, None], shares[:, :, None] / (seat + 0.5), -1.0)
    order = np.argsort(-claim.reshape(len(shares), -1), axis=1, kind="stable")
    given = np.zeros(order.shape, dtype=np.bool_)
    np.put_along_axis(given, order, np.arange(order.shape[1]) < (total - shares.shape[1])[:, None], axis=1)
    counts: Ints = given.reshape(claim.shape).sum(2, dtype=np.int64)
    return counts
