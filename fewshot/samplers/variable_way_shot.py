"""Meta-Dataset's episodes: varying numbers of ways and shots, imbalanced supports."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fewshot.data import FOLDER
from fewshot.datasets import LabelledImages
from fewshot.episodes import draws, streams
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import MOST_ROWS, Ints
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.fields import Rule, declare, integer, is_integer
from fewshot.plugins.signature import Later
from fewshot.samplers import Sampler
from fewshot.samplers._apart import Side, episodes_apart, in_words
from fewshot.samplers._class_tree import ClassTree
from fewshot.samplers._drawing import Draw, Drawn, in_parts, queries_first, require_classes
from fewshot.samplers._grouping import ClassGroups, class_groups

WAYS = 5, 50  # fewest and most
MOST_SPANNED = 392  # classes below a node that can be sampled
MOST_SUPPORT = 500  # images per episode
MOST_SHOTS = 100  # of a class in the formula for the support size
_RANGE = Rule(
    "two integers, the fewest and the most ways, such as (2, 15)",
    lambda value: (
        isinstance(value, tuple) and len(value) == 2 and all(map(is_integer, value)) and 2 <= value[0] <= value[1]
    ),
)


@dataclass(frozen=True)
class VariableWayShot(Sampler):
    """Ways, shots and queries of Meta-Dataset (Triantafillou et al. 2020, arXiv 1903.03096, after its code), if the
    shape leaves them open: n_way, k_shot, n_query = None. A number in the shape is fixed, as there.

    With n_c images of class c, and natural logarithms:
    ways      N uniform in 5..min(50, classes), classes uniformly without replacement
    queries   q = min(10, min_c floor(n_c / 2)) of every class
    support   beta uniform in [0, 1): S = min(500, sum_c floor(beta min(100, n_c - q) + 1)) images in all
    shares    a_c uniform in [ln 1/2, ln 2): R_c proportional to n_c exp(a_c), and of class c
              k_c = min(floor(R_c (S - N)) + 1, n_c - q)

    `group`: a class group (script, superclass), as for Omniglot's alphabets. An episode samples one group uniformly and
    takes all its ways from it. Groups with too few classes are ignored (the published code stops there).
    `tree`: a file with the parents of the classes (`ClassTree.read`: CSV, JSON, or the data.noun of WordNet), as for
    ImageNet. An episode samples one inner node above 5..392 of the classes uniformly; its ways are all classes below
    it, or 50 of them if there are more, so their number is not random. Nodes with one child do not count.
    Deviations: with k_shot given but n_query open, q is still at most min_c floor(n_c / 2), so all shots share their
    queries; n_way may be given with `group` or `tree` (the published code refuses): nodes above at least that many.
    `apart` is that of Balanced; n_c - q in the formulas is then the number of images in the other groups.
    `ways`, `most_support` and `most_shots` replace 5..50, 500 and 100; FewTrans (Luo et al. 2026, arXiv 2603.00478)
    takes (2, 15), 150 and 10. With `most_shots`, k_c is at most that too.
    """

    open_size: ClassVar[str] = "variable"
    open_ways_vary: ClassVar[bool] = True
    most_open_queries: ClassVar[int] = 10
    nests_shots: ClassVar[bool] = False  # shots vary by design
    ranks_with_ties: ClassVar[bool] = True
    short_name: ClassVar[str] = (
        "variable ways and shots[ inside one {group}| by the tree {tree:stem}][, each {apart} on one side]"
        "[ ({ways} ways)]"
    )

    group: str | None = None
    tree: Path | Later = None
    apart: str | Later = None
    ways: tuple[int, int] | Later = None
    most_support: int | Later = None
    most_shots: int | Later = None

    rules = declare(ways=_RANGE, most_support=integer(2), most_shots=integer(1))

    @classmethod
    def examples(cls) -> list[VariableWayShot]:
        tree = FOLDER / "laws" / "class_tree.csv"
        return [
            cls(),
            cls("family"),
            cls(tree=tree),
            cls(apart="video"),
            cls(ways=(2, 4), most_support=9, most_shots=3),
        ]

    @classmethod
    def usual(cls) -> EpisodeShape:
        return EpisodeShape(None, None, None)

    @property
    def class_group(self) -> str | None:
        return self.group

    def sample(
        self, images: LabelledImages, classes: Ints, shape: EpisodeShape, seed: int, start: int, count: int
    ) -> Episodes:
        index, candidates = np.arange(start, start + count, dtype=np.int64), np.unique(classes)
        chosen, n_way = self._ways(images, candidates, shape, seed, index)
        draw = Draw(images, images.pool(), candidates, chosen, seed, index)
        _require(draw, shape)
        if self.apart is not None and not len(index):
            chosen_from_all = replace(draw, chosen=np.empty((0, 2), np.int64))
            return _episodes_apart(chosen_from_all, shape, self.apart, self._limits)

        def part(ways: int, member: Ints) -> Episodes:
            some = draw.at(member, ways)
            if self.apart is None:
                return _episodes(some, shape, self._limits)
            return _episodes_apart(some, shape, self.apart, self._limits)

        return in_parts(draw, n_way, part)

    @property
    def _limits(self) -> Limits:
        if self.most_shots is None:
            return Limits(self.most_support or MOST_SUPPORT)
        return Limits(self.most_support or MOST_SUPPORT, self.most_shots, self.most_shots)

    def _ways(
        self, images: LabelledImages, candidates: Ints, shape: EpisodeShape, seed: int, index: Ints
    ) -> tuple[Ints, Ints]:
        """[E, most] classes of each episode, of which the first n_way [E] are its ways."""
        range_of_ways = self.ways or WAYS
        fewest = shape.n_way or range_of_ways[0]
        require_classes(images, candidates, fewest, str(shape.n_way or f"{range_of_ways[0]} to {range_of_ways[1]}"))
        groups = self._groups(images, candidates, fewest)
        drawn = groups.draw(seed, index, 1)[:, 0]
        sizes = groups.sizes[drawn]
        most = np.minimum(range_of_ways[1], sizes)
        n_way = np.full(len(index), fewest)
        if shape.n_way is None and self.tree is not None:
            n_way = most
        elif shape.n_way is None:
            uniform = _uniform(seed, index, 2, streams.SIZES)[:, 1]
            n_way = fewest + np.floor(uniform * (most - fewest + 1)).astype(np.int64)
        place = draws.distinct(seed, index, sizes[:, None], int(n_way.max(initial=fewest)), streams.CLASSES)[:, 0]
        return groups.members[drawn[:, None], np.minimum(place, sizes[:, None] - 1)], n_way

    def _groups(self, images: LabelledImages, candidates: Ints, fewest: int) -> ClassGroups:
        """The groups or nodes that episodes sample uniformly."""
        if self.group is not None and self.tree is not None:
            raise ValueError("VariableWayShot samples classes by a group or by a tree; give only one of them")
        if self.tree is None:
            groups, what = class_groups(images, candidates, self.group).of_at_least(fewest), self.group
        else:
            groups, what = ClassTree.read(Path(self.tree)).groups(images, candidates), "node of the tree"
            groups = groups.of_at_least(fewest, MOST_SPANNED)
        if not len(groups.sizes):
            raise ValueError(
                f"{fewest}-way episodes inside one {what} are impossible, because no {what} has {fewest}"
                f"{f' to {MOST_SPANNED}' if self.tree else ''} of the {len(candidates)} classes to sample from in "
                f"{images.name}; lower n_way or leave out {'tree' if self.tree else 'group'}"
            )
        return groups


@dataclass(frozen=True)
class Limits:
    """The most images of a support, and of a class: in the formula for the support size, and at all."""

    support: int = MOST_SUPPORT
    shots: int = MOST_SHOTS
    of_class: int = MOST_ROWS


def _episodes(draw: Draw, shape: EpisodeShape, limits: Limits) -> Episodes:
    """Episodes of one number of ways."""
    sizes = draw.pool.sizes(draw.chosen)
    n_query = _n_query(sizes, shape)
    n_support = _n_support(draw, shape, sizes, sizes - n_query, limits)
    return draw.episodes(*queries_first(draw, np.broadcast_to(n_query, sizes.shape), n_support))


def _episodes_apart(draw: Draw, shape: EpisodeShape, apart: str, limits: Limits) -> Episodes:
    """Episodes of one number of ways that keep groups apart."""

    def compose(part: Draw, support: Side, query: Side) -> tuple[Drawn, Drawn]:
        sizes = part.pool.sizes(part.chosen)
        n_query = np.broadcast_to(_n_query(sizes, shape), sizes.shape)
        n_support = _n_support(part, shape, sizes, support.total, limits)
        return support.counted(n_support, streams.SUPPORT), query.counted(n_query, streams.QUERY)

    wanted = _n_query(draw.pool.sizes(draw.candidates)[:, None], shape)[:, 0]
    return episodes_apart(draw, draw, apart, wanted, shape.fewest_shots, in_words(shape), compose)


def _n_query(sizes: Ints, shape: EpisodeShape) -> Ints:
    """[E, 1] queries per class, of classes of these sizes [E, N]."""
    n_query = np.minimum(VariableWayShot.most_open_queries, sizes.min(1, keepdims=True, initial=MOST_ROWS) // 2)
    return n_query if shape.n_query is None else np.full_like(n_query, shape.n_query)


def _n_support(draw: Draw, shape: EpisodeShape, sizes: Ints, left: Ints, limits: Limits) -> Ints:
    """[E, N] support images of each class, of those `left` [E, N] beside its queries."""
    if shape.k_shot is not None:
        return np.minimum(shape.k_shot, left)
    beta = _uniform(draw.seed, draw.index, 1, streams.SIZES)
    log_weight = np.log(2) * (2 * _uniform(draw.seed, draw.index, sizes.shape[1], streams.SHARES) - 1)
    return np.minimum(support_counts(sizes, left, beta, log_weight, limits), limits.of_class)


def support_counts(
    sizes: Ints, left: Ints, beta: NDArray[np.float64], log_weight: NDArray[np.float64], limits: Limits
) -> Ints:
    """[E, N] the number of support images of each class, from its images [E, N], those left beside its queries [E, N],
    beta [E, 1] and log_weight [E, N]."""
    total = np.floor(beta * np.minimum(limits.shots, left) + 1).sum(1, keepdims=True)
    weight = sizes * np.exp(log_weight)
    share = weight / weight.sum(1, keepdims=True)
    wanted = np.floor(share * (np.minimum(limits.support, total) - sizes.shape[1])) + 1
    counts: Ints = np.minimum(wanted.astype(np.int64), left)
    return counts


def _uniform(seed: int, index: Ints, n_slots: int, stream: int) -> NDArray[np.float64]:
    """[E, n_slots] uniform in [0, 1)."""
    return draws.words(seed, index, n_slots, 1, stream)[:, :, 0] / 2.0**32


def _require(draw: Draw, shape: EpisodeShape) -> None:
    """Raises a ValueError unless every class has a query, a support image, and the numbers in the shape."""
    least = shape.fewest_shots
    if shape.n_query is not None:
        draw.require(shape.n_query + least, f"k_shot + n_query = {least} + {shape.n_query} images a class")
        return
    draw.require(2, "a query and a support image of every class")
    smallest = int(draw.pool.sizes(draw.candidates).min())
    n_query = min(VariableWayShot.most_open_queries, smallest // 2)
    draw.require(n_query + least, f"k_shot = {least} images and {n_query} queries a class")
