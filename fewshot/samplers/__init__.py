"""Samplers compose episodes: one file a sampler, each a frozen dataclass.

May import: data sets, episodes, files, plugins, statistics.
A new sampler: one file with a class derived from `Sampler` and its `examples()`; the laws in conformance/samplers.py
test it.

Episode i is a function of (seed, i) alone, so the first 100 of 1000 episodes are the same 100, and each shard makes its
own. No image is twice in an episode. The order of the given classes does not matter. The support of K shots is the
beginning of that of K + 1, with the same queries.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from fewshot.datasets import LabelledImages
from fewshot.episodes.episodes import Episodes, EpisodeShape, Ints
from fewshot.plugins.fields import Member


@dataclass(frozen=True)
class Sampler(Member, ABC):
    """Composes episodes from the images of some classes."""

    short_name: ClassVar[str] = ""  # the name for people, as a template (plugins/short_name.py); "": class and fields
    # What the readers of rows ask of a sampler, as literals, which are read without importing it.
    open_size: ClassVar[str] = "all"  # how many ways or shots there are where the shape leaves them open
    open_ways_vary: ClassVar[bool] = False  # whether an episode holds some of the classes, not all, where n_way is open
    most_open_queries: ClassVar[int | None] = None  # a class, where n_query is open; None: all of its other images
    shots_on_average: ClassVar[bool] = False  # whether k_shot is a mean over classes that differ in it
    queries_on_average: ClassVar[bool] = False  # whether n_query is a mean over classes that differ in it
    nests_shots: ClassVar[bool] = True  # whether every class has K support images, the first K of its K + 1
    ranks_with_ties: ClassVar[bool] = False  # whether its benchmark ranks methods so that equal ones share a rank
    is_balanced: ClassVar[bool] = False  # whether it is what others are compared with; titles need not name it
    is_balanced_but_for_queries: ClassVar[bool] = False  # whether its episodes differ from those in query counts alone

    @classmethod
    @abstractmethod
    def examples(cls) -> Sequence[Self]:
        """Instances that the laws are tested on: twelve classes of 51 to 62 images with the groups domain (mono,
        colour) and partition (train, test), whose every combination holds at least 12 images a class, and with the
        class groups family (2, of six classes each) and kind (6, of two)."""

    @abstractmethod
    def sample(
        self, images: LabelledImages, classes: Ints, shape: EpisodeShape, seed: int, start: int, count: int
    ) -> Episodes:
        """Episodes start..start+count-1 over these classes. A class that is too small is a ValueError."""

    @classmethod
    def usual(cls) -> EpisodeShape:
        """The shape where nothing else is asked for, as far as the data permit it."""
        return EpisodeShape()

    @property
    def n_pools(self) -> int:
        """Into how many disjoint pools the images of every class are divided; 1: episodes share images."""
        return 1

    def pools_of(self, index: Ints) -> Ints:
        """[E] the pool that all images of each episode come from."""
        return index % self.n_pools

    @property
    def class_group(self) -> str | None:
        """The class group whose groups episodes draw; what they hold speaks of groups then, not of single classes."""
        return None
