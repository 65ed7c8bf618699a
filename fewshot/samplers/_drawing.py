"""Draws that samplers share: the classes of each episode, and rows of classes without replacement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fewshot.datasets import LabelledImages, Pool
from fewshot.episodes import draws, streams
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import Ints, Rows
from fewshot.episodes.shape import EpisodeShape
from fewshot.files.quoting import quoted

Drawn = tuple[Rows, Rows]  # flat rows, and the number of rows of each way of each episode


def choose_classes(images: LabelledImages, classes: Ints, shape: EpisodeShape, seed: int, index: Ints) -> Ints:
    """[E, N] the classes of each episode; all classes in ascending order if n_way is None."""
    require_classes(images, classes, shape.n_way or 2, str(shape.n_way or "all"))
    if shape.n_way is None:
        return np.repeat(classes[None], len(index), axis=0)
    sizes = np.array([[len(classes)]])
    return classes[draws.distinct(seed, index, sizes, shape.n_way, streams.CLASSES)[:, 0]]


def require_classes(images: LabelledImages, classes: Ints, least: int, wanted: str) -> None:
    """Raises a ValueError unless these are at least `least` classes of the images, for episodes of `wanted` ways."""
    if len(classes) < 2 <= least and len(images.class_names) == 1:
        raise ValueError(
            f"{images.name} has one class ({quoted(images.class_names[0])}), and an episode needs "
            "two or more; add a second class, such as a second folder of images beside the first"
        )
    if len(classes) < least:
        raise ValueError(
            f"{wanted}-way episodes need more classes than the {len(classes)} to sample from in "
            f"{images.name}; lower n_way or choose another part of the split"
        )
    if not 0 <= classes[0] <= classes[-1] < len(images.class_names):
        raise ValueError(
            f"classes of {images.name} must be in [0, {len(images.class_names)}), got {classes[0]} to {classes[-1]}"
        )


LEAVE_OUT = (
    "leave such classes out: remove their images, or move them from novel to validation in a file of `fewshot split "
    "make`"
)


@dataclass(frozen=True)
class Draw:
    """Draws from one pool of images, for the episodes `index` and their classes `chosen` [E, N] of all candidates."""

    images: LabelledImages
    pool: Pool
    candidates: Ints
    chosen: Ints
    seed: int
    index: Ints

    def of(self, group: str | None) -> Draw:
        """The same draw, from the images of another group."""
        return replace(self, pool=self.images.pool(group))

    def at(self, member: Ints, ways: int | None = None) -> Draw:
        """The draw of some of these episodes, by position, with the first `ways` of their classes (None: all)."""
        return replace(self, chosen=self.chosen[member][:, :ways], index=self.index[member])

    def episodes(self, support: Drawn, query: Drawn) -> Episodes:
        """The episodes of these rows."""
        return Episodes(
            self.index,
            np.full(len(self.index), self.chosen.shape[1], dtype=np.int32),
            self.chosen.reshape(-1).astype(np.int32),
            support_count=support[1],
            query_count=query[1],
            support=support[0],
            query=query[0],
            images_digest=self.images.images_digest,
            seed=self.seed,
        )

    def support(self, shape: EpisodeShape, spare: int = 0) -> Drawn:
        """K support rows per class, or all."""
        least = None if shape.k_shot is None else shape.fewest_shots
        return self._some(shape.k_shot, least, streams.SUPPORT, spare, "k_shot")

    def query(self, shape: EpisodeShape, spare: int = 0) -> Drawn:
        """Q query rows per class, or all."""
        return self._some(shape.n_query, shape.n_query, streams.QUERY, spare, "n_query")

    def _some(self, most: int | None, least: int | None, stream: int, spare: int, what: str) -> Drawn:
        if most is None or least is None:
            self.require(1, f"{what} = all images a class")
            return self.all_but((np.empty(0, np.int32), np.zeros(self.chosen.size, np.int32)))
        self.require(least + spare, f"{what} = {least} images a class" + " and one for the rest" * spare)
        return flat(*self.rows(most, stream, spare))

    def rows(self, n_draws: int, stream: int, spare: int = 0) -> tuple[Rows, NDArray[np.bool_]]:
        """[E, N, n_draws] rows without replacement, and a mask of those left if each class keeps `spare` rows back."""
        sizes = self.pool.sizes(self.chosen)
        n_draws = min(n_draws, int(sizes.max(initial=0)))
        position = draws.distinct(self.seed, self.index, sizes, n_draws, stream)
        held = np.arange(n_draws) < sizes[:, :, None] - spare
        return self.pool.rows[self.pool.start[self.chosen][:, :, None] + np.where(held, position, 0)], held

    def all_but(self, drawn: Drawn) -> Drawn:
        """The other rows of the chosen classes, ascending."""
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
            if sizes.max() < 2:
                raise ValueError(
                    f"every class to sample from in {self.images.name} has one image, and an episode needs two or more "
                    "per class, one as support and one as query; add images"
                )
            raise ValueError(
                f"{wanted}, but class {label} ({quoted(self.images.class_names[label])}) of "
                f"{self.images.name} has {sizes.min()}{f' and {more} more have too few' if more else ''}; lower them, "
                f"or {LEAVE_OUT}"
            )


def flat(rows: Rows, held: NDArray[np.bool_]) -> Drawn:
    """The rows [E, N, n] under the mask, and their number per way."""
    return rows[held], held.sum(2, dtype=np.int32).reshape(-1)


def some_of(draw: Draw, counts: Ints, stream: int = streams.SUPPORT) -> Drawn:
    """The first `counts` [E, N] draws of each class."""
    rows, _ = draw.rows(int(counts.max(initial=0)), stream)
    return flat(rows, np.arange(rows.shape[2]) < counts[:, :, None])


def queries_first(draw: Draw, n_query: Ints, n_support: Ints) -> tuple[Drawn, Drawn]:
    """Support and query from the same images: the first `n_query` [E, N] draws of a class are its queries, the next
    `n_support` [E, N] its support."""
    rows, _ = draw.rows(int((n_query + n_support).max(initial=0)), streams.QUERY)
    place, first, end = np.arange(rows.shape[2]), n_query[:, :, None], (n_query + n_support)[:, :, None]
    return flat(rows, (place >= first) & (place < end)), flat(rows, place < first)


def distinct(values: Ints) -> Ints:
    """The different values, in ascending order. Without counts np.unique imports numpy.ma, which takes longer than the
    draw."""
    return np.unique(values, return_counts=True)[0]


def draw_from(
    images: LabelledImages, classes: Ints, shape: EpisodeShape, seed: int, start: int, count: int, group: str | None
) -> Draw:
    """The draw of episodes start..start+count-1 over these classes, from the images of a group."""
    index, candidates = np.arange(start, start + count, dtype=np.int64), distinct(classes)
    chosen = choose_classes(images, candidates, shape, seed, index)
    return Draw(images, images.pool(group), candidates, chosen, seed, index)


def in_parts(draw: Draw, key: Ints, part: Callable[[int, Ints], Episodes]) -> Episodes:
    """The episodes of a draw; `part` composes those with one value of `key` [E] from the value and their positions."""
    if not len(key):
        nothing = np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32)
        return draw.episodes(nothing, nothing)
    members = [np.flatnonzero(key == value) for value in distinct(key)]
    parts = [part(int(key[member[0]]), member) for member in members]
    return Episodes.concatenate(parts).take(np.argsort(np.concatenate(members)))


def require_disjoint(images: LabelledImages, support_from: str | None, query_from: str | None) -> None:
    """Raises a ValueError if the two groups differ but share images."""
    both = images.mask(support_from) & images.mask(query_from)
    if support_from != query_from and both.any():
        raise ValueError(
            f"support_from={support_from!r} and query_from={query_from!r} share "
            f"{both.sum()} images; they must be the same or disjoint"
        )
