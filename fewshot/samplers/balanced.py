"""The same number of support and query images for every class of an episode."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fewshot import draws
from fewshot.datasets import LabelledImages, Pool
from fewshot.episodes import Episodes, EpisodeShape, Ints, Rows
from fewshot.samplers import Sampler

_CLASSES, _SUPPORT, _QUERY = 0, 1, 2  # streams of random words


@dataclass(frozen=True)
class Balanced(Sampler):
    """N-way K-shot: N classes uniformly, then Q query and K support images of each, all without replacement.

    Queries are drawn before the support, so every K shares the same queries. `support_from` and `query_from` name
    an image group ("partition=train", "domain=mono"); they must be the same or disjoint.
    """

    support_from: str | None = None
    query_from: str | None = None

    @classmethod
    def examples(cls) -> list[Balanced]:
        return [cls(), cls("domain=mono", "domain=mono"), cls("domain=mono", "domain=colour")]

    def sample(
        self, images: LabelledImages, classes: Ints, shape: EpisodeShape, seed: int, start: int, count: int
    ) -> Episodes:
        index = np.arange(start, start + count, dtype=np.int64)
        classes = np.unique(classes)
        chosen = _choose_classes(images, classes, shape, seed, index)  # [E, N]
        draw = _Draw(images, images.pool(self.support_from), classes, chosen, seed, index)
        if self.support_from == self.query_from:
            support, query = _from_one_pool(draw, shape)
        else:
            self._check_disjoint(images)
            support = draw.support(shape)
            query = replace(draw, pool=images.pool(self.query_from)).query(shape)
        n_way = np.full(count, chosen.shape[1], dtype=np.int32)
        ways = chosen.reshape(-1).astype(np.int32)
        return Episodes(
            index,
            n_way,
            ways,
            support_count=support[1],
            query_count=query[1],
            support=support[0],
            query=query[0],
            images_digest=images.images_digest,
            seed=seed,
        )

    def _check_disjoint(self, images: LabelledImages) -> None:
        both = images.mask(self.support_from) & images.mask(self.query_from)
        if both.any():
            raise ValueError(
                f"support_from={self.support_from!r} and query_from={self.query_from!r} share "
                f"{both.sum()} images; they must be the same or disjoint"
            )


Drawn = tuple[Rows, Rows]  # flat rows, and how many of them each way of each episode has


def _choose_classes(images: LabelledImages, classes: Ints, shape: EpisodeShape, seed: int, index: Ints) -> Ints:
    """[E, N] the classes of each episode; all of them in ascending order where n_way is None."""
    if len(classes) < (shape.n_way or 2):
        raise ValueError(
            f"{shape.n_way or 'all'}-way episodes were asked for, but there are {len(classes)} classes to "
            f"draw from in {images.name}; lower n_way or choose another part of the split"
        )
    if not 0 <= classes[0] <= classes[-1] < len(images.class_names):
        raise ValueError(
            f"classes of {images.name} must be in [0, {len(images.class_names)}), got {classes[0]} to {classes[-1]}"
        )
    if shape.n_way is None:
        return np.repeat(classes[None], len(index), axis=0)
    sizes = np.array([[len(classes)]])
    return classes[draws.distinct(seed, index, sizes, shape.n_way, _CLASSES)[:, 0]]


def _from_one_pool(draw: _Draw, shape: EpisodeShape) -> tuple[Drawn, Drawn]:
    """Support and query from the same images: one draw, its first Q positions are queries, the next K support."""
    if shape.k_shot is None and shape.n_query is None:
        raise ValueError(
            "all support and all query images cannot come from the same images; "
            "give k_shot or n_query, or different support_from and query_from"
        )
    if shape.k_shot is None or shape.n_query is None:
        drawn = draw.query(shape, spare=1) if shape.k_shot is None else draw.support(shape, spare=1)
        rest = draw.all_but(drawn)
        return (rest, drawn) if shape.k_shot is None else (drawn, rest)
    least = 1 if shape.k_shot_at_most else shape.k_shot
    draw.require(shape.n_query + least, f"k_shot + n_query = {least} + {shape.n_query} images a class")
    rows, held = draw.rows(shape.n_query + shape.k_shot, _QUERY)
    query, support = (
        _flat(rows[:, :, part], held[:, :, part]) for part in (slice(shape.n_query), slice(shape.n_query, None))
    )
    return support, query


@dataclass(frozen=True)
class _Draw:
    """Draws from one pool of images, for the classes chosen [E, N] from all candidates for the episodes `index`."""

    images: LabelledImages
    pool: Pool
    candidates: Ints
    chosen: Ints
    seed: int
    index: Ints

    def support(self, shape: EpisodeShape, spare: int = 0) -> Drawn:
        """K support rows a class, or all."""
        least = 1 if shape.k_shot_at_most else shape.k_shot
        return self._some(shape.k_shot, least, _SUPPORT, spare, "k_shot")

    def query(self, shape: EpisodeShape, spare: int = 0) -> Drawn:
        """Q query rows a class, or all."""
        return self._some(shape.n_query, shape.n_query, _QUERY, spare, "n_query")

    def _some(self, most: int | None, least: int | None, stream: int, spare: int, what: str) -> Drawn:
        if most is None or least is None:
            self.require(1, f"{what} = all images a class")
            return self.all_but((np.empty(0, np.int32), np.zeros(self.chosen.size, np.int32)))
        self.require(least + spare, f"{what} = {least} images a class" + " and one for the rest" * spare)
        return _flat(*self.rows(most, stream, spare))

    def rows(self, n_draws: int, stream: int, spare: int = 0) -> tuple[Rows, NDArray[np.bool_]]:
        """[E, N, n_draws] rows without replacement, and which of them each class has when `spare` are kept back."""
        sizes = self.pool.sizes(self.chosen)
        position = draws.distinct(self.seed, self.index, sizes, n_draws, stream)
        held = np.arange(n_draws) < sizes[:, :, None] - spare
        return self.pool.rows[self.pool.start[self.chosen][:, :, None] + np.where(held, position, 0)], held

    def all_but(self, drawn: Drawn) -> Drawn:
        """Every row of the chosen classes that was not drawn, ascending."""
        ends = np.cumsum(drawn[1])
        classes = self.chosen.reshape(-1)
        rest = [
            np.setdiff1d(self.pool.rows[self.pool.start[c] : self.pool.start[c + 1]], drawn[0][end - n : end], True)
            for c, end, n in zip(classes, ends, drawn[1], strict=True)
        ]
        return np.concatenate([drawn[0][:0], *rest]), np.array([len(r) for r in rest], dtype=np.int32)

    def require(self, least: int, wanted: str) -> None:
        """Raises a ValueError that names the smallest candidate unless all have `least` images."""
        sizes = self.pool.sizes(self.candidates)
        if sizes.min() < least:
            label, more = self.candidates[sizes.argmin()], (sizes < least).sum() - 1
            raise ValueError(
                f"{wanted}, but class {label} ({self.images.class_names[label]!r}) of "
                f"{self.images.name} has {sizes.min()}{f' and {more} more have too few' if more else ''}; lower them, "
                "or leave such classes out: remove their images, or move them from novel to validation in a file of "
                "`fewshot split make`"
            )


def _flat(rows: Rows, held: NDArray[np.bool_]) -> Drawn:
    return rows[held], held.sum(2, dtype=np.int32).reshape(-1)
