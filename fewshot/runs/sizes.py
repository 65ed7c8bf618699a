"""Data and episodes as users ask for them, with the data deciding what they leave open.

The command line and Python share this file, so the same words give the same runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from fewshot.datasets import LabelledImages
from fewshot.datasets._shorthand import dataset_spec
from fewshot.episodes.flat import Ints
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.registry import SAMPLERS, SPLITS
from fewshot.plugins.spec import Spec
from fewshot.plugins.wording import agreeing
from fewshot.runs.shared import check_class_names
from fewshot.samplers import Sampler
from fewshot.splits import ClassSplit

Count = int | str  # a number, or "all"


@dataclass(frozen=True, eq=False)
class Data:
    """A loaded data set, the split of its classes, and the labels that episodes sample from."""

    dataset: Spec
    rule: str | None  # the rule of the split; None: the data set's own
    images: LabelledImages
    split: ClassSplit
    labels: Ints
    classes: str = "novel"  # the part of the split that holds the labels

    @property
    def split_spec(self) -> str:
        """The rule of the split, be it the user's or the data set's own."""
        return self.rule or str(self.dataset.make().default_split())


def open_data(data: object, split: Any, classes: str, load: Callable[[Spec], LabelledImages]) -> Data:
    """The loaded data of a folder, a file, a name, a spec or images; without any rule for a split, all classes are
    novel."""
    dataset = dataset_spec(data)
    own = dataset.make().default_split()
    rule = SPLITS.canonical(split) if split else (None if own else "AllNovel()")
    check_class_names(dataset, SPLITS.spec(rule or own))
    images = load(dataset)
    class_split = SPLITS.make(rule or own).split(images)
    return Data(dataset, rule, images, class_split, class_split.classes(classes, images), classes)


@dataclass(frozen=True)
class EpisodeSizes:
    """What a user asks of episodes; None leaves the choice to fewshot."""

    way: Count | None = None
    shot: tuple[Count, ...] = ()
    query: Count | None = None
    at_most: bool = False
    support_from: str | None = None
    query_from: str | None = None
    sampler: Any = None

    def on(self, images: LabelledImages) -> EpisodeSizes:
        """The request for these images: with all queries, without a sampler or image groups, and with train and test
        partitions, the support comes from the train partition and the queries are the whole test partition."""
        group = images.image_groups.get("partition")
        named = self.sampler or self.support_from or self.query_from
        if self.query != "all" or named or group is None or not {"train", "test"} <= set(group.names):
            return self
        if "partition" in images.class_groups:  # no class is in both
            return self
        return replace(self, support_from="partition=train", query_from="partition=test")

    @cached_property
    def sampler_spec(self) -> Spec:
        """The spec of the sampler."""
        if self.sampler is None:
            return SAMPLERS.spec(f"Balanced(support_from={self.support_from!r}, query_from={self.query_from!r})")
        return SAMPLERS.spec(self.sampler)

    @cached_property
    def _sampler(self) -> Sampler:
        """The sampler."""
        sampler: Sampler = self.sampler_spec.make()
        return sampler

    def shapes(self, images: LabelledImages, labels: Ints) -> list[EpisodeShape]:
        """One shape per shot, with the images of these classes deciding what the user left open."""
        way, query = (_number(count) for count in self.sizes(images, labels))
        shots = [_number(k_shot) for k_shot in self.shot] or [self._sampler.usual().k_shot]
        return [EpisodeShape(way, k_shot, query, self.at_most) for k_shot in shots]

    def unusual(self, images: LabelledImages, labels: Ints) -> list[str]:
        """In words the numbers of ways and queries that `shapes` chose unlike the usual ones."""
        way, query = self.sizes(images, labels)
        usual, noun = self._sampler.usual(), agreeing(query, "query", "queries")
        chosen = [
            f"{way}-way episodes" if not self.way and way != _count(usual.n_way) else "",
            f"{query} {noun} per class" if not self.query and query != _count(usual.n_query) else "",
        ]
        return list(filter(None, chosen))

    def sizes(self, images: LabelledImages, labels: Ints) -> tuple[Count, Count]:
        """The ways, and the queries per class."""
        usual = self._sampler.usual()
        way = _count(usual.n_way and max(2, min(usual.n_way, len(labels))))
        query = _count(usual.n_query and self._queries_that_fit(images, labels, usual.n_query))
        return self.way or way, self.query or query

    def smallest(self, images: LabelledImages, labels: Ints) -> int:
        """The number of query images in the smallest class."""
        return int(images.pool(self._pools[1]).sizes(labels).min())

    def _queries_that_fit(self, images: LabelledImages, labels: Ints, most: int) -> int:
        """The number of images that the smallest class has besides its support, limited to 1 to `most`."""
        support, query = self._pools
        shots = [1 if k == "all" or self.at_most else int(k) for k in self.shot or (1,)]
        spare = self.smallest(images, labels) // self._sampler.n_pools - (max(shots) if support == query else 0)
        return max(1, min(most, spare))

    @property
    def _pools(self) -> tuple[str | None, str | None]:
        """The image groups of the support and of the queries."""
        sampler = self._sampler
        return getattr(sampler, "support_from", None), getattr(sampler, "query_from", None)


def _count(number: int | None) -> Count:
    return "all" if number is None else number


def _number(count: Count) -> int | None:
    return None if isinstance(count, str) else count
