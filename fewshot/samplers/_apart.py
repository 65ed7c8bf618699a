"""Groups of images kept apart: no group, such as a video, is on both the support and the query side of an episode.

An episode orders the groups by random words, one per (seed, index, group). The first groups of each class are its query
groups: at least half of its groups, and as many as always hold its queries. All images of query groups are on the query
side, in other classes too; all other images are on the support side. The sides do not depend on K, so every K shares
the queries, and the images of a side are drawn uniformly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fewshot.episodes import draws, streams
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import Ints, Rows, take_runs
from fewshot.episodes.shape import EpisodeShape
from fewshot.files.quoting import quoted
from fewshot.plugins.wording import counted
from fewshot.samplers._drawing import LEAVE_OUT, Draw, Drawn, flat
from fewshot.samplers._image_groups import GroupedPool, grouped_pool, share_groups

_CELLS = 1 << 21  # groups of classes of episodes in memory at once
_ATTEMPTS = 16  # orders of the groups, where groups span classes and one order may leave a class without support

Compose = Callable[[Draw, "Side", "Side"], tuple[Drawn, Drawn]]


@dataclass(frozen=True, eq=False)
class Side:
    """The images of one side of E episodes: those of some groups of their classes."""

    draw: Draw
    pool: GroupedPool
    runs: Ints  # [E, N, W] runs of the pool
    sizes: Ints  # [E, N, W] images of each run; 0 if it is not on this side

    @staticmethod
    def of(draw: Draw, pool: GroupedPool, is_here: NDArray[np.bool_]) -> Side:
        """The side with those groups [E, N, W] of the classes of a draw that are here."""
        runs, _ = pool.runs_of(draw.chosen)
        return Side(draw, pool, runs, np.where(is_here, pool.size[runs], 0))

    @cached_property
    def total(self) -> Ints:
        """[E, N] the number of images of each class."""
        total: Ints = self.sizes.sum(2)
        return total

    def rows(self, n_draws: int, stream: int) -> tuple[Rows, NDArray[np.bool_]]:
        """[E, N, n_draws] rows without replacement, and a mask of the valid ones."""
        n_draws = min(n_draws, int(self.total.max(initial=0)))
        position = draws.distinct(self.draw.seed, self.draw.index, self.total, n_draws, stream)
        held = np.arange(n_draws) < self.total[:, :, None]
        return self._at(np.where(held, position, 0)), held

    def some(self, count: int | None, stream: int) -> Drawn:
        """`count` rows per class, as far as it has them, or all."""
        return self.all() if count is None else flat(*self.rows(count, stream))

    def counted(self, counts: Ints, stream: int) -> Drawn:
        """The first `counts` [E, N] draws of each class."""
        rows, held = self.rows(int(counts.max(initial=0)), stream)
        return flat(rows, held & (np.arange(rows.shape[2]) < counts[:, :, None]))

    def all(self) -> Drawn:
        """All rows of the side, group by group."""
        rows: Rows = take_runs(self.pool.rows, self.pool.start, self.runs[self.sizes > 0])
        return rows, self.total.reshape(-1).astype(np.int32)

    def _at(self, position: Ints) -> Rows:
        """The rows [E, N, n] at positions among the images of each class."""
        width = self.sizes.shape[2]
        ends = np.cumsum(self.sizes, axis=2)
        shift = (np.arange(self.total.size) * (int(ends.max(initial=0)) + 1)).reshape(self.total.shape)[:, :, None]
        place = np.searchsorted((ends + shift).reshape(-1), position + shift, side="right")
        place = np.minimum(place, np.arange(self.total.size).reshape(shift.shape) * width + width - 1)
        before = (ends - self.sizes).reshape(-1)[place]
        rows: Rows = self.pool.rows[self.pool.start[self.runs.reshape(-1)[place]] + position - before]
        return rows


@dataclass(frozen=True, eq=False)
class Sides:
    """How the groups of the candidate classes divide into sides: the number of query groups of each class."""

    draw: Draw
    support: GroupedPool
    query: GroupedPool
    apart: str
    n_groups: Ints  # [C] query groups of each class of the data set

    @staticmethod
    def of(draw: Draw, queries: Draw, apart: str, wanted: Ints | int | None) -> Sides:
        """The sides for `wanted` queries per candidate class, or for all: half of the groups; of another pool of
        queries, every group."""
        support, query = grouped_pool(draw.images, draw.pool, apart), grouped_pool(draw.images, queries.pool, apart)
        n_groups = np.zeros(len(query.first) - 1, dtype=np.int64)
        each = np.broadcast_to(np.asarray(1 if wanted is None else wanted), draw.candidates.shape)
        for label, least in zip(draw.candidates.tolist(), each.tolist(), strict=True):
            ascending = np.sort(query.sizes_of(label))
            enough = int(np.searchsorted(np.cumsum(ascending), least)) + 1
            half = len(ascending) // 2 if wanted is not None or query is support else len(ascending)
            n_groups[label] = max(enough, half)
        return Sides(draw, support, query, apart, n_groups)

    @cached_property
    def spans(self) -> bool:
        """Whether a group has images of several candidate classes."""
        pairs = [
            np.stack([pool.code[runs], pool.label[runs]])
            for pool in (self.support, self.query)
            for runs in (np.flatnonzero(np.isin(pool.label, self.draw.candidates)),)
        ]
        codes = np.unique(np.concatenate(pairs, axis=1), axis=1)[0]
        return len(np.unique(codes)) < len(codes)

    @cached_property
    def left(self) -> Ints:
        """[C] the fewest support images of each candidate class, whichever groups are its query groups."""
        left = np.zeros(len(self.n_groups), dtype=np.int64)
        for label in self.draw.candidates.tolist():
            sizes = self.support.sizes_of(label)
            shared = np.sort(sizes[np.isin(self.support.codes_of(label), self.query.codes_of(label))])[::-1]
            left[label] = sizes.sum() - shared[: self.n_groups[label]].sum()
        return left

    def require(self, least: int, wanted: str) -> None:
        """Raises a ValueError that names the worst candidate unless each has its query groups, and `least` support
        images in others."""
        short = np.array([len(self.query.sizes_of(c)) < self.n_groups[c] for c in self.draw.candidates.tolist()])
        bad = short | (self.left[self.draw.candidates] < least)
        if bad.any():
            images, label = self.draw.images, int(self.draw.candidates[np.argmax(bad)])
            sizes = self.support.sizes_of(label)
            n_other = int(bad.sum()) - 1
            advice = f"lower k_shot or n_query, or {LEAVE_OUT}"
            if len(sizes) == 1:  # it cannot be on both sides, however few images an episode takes
                advice = f"a class needs 2 groups or more, so add images of another group, or {LEAVE_OUT}"
            raise ValueError(
                f"{wanted} with apart={self.apart!r} need enough groups for both sides of episodes, but class {label} "
                f"({quoted(images.class_names[label])}) of {images.name} has "
                f"{counted(int(sizes.sum()), 'image')} in {counted(len(sizes), 'group')}"
                f"{f' and {n_other} more have too few' if n_other else ''}; {advice}"
            )

    def divided(self, draw: Draw, least: int) -> tuple[Side, Side]:
        """The support side and the query side of the episodes of a draw."""
        support, query, score = self._attempt(draw, 0)
        for attempt in range(1, _ATTEMPTS if self.spans else 1):
            weak = np.flatnonzero(score < 1)
            if not len(weak):
                break
            other = self._attempt(draw.at(weak), attempt)
            better = other[2] > score[weak]
            for mine, new in zip((support, query, score), other, strict=True):
                mine[weak[better]] = new[better]
        side = Side.of(draw, self.support, support)
        self._require_support(side, least)
        return side, Side.of(draw, self.query, query)

    def _attempt(self, draw: Draw, attempt: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]]:
        """Masks [E, N, W] of the groups on the support side and on the query side, and a score [E]: the images that
        are left for the support of a class, in units of `left`, for the class with the fewest."""
        runs, real = self.query.runs_of(draw.chosen)
        code = self.query.code[runs]
        word = draws.words_at(draw.seed, draw.index, code, attempt, streams.APART)
        order = np.where(real, (word << np.uint64(32)) | code.astype(np.uint64), np.uint64(2**64 - 1))
        last = np.minimum(self.n_groups[draw.chosen], real.sum(2)) - 1
        is_query = real & (order <= np.take_along_axis(np.sort(order, axis=2), last[:, :, None], axis=2))
        own, real_own = self.support.runs_of(draw.chosen)
        if self.support is self.query and not self.spans:
            is_support = real & ~is_query
        else:
            marked = _pairs(code)[is_query]
            is_support = real_own & ~np.isin(_pairs(self.support.code[own]), marked)
            free = ~np.isin(code, self.support.code)  # groups without a support image
            is_query = real & (free | np.isin(_pairs(code), marked))
        kept = np.where(is_support, self.support.size[own], 0).sum(2)
        return is_support, is_query, (kept / np.maximum(self.left[draw.chosen], 1)).min(1, initial=1)

    def _require_support(self, side: Side, least: int) -> None:
        """Raises a ValueError if other classes of an episode took the groups that a class needs for its support."""
        few = np.argwhere(side.total < least)
        if len(few):
            e, way = few[0]
            label, images = int(side.draw.chosen[e, way]), self.draw.images
            raise ValueError(
                f"groups of {self.apart!r} that span classes leave class {label} ({images.class_names[label]!r}) of "
                f"{images.name} {side.total[e, way]} support images in episode {side.draw.index[e]}, but {least} are "
                "needed; lower k_shot or n_query, or leave classes with few groups out"
            )


def _pairs(code: Ints) -> Ints:
    """[E, N, W] one number for each pair of an episode and a group."""
    episode = np.arange(len(code), dtype=np.int64)[:, None, None]
    return (episode << np.int64(32)) + code


def episodes_apart(
    draw: Draw, queries: Draw, apart: str, wanted: Ints | int | None, least: int, words: str, compose: Compose
) -> Episodes:
    """Episodes with support and queries of different groups: `compose` draws them from the two sides.

    `wanted` queries (None: all) and `least` support images per class must be there for any draw, or a ValueError says
    with `words` which class has too few groups.
    """
    sides = Sides.of(draw, queries, apart, wanted)
    sides.require(least, words)
    width = max(int(np.diff(pool.first).max(initial=1)) for pool in (sides.support, sides.query))
    size = max(1, _CELLS // max(1, width * draw.chosen.shape[1]))
    parts = [np.arange(at, min(at + size, len(draw.index))) for at in range(0, max(1, len(draw.index)), size)]
    return Episodes.concatenate([_part(sides, draw.at(part), least, compose) for part in parts])


def _part(sides: Sides, draw: Draw, least: int, compose: Compose) -> Episodes:
    return draw.episodes(*compose(draw, *sides.divided(draw, least)))


def must_keep_apart(draw: Draw, queries: Draw, apart: str) -> bool:
    """Whether a group has images in the pools of both sides; an unknown group raises a ValueError."""
    return queries is draw or share_groups(draw.images, draw.pool, queries.pool, apart)


def in_words(shape: EpisodeShape) -> str:
    """The images per class that a shape wants, for an error."""
    query = "all" if shape.n_query is None else f"{shape.n_query:,}"
    at_most = "at most " if shape.k_shot_at_most else ""
    shots = "all" if shape.k_shot is None else f"{at_most}{shape.k_shot:,}"
    return f"k_shot = {shots} and n_query = {query} images per class"
