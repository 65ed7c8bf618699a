"""The laws of samplers: what every way to compose episodes obeys."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np

from fewshot.conformance.judging import generator_states, remade
from fewshot.datasets import ArrayImages, Group, LabelledImages
from fewshot.episodes.episodes import Episodes, EpisodeShape, Ints
from fewshot.plugins.registry import SAMPLERS
from fewshot.samplers import Sampler

SHAPES = (EpisodeShape(5, 3, 4), EpisodeShape(None, 2, 1), EpisodeShape(2, 1, 5), EpisodeShape(4, 50, 3, True))
Naming = Callable[[Ints], Sequence[str]]


def labelled(
    sizes: Sequence[int], class_groups: Mapping[str, Group] = MappingProxyType({}), **groups: Naming
) -> LabelledImages:
    """Images without content, classes of these sizes, mixed (not by a generator, whose draws may change between
    versions); each group names every image by the labels of all."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    labels = labels[np.argsort(np.arange(len(labels)) * 7919 % 10_007, kind="stable")]
    pixels = np.broadcast_to(np.zeros((1, 1, 1), np.uint8), (len(labels), 1, 1))
    named = {name: Group.of(naming(labels)) for name, naming in groups.items()}
    names = tuple(f"class {c}" for c in range(len(sizes)))
    return LabelledImages("test", ArrayImages(pixels), labels, names, "pixels", named, class_groups)


