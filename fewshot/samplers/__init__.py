"""Ways to compose episodes: one file a sampler, each a frozen dataclass.

Laws that every sampler obeys (laws/samplers.py): episode i is a function of (seed, i) alone, so the first 100 of 1000
episodes are the same 100 and a shard makes its own; no image stands twice in an episode; the order in which the classes
are given does not matter; the support of K shots is the beginning of that of K + 1, with the same queries.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from fewshot.datasets import LabelledImages
from fewshot.episodes.episodes import Episodes, EpisodeShape, Ints


@dataclass(frozen=True)
class Sampler(ABC):
    """Composes episodes from the images of some classes."""

    short_name: ClassVar[str] = ""  # the name for people, as a template (plugins/short_name.py); "": class and fields
    nested_shots: ClassVar[bool] = False  # whether supports of fewer shots are the first of those of more
    open_size: ClassVar[str] = "all"  # how many ways or shots there are where the shape leaves them open

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
