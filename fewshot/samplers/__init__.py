"""Samplers compose episodes: one file a sampler, each a frozen dataclass.

May import: data sets, episodes, files, plugins, statistics.
A new sampler: one file with a class derived from `Sampler` and its `examples()`; the laws in conformance/samplers.py
test it.

Episode i is a function of (seed, i) alone, so the first 100 of 1000 episodes are the same 100, and each shard samples
its own. No image is twice in an episode. The order of the given classes does not matter. The K-shot support is the
beginning of the (K + 1)-shot support, with the same queries.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from fewshot.datasets import LabelledImages
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import Ints
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.fields import Member


@dataclass(frozen=True)
class Sampler(Member, ABC):
    """Composes episodes from the images of some classes."""

    short_name: ClassVar[str] = ""  # the name for people, as a template (plugins/short_name.py); "": class and fields
    # Literals for readers of rows, who do not import the sampler.
    open_size: ClassVar[str] = "all"  # the number of ways or shots if the shape leaves them open
    open_ways_vary: ClassVar[bool] = False  # if n_way is open, whether an episode holds only some of the classes
    most_open_queries: ClassVar[int | None] = None  # per class, if n_query is open; None: all of its other images
    query_groups: ClassVar[str] = ""  # the field with the image groups whose images are all queries; "": no such field
    shots_on_average: ClassVar[bool] = False  # whether k_shot is the mean of unequal classes
    queries_on_average: ClassVar[bool] = False  # whether n_query is the mean of unequal classes
    nests_shots: ClassVar[bool] = True  # whether every class has K support images, the first K of its K + 1
    ranks_with_ties: ClassVar[bool] = False  # whether its benchmark gives equal methods a shared rank
    draws_depend: ClassVar[bool] = False  # whether one episode fixes the next, so that they are no independent sample
    repeats_if_open: ClassVar[bool] = False  # whether a shape without ways, shots and queries gives equal episodes
    is_balanced: ClassVar[bool] = False  # whether it is the usual sampler, which titles omit
    is_balanced_but_for_queries: ClassVar[bool] = False  # balanced, except for the query counts

    @classmethod
    @abstractmethod
    def examples(cls) -> Sequence[Self]:
        """Instances for the laws. The laws sample from twelve classes of 51 to 62 images with the image groups domain
        (mono, colour) and partition (train, test), at least 12 images per class in each combination; video (13 per
        class) and burst (45 per class), of one class each; scene (12), of all classes; and with the class groups family
        (2 of six classes each) and kind (6 of two)."""

    @abstractmethod
    def sample(
        self, images: LabelledImages, classes: Ints, shape: EpisodeShape, seed: int, start: int, count: int
    ) -> Episodes:
        """Episodes start..start+count-1 over these classes. A class that is too small raises a ValueError."""

    @classmethod
    def usual(cls) -> EpisodeShape:
        """The default shape, as far as the data permit it."""
        return EpisodeShape()

    def for_choice(self) -> Sampler:
        """The sampler whose queries are validation images beside the support, to choose hyperparameters on; a
        ValueError for samplers without validation images."""
        raise ValueError(
            f"{type(self).__name__} has no validation images to choose hyperparameters on; choose on validation "
            "classes or on the support"
        )

    def repeats(self, shape: EpisodeShape) -> bool:
        """Whether all episodes of a shape are the same, because they hold all images."""
        return False

    @property
    def n_pools(self) -> int:
        """The number of disjoint pools of the images of each class; 1: episodes share images."""
        return 1

    def pools_of(self, index: Ints) -> Ints:
        """[E] the pool of all images of each episode."""
        return index % self.n_pools

    @property
    def class_group(self) -> str | None:
        """The class group whose groups episodes sample, so that intervals are for new groups; None if they sample
        single classes."""
        return None