def by_rank(names: Sequence[str], run: int) -> Naming:
    """Names an image by its place within its class: `run` images of the first name, then the next."""

    def naming(labels: Ints) -> list[str]:
        rank = [int((labels[:i] == label).sum()) for i, label in enumerate(labels)]
        return [names[r // run % len(names)] for r in rank]

    return naming


@dataclass(frozen=True, eq=False)
class SamplerWorld:
    """Thirteen classes of 50 to 62 images with the groups domain and partition, and the class groups family and kind;
    episodes are drawn from the last twelve."""

    images: LabelledImages = field(
        default_factory=lambda: labelled(
            range(50, 63),
            {"family": Group.of("ab"[c % 2] for c in range(13)), "kind": Group.of("abcdef"[c % 6] for c in range(13))},
            domain=by_rank(("mono", "colour"), 1),
            partition=by_rank(("train", "test"), 2),
        )
    )
    classes: Ints = field(default_factory=lambda: np.arange(1, 13))

    def sample(
        self, sampler: Sampler, shape: EpisodeShape = SHAPES[0], count: int = 20, start: int = 0, seed: int = 0
    ) -> Episodes:
        """What the sampler draws from the twelve classes."""
        return sampler.sample(self.images, self.classes, shape, seed, start, count)


def same(a: Episodes, b: Episodes) -> bool:
    """Whether these are the same episodes, of the same indices and seed."""
    return a.digest == b.digest and np.array_equal(a.index, b.index) and a.seed == b.seed


def more_episodes_keep_the_first_ones(sampler: Sampler, world: SamplerWorld) -> str | None:
    """The first 15 of 40 episodes are the 15 of 15."""
    for shape in SHAPES:
        if not same(world.sample(sampler, shape, 40)[:15], world.sample(sampler, shape, 15)):
            return f"{shape}: the first 15 of 40 episodes are not those that are drawn when 15 are asked for"
    return None


def shards_make_their_own_episodes(sampler: Sampler, world: SamplerWorld) -> str | None:
    """Episodes drawn in parts, by one process or many, are those drawn at once."""
    for shape in SHAPES:
        whole = world.sample(sampler, shape, 23)
        for size in (1, 7, 22):
            parts = [world.sample(sampler, shape, min(size, 23 - start), start) for start in range(0, 23, size)]
            if not same(Episodes.concatenate(parts), whole):
                return f"{shape}: episodes drawn in parts of {size} are not those drawn at once"
    return None


def episodes_are_well_formed(sampler: Sampler, world: SamplerWorld) -> str | None:
    """As many as asked for, of the given images and classes; rows belong to their class, none stands twice in an
    episode, in support or query."""
    for shape in SHAPES:
        episodes = world.sample(sampler, shape, 60)
        if len(episodes) != 60 or not np.array_equal(episodes.index, np.arange(60)):
            return f"{shape}: episodes 0 to 59 were asked for, found {len(episodes)}"
        try:
            episodes.check(world.images)
        except ValueError as error:
            return f"{shape}: {error}"
        if not np.isin(episodes.classes, world.classes).all():
            return f"{shape}: class {np.setdiff1d(episodes.classes, world.classes)[0]} is not among the given ones"
    return None


def the_order_of_the_classes_does_not_matter(sampler: Sampler, world: SamplerWorld) -> str | None:
    """Classes are a set: another order, or one named twice, gives the same episodes."""
    shuffled = np.append(world.classes[::-1], world.classes[3])
    other = SamplerWorld(world.images, shuffled)
    return None if same(other.sample(sampler), world.sample(sampler)) else "another order of the classes changed them"


def fewer_shots_begin_more(sampler: Sampler, world: SamplerWorld) -> str | None:
    """The support of K shots is the beginning of that of more, class by class, and the queries are the same."""
    most = world.sample(sampler, EpisodeShape(5, 5, 4))
    for k_shot in (1, 2):
        episodes = world.sample(sampler, EpisodeShape(5, k_shot, 4))
        if not np.array_equal(episodes.query, most.query):
            return f"the queries of {k_shot} shots are not those of 5; draw the queries before the support"
        pairs = zip(_runs(episodes), _runs(most), strict=True)
        if not all(np.array_equal(fewer, more[: len(fewer)]) for fewer, more in pairs):
            return f"the support of {k_shot} shots is not the beginning of that of 5"
    return None


def other_seeds_and_indices_give_other_episodes(sampler: Sampler, world: SamplerWorld) -> str | None:
    """Episodes differ from each other, and from those of another seed."""
    first, other = (world.sample(sampler, count=200, seed=seed) for seed in (0, 1))
    distinct = {first.support[a:b].tobytes() for a, b in pairwise(first.support_start)}
    if len(distinct) < 190:
        return f"200 episodes should differ, found {len(distinct)} different ones"
    return "another seed gave the same episodes" if np.array_equal(first.support, other.support) else None


def no_episodes_are_no_error(sampler: Sampler, world: SamplerWorld) -> str | None:
    """Nothing asked for is nothing drawn."""
    found = len(world.sample(sampler, count=0))
    return f"0 episodes were asked for, found {found}" if found else None


def same_call_same_episodes(sampler: Sampler, world: SamplerWorld) -> str | None:
    """The same call gives the same episodes, draws from no global generator, and leaves images and classes alone."""
    labels, classes = copy.deepcopy((world.images.labels, world.classes))
    first = world.sample(sampler)
    np.random.rand()  # what a global generator has drawn must not matter
    before = generator_states()
    second = world.sample(sampler)
    if generator_states() != before:
        return "a global random generator was drawn from; draw with fewshot.draws"
    if not same(first, second):
        return "two equal calls gave different episodes"
    unchanged = np.array_equal(labels, world.images.labels) and np.array_equal(classes, world.classes)
    return None if unchanged else "the labels or the classes were changed"


def spec_round_trip(sampler: Sampler, world: SamplerWorld) -> str | None:
    """The sampler can be made again from its repr."""
    return remade(SAMPLERS, sampler)


LAWS = (
    more_episodes_keep_the_first_ones,
    shards_make_their_own_episodes,
    episodes_are_well_formed,
    the_order_of_the_classes_does_not_matter,
    fewer_shots_begin_more,
    other_seeds_and_indices_give_other_episodes,
    no_episodes_are_no_error,
    same_call_same_episodes,
    spec_round_trip,
)


def worlds(sampler: Sampler) -> list[SamplerWorld]:
    """The world that a sampler is tested in."""
    return [SamplerWorld()]


def _runs(episodes: Episodes) -> list[Any]:
    """The support rows of every class of every episode."""
    return np.split(episodes.support, np.cumsum(episodes.support_count)[:-1])
