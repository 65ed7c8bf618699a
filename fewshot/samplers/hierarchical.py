"""Episodes whose classes share a group, or come from different groups: fine and coarse tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fewshot.datasets import LabelledImages
from fewshot.episodes import draws, streams
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import Ints
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.signature import Later
from fewshot.samplers import Sampler
from fewshot.samplers._drawing import Draw, in_parts, require_classes, require_disjoint
from fewshot.samplers._grouping import ClassGroups, class_groups
from fewshot.samplers.balanced import balanced


@dataclass(frozen=True)
class Hierarchical(Sampler):
    """Balanced episodes whose classes are sampled by a class group (superclass, script).

    `within=True` samples one group with enough classes, then N of its classes: a fine task. `within=False` samples N
    groups, then one class of each: a coarse task. With n_way None an episode has all classes of a group, whose number
    may differ between episodes, or one class of every group. `support_from`, `query_from` and `apart` are those of
    Balanced.
    """

    open_ways_vary: ClassVar[bool] = True
    short_name: ClassVar[str] = (
        "[{within!}classes of one {group}|each class of another {group}][, {sides}][, each {apart} on one side]"
    )

    group: str
    within: bool = True
    support_from: str | None = None
    query_from: str | None = None
    apart: str | Later = None

    @classmethod
    def examples(cls) -> list[Hierarchical]:
        mixed = cls("kind", False, "domain=mono", "domain=colour")
        return [cls("family"), cls("kind", within=False), mixed, cls("family", apart="video")]

    @property
    def class_group(self) -> str | None:
        return self.group

    def sample(
        self, images: LabelledImages, classes: Ints, shape: EpisodeShape, seed: int, start: int, count: int
    ) -> Episodes:
        index, candidates = np.arange(start, start + count, dtype=np.int64), np.unique(classes)
        require_classes(images, candidates, shape.n_way or 2, str(shape.n_way or "all"))
        require_disjoint(images, self.support_from, self.query_from)
        groups = class_groups(images, candidates, self.group)
        choose = self._within if self.within else self._across
        chosen, n_way = choose(images, groups, shape.n_way, seed, index)
        draw = Draw(images, images.pool(self.support_from), candidates, chosen, seed, index)

        def part(ways: int, member: Ints) -> Episodes:
            some = draw.at(member, ways)
            queries = some if self.support_from == self.query_from else some.of(self.query_from)
            return balanced(some, queries, shape, self.apart)

        return in_parts(draw, n_way, part)

    def _within(
        self, images: LabelledImages, groups: ClassGroups, n_way: int | None, seed: int, index: Ints
    ) -> tuple[Ints, Ints]:
        """[E, most] classes, of which the first [E] are the ways of an episode."""
        enough = groups.of_at_least(n_way or 2)
        if not len(enough.sizes):
            raise ValueError(
                f"{n_way or 2} classes of one {self.group} are needed, but the largest {self.group} has "
                f"{groups.sizes.max()} of the classes to sample from in {images.name}; lower n_way or give within=False"
            )
        drawn = enough.draw(seed, index, 1)[:, 0]
        if n_way is None:
            return enough.members[drawn], enough.sizes[drawn]
        place = draws.distinct(seed, index, enough.sizes[drawn][:, None], n_way, streams.CLASSES)[:, 0]
        return enough.members[drawn[:, None], place], np.full(len(index), n_way)

    def _across(
        self, images: LabelledImages, groups: ClassGroups, n_way: int | None, seed: int, index: Ints
    ) -> tuple[Ints, Ints]:
        n_groups, n_way = len(groups.sizes), n_way or len(groups.sizes)
        if max(n_way, 2) > n_groups:
            raise ValueError(
                f"{max(n_way, 2)} classes, each of another {self.group}, are needed, but the {groups.sizes.sum()} "
                f"classes to sample from in {images.name} are of {n_groups}; lower n_way, or give within=True"
            )
        drawn = groups.draw(seed, index, n_way)
        place = draws.distinct(seed, index, groups.sizes[drawn], 1, streams.CLASSES)[:, :, 0]
        return groups.members[drawn, place], np.full(len(index), n_way)
