"""The same number of support and query images for every class of an episode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fewshot.datasets import LabelledImages
from fewshot.episodes import streams
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import Ints
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.signature import Later
from fewshot.samplers import Sampler
from fewshot.samplers._apart import Side, episodes_apart, in_words, must_keep_apart
from fewshot.samplers._drawing import Draw, Drawn, draw_from, flat, require_disjoint


@dataclass(frozen=True)
class Balanced(Sampler):
    """N-way K-shot: samples N classes uniformly, then Q query and K support images of each, without replacement.

    Queries come before the support, so every K shares the same queries. `support_from` and `query_from` name image
    groups ("partition=train", "domain=mono"); they must be the same or disjoint.

    `apart` names groups of images, such as video: no group has images in both the support and the queries of an
    episode. It is an image group of the data set (a column of a manifest), "folder" (the folder of a file) or "stem"
    (the name of a file without the number at its end). Half of a class's groups, or more if its queries need them, are
    query groups; with n_query None the queries are all of their images. If queries come from another image group, such
    as the test partition, n_query None stays all of it.
    """

    short_name: ClassVar[str] = "[{sides}|balanced][, each {apart} on one side]"
    is_balanced: ClassVar[bool] = True
    repeats_if_open: ClassVar[bool] = True

    support_from: str | None = None
    query_from: str | None = None
    apart: str | Later = None

    @classmethod
    def examples(cls) -> list[Balanced]:
        mixed = cls("domain=mono", "domain=colour", apart="burst")
        return [
            *(cls(), cls("domain=mono", "domain=mono"), cls("domain=mono", "domain=colour")),
            *(cls(apart="video"), cls(apart="scene"), mixed),
        ]

    def repeats(self, shape: EpisodeShape) -> bool:
        return self.apart is None and shape == EpisodeShape(None, None, None)

    def sample(
        self, images: LabelledImages, classes: Ints, shape: EpisodeShape, seed: int, start: int, count: int
    ) -> Episodes:
        draw = draw_from(images, classes, shape, seed, start, count, self.support_from)
        require_disjoint(images, self.support_from, self.query_from)
        queries = draw if self.support_from == self.query_from else draw.of(self.query_from)
        return balanced(draw, queries, shape, self.apart)


def balanced(draw: Draw, queries: Draw, shape: EpisodeShape, apart: str | None = None) -> Episodes:
    """Episodes with the support of `draw` and the queries of `queries`: the same draw, or one of other images. `apart`
    names groups of images to keep apart."""
    if apart is not None and must_keep_apart(draw, queries, apart):

        def compose(part: Draw, support: Side, query: Side) -> tuple[Drawn, Drawn]:
            return support.some(shape.k_shot, streams.SUPPORT), query.some(shape.n_query, streams.QUERY)

        return episodes_apart(draw, queries, apart, shape.n_query, shape.fewest_shots, in_words(shape), compose)
    if queries is draw:
        return draw.episodes(*_from_one_pool(draw, shape))
    return draw.episodes(draw.support(shape), queries.query(shape))


def _from_one_pool(draw: Draw, shape: EpisodeShape) -> tuple[Drawn, Drawn]:
    """Support and query from the same images: of one draw the first Q rows are queries, the next K the support."""
    if shape.k_shot is None and shape.n_query is None:
        raise ValueError(
            "support and queries cannot both be all of the same images; "
            "give k_shot or n_query, or different support_from and query_from"
        )
    if shape.k_shot is None or shape.n_query is None:
        drawn = draw.query(shape, spare=1) if shape.k_shot is None else draw.support(shape, spare=1)
        rest = draw.all_but(drawn)
        return (rest, drawn) if shape.k_shot is None else (drawn, rest)
    least = shape.fewest_shots
    draw.require(shape.n_query + least, f"k_shot + n_query = {least} + {shape.n_query} images a class")
    rows, held = draw.rows(shape.n_query + shape.k_shot, streams.QUERY)
    query, support = (
        flat(rows[:, :, part], held[:, :, part]) for part in (slice(shape.n_query), slice(shape.n_query, None))
    )
    return support, query
