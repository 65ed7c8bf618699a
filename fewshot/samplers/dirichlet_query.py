"""Balanced supports, and queries with random class shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from fewshot.datasets import LabelledImages
from fewshot.episodes import draws, streams
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import Ints
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.fields import declare, integer, number_in
from fewshot.plugins.signature import Later
from fewshot.samplers import Sampler
from fewshot.samplers._apart import Side, episodes_apart, in_words, must_keep_apart
from fewshot.samplers._drawing import Draw, Drawn, draw_from, queries_first, require_disjoint, some_of

Floats = NDArray[np.float64]
ALPHA = number_in("[0.1, 1000]")  # the range in which `dirichlet` is accurate


@dataclass(frozen=True)
class DirichletQuery(Sampler):
    """N-way K-shot episodes with n_query * N queries in random class shares, drawn from Dirichlet(alpha, ..., alpha)
    (Veilleux et al. 2021, arXiv 2204.11181: alpha = 2 and, at n_query = 15, 75 queries in all over 5 ways).

    Classes are those of Balanced with the same seed; so is the support if support_from and query_from differ. In one
    pool a class's queries come first, as in Balanced, then its support. Largest remainders turn shares into whole
    numbers, which equals the published rounding; a class may have no query.

    Deviations: an image is never support and query at once (in the published code it can be). A class keeps
    `support_reserve` images from being queries, so up to that many shots share the same queries; other classes give
    the missing queries in proportion to their shares. `support_from`, `query_from` and `apart` are those of Balanced.
    """

    short_name: ClassVar[str] = "Dirichlet({alpha}) queries[, {sides}][, each {apart} on one side]"
    queries_on_average: ClassVar[bool] = True
    is_balanced_but_for_queries: ClassVar[bool] = True

    alpha: float = 2.0
    support_reserve: int = 20
    support_from: str | None = None
    query_from: str | None = None
    apart: str | Later = None

    rules = declare(alpha=ALPHA, support_reserve=integer(1))

    @classmethod
    def examples(cls) -> list[DirichletQuery]:
        mixed = cls(support_from="domain=mono", query_from="domain=colour")
        return [cls(), cls(0.5, 8), mixed, cls(apart="video")]

    def sample(
        self, images: LabelledImages, classes: Ints, shape: EpisodeShape, seed: int, start: int, count: int
    ) -> Episodes:
        self._check(shape)
        draw = draw_from(images, classes, shape, seed, start, count, self.support_from)
        require_disjoint(images, self.support_from, self.query_from)
        queries = draw if self.support_from == self.query_from else draw.of(self.query_from)
        if self.apart is not None and must_keep_apart(draw, queries, self.apart):
            return self._apart(draw, queries, self.apart, shape)
        if queries is not draw:
            counts = self._counts(queries, shape, reserve=0)
            return draw.episodes(draw.support(shape), some_of(queries, counts, streams.QUERY))
        if shape.k_shot is not None and not shape.k_shot_at_most:
            draw.require(shape.k_shot, f"k_shot = {shape.k_shot} images a class")
        return draw.episodes(*_from_one_pool(draw, shape, self._counts(draw, shape, self.support_reserve)))

    def _check(self, shape: EpisodeShape) -> None:
        if shape.n_query is None:
            raise ValueError(
                "DirichletQuery divides n_query * n_way queries among the classes; give n_query, it cannot be all"
            )
        one_pool = self.support_from == self.query_from and self.apart is None
        if one_pool and shape.k_shot and not shape.k_shot_at_most and shape.k_shot > self.support_reserve:
            raise ValueError(
                f"k_shot = {shape.k_shot}, but DirichletQuery keeps {self.support_reserve} images a class from being "
                "queries; raise support_reserve"
            )

    def _apart(self, draw: Draw, queries: Draw, apart: str, shape: EpisodeShape) -> Episodes:
        """Episodes that keep groups apart: the classes' shares are limited by the images of their query groups."""

        def compose(part: Draw, support: Side, query: Side) -> tuple[Drawn, Drawn]:
            n_way, total = part.chosen.shape[1], (shape.n_query or 0) * part.chosen.shape[1]
            counts = apportion(dirichlet(part.seed, part.index, n_way, self.alpha), total, query.total)
            return support.some(shape.k_shot, streams.SUPPORT), query.counted(counts, streams.QUERY)

        return episodes_apart(draw, queries, apart, shape.n_query, shape.fewest_shots, in_words(shape), compose)

    def _counts(self, draw: Draw, shape: EpisodeShape, reserve: int) -> Ints:
        """[E, N] the number of queries of each class."""
        n_way, n_query = draw.chosen.shape[1], shape.n_query or 0
        most = np.maximum(draw.pool.sizes(draw.chosen) - reserve, 0)
        fewest = np.sort(np.maximum(draw.pool.sizes(draw.candidates) - reserve, 0))[:n_way]
        if fewest.sum() < n_query * n_way:
            kept = f" that support_reserve={reserve} leaves" if reserve else ""
            raise ValueError(
                f"n_query * n_way = {n_query * n_way} queries an episode, but the {n_way} smallest classes of "
                f"{draw.images.name} have {fewest.sum()} images{kept}; lower n_query"
                + (" or support_reserve" if reserve else "")
            )
        return apportion(dirichlet(draw.seed, draw.index, n_way, self.alpha), n_query * n_way, most)


def dirichlet(seed: int, index: Ints, n_way: int, alpha: float) -> Floats:
    """[E, N] shares that sum to 1, drawn from Dirichlet(alpha, ..., alpha): normalised gamma variates, each the inverse
    distribution function at a uniform number of (episode, way)."""
    words = draws.words(seed, index, n_way, 1, streams.SHARES)[:, :, 0]
    gamma: Floats = gammaincinv(alpha, (words.astype(np.float64) + 0.5) / 2**32)
    shares: Floats = gamma / gamma.sum(1, keepdims=True)
    return shares


def apportion(shares: Floats, total: int, most: Ints) -> Ints:
    """[E, N] whole numbers that sum to `total`, in proportion to `shares` but never above `most`: largest remainders.

    Other classes give what a class lacks, in proportion again. `most` sums to `total` or more; every share is above
    0.
    """
    wanted, full = shares * total, np.zeros(shares.shape, dtype=np.bool_)
    for _ in range(shares.shape[1]):
        full |= wanted > most
        left = total - (most * full).sum(1, keepdims=True)
        open_shares = np.where(full, 0, shares)
        wanted = np.where(full, most, left * open_shares / np.maximum(open_shares.sum(1, keepdims=True), 1e-300))
    counts = np.floor(wanted).astype(np.int64)
    remainder = np.where(counts < most, wanted - counts, -1.0)
    place = np.argsort(np.argsort(-remainder, axis=1, kind="stable"), axis=1, kind="stable")
    counts += place < total - counts.sum(1, keepdims=True)
    return counts


def _from_one_pool(draw: Draw, shape: EpisodeShape, counts: Ints) -> tuple[Drawn, Drawn]:
    """Support and query from the same images: the first draws of a class are its queries, the next K its support."""
    if shape.k_shot is None:
        query = some_of(draw, counts, streams.QUERY)
        return draw.all_but(query), query
    return queries_first(draw, counts, np.minimum(shape.k_shot, draw.pool.sizes(draw.chosen) - counts))
