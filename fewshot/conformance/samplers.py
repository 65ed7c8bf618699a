"""The laws of samplers."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np

from fewshot.conformance.judging import generator_states, repr_problem
from fewshot.datasets import ArrayImages, Group, LabelledImages
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import Ints
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.registry import SAMPLERS
from fewshot.samplers import Sampler

SHAPES = (EpisodeShape(5, 3, 4), EpisodeShape(None, 2, 1), EpisodeShape(2, 1, 5), EpisodeShape(4, 50, 3, True))
Naming = Callable[[Ints], Sequence[str]]


def labelled(
    sizes: Sequence[int], class_groups: Mapping[str, Group] = MappingProxyType({}), **groups: Naming
) -> LabelledImages:
    """Images without content, in classes of these sizes, in a fixed mixed order (no generator: its numbers may change
    between versions). Each group maps the labels of all images to one name per image."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    labels = labels[np.argsort(np.arange(len(labels)) * 7919 % 10_007, kind="stable")]
    pixels = np.broadcast_to(np.zeros((1, 1, 1), np.uint8), (len(labels), 1, 1))
    named = {name: Group.of(naming(labels)) for name, naming in groups.items()}
    names = tuple(f"class {c}" for c in range(len(sizes)))
    return LabelledImages("test", ArrayImages(pixels), labels, names, "pixels", named, class_groups)


def by_rank(names: Sequence[str], repeat: int) -> Naming:
    """A naming by the place of an image within its class: `repeat` images get the first name, then the next name."""

    def naming(labels: Ints) -> list[str]:
        rank = [int((labels[:i] == label).sum()) for i, label in enumerate(labels)]
        return [names[r // repeat % len(names)] for r in rank]

    return naming


def _of_one_class(number: int) -> Naming:
    """A naming with so many names per class, which no other class has."""

    def naming(labels: Ints) -> list[str]:
        ranks = by_rank([str(rank) for rank in range(number)], 1)(labels)
        return [f"{label}, {rank}" for label, rank in zip(labels.tolist(), ranks, strict=True)]

    return naming


@dataclass(frozen=True, eq=False)
class SamplerWorld:
    """13 classes of 50 to 62 images with the image groups domain, partition, video and burst (of one class each)
    and scene (of all classes) and the class groups family and kind; episodes sample from the last 12 classes."""

    images: LabelledImages = field(
        default_factory=lambda: labelled(
            range(50, 63),
            {"family": Group.of("ab"[c % 2] for c in range(13)), "kind": Group.of("abcdef"[c % 6] for c in range(13))},
            domain=by_rank(("mono", "colour"), 1),
            partition=by_rank(("train", "test"), 2),
            video=_of_one_class(13),
            burst=_of_one_class(45),
            scene=by_rank([f"scene {s}" for s in range(12)], 3),
        )
    )
    classes: Ints = field(default_factory=lambda: np.arange(1, 13))

    def sample(
        self, sampler: Sampler, shape: EpisodeShape = SHAPES[0], count: int = 20, start: int = 0, seed: int = 0
    ) -> Episodes:
        """The sampler's episodes of the 12 classes."""
        return sampler.sample(self.images, self.classes, shape, seed, start, count)


def same(a: Episodes, b: Episodes) -> bool:
    """Whether these are the same episodes, with the same indices and seed."""
    return a.digest == b.digest and np.array_equal(a.index, b.index) and a.seed == b.seed


def more_episodes_keep_the_first_ones(sampler: Sampler, world: SamplerWorld) -> str | None:
    """The first 15 of 40 episodes are those of a request for 15."""
    for shape in SHAPES:
        if not same(world.sample(sampler, shape, 40)[:15], world.sample(sampler, shape, 15)):
            return f"{shape}: the first 15 of 40 episodes differ from those of a request for 15"
    return None


def shards_make_their_own_episodes(sampler: Sampler, world: SamplerWorld) -> str | None:
    """Episodes sampled in parts, by one process or many, are those sampled at once."""
    for shape in SHAPES:
        whole = world.sample(sampler, shape, 23)
        for size in (1, 7, 22):
            parts = [world.sample(sampler, shape, min(size, 23 - start), start) for start in range(0, 23, size)]
            if not same(Episodes.concatenate(parts), whole):
                return f"{shape}: episodes sampled in parts of {size} differ from those sampled at once"
    return None


def episodes_are_well_formed(sampler: Sampler, world: SamplerWorld) -> str | None:
    """The sampler gives as many episodes as requested, of the given classes; every row belongs to its class and occurs
    once in its episode, as support or as query."""
    for shape in SHAPES:
        episodes = world.sample(sampler, shape, 60)
        if len(episodes) != 60 or not np.array_equal(episodes.index, np.arange(60)):
            return f"{shape}: requested episodes 0 to 59, found {len(episodes)}"
        try:
            episodes.check(world.images)
        except ValueError as error:
            return f"{shape}: {error}"
        if not np.isin(episodes.classes, world.classes).all():
            return f"{shape}: class {np.setdiff1d(episodes.classes, world.classes)[0]} is not a given class"
    return None


def groups_stay_on_one_side(sampler: Sampler, world: SamplerWorld) -> str | None:
    """If the sampler has a field `apart`, no group of that name is on both sides of an episode."""
    apart = getattr(sampler, "apart", None)
    if apart is None:
        return None
    for shape in SHAPES:
        episodes, codes = world.sample(sampler, shape, 60), world.images.image_groups[apart].codes
        for e in range(len(episodes)):
            one = episodes[e : e + 1]
            both = np.intersect1d(codes[one.support], codes[one.query])
            if len(both):
                name = world.images.image_groups[apart].names[both[0]]
                return f"{shape}: the {apart} {name!r} is on both sides of episode {e}"
    return None


def the_order_of_the_classes_does_not_matter(sampler: Sampler, world: SamplerWorld) -> str | None:
    """Classes are a set: another order, or a repeated class, gives the same episodes."""
    shuffled = np.append(world.classes[::-1], world.classes[3])
    other = SamplerWorld(world.images, shuffled)
    if same(other.sample(sampler), world.sample(sampler)):
        return None
    return "another order of the given classes, or a repeated class, changes the episodes"


def fewer_shots_begin_more(sampler: Sampler, world: SamplerWorld) -> str | None:
    """The support of K shots begins the support of more shots, class by class; the queries are the same."""
    most = world.sample(sampler, EpisodeShape(5, 5, 4))
    for k_shot in (1, 2):
        episodes = world.sample(sampler, EpisodeShape(5, k_shot, 4))
        if not np.array_equal(episodes.query, most.query):
            return f"the queries of {k_shot}-shot and 5-shot episodes differ; sample the queries before the support"
        pairs = zip(_supports(episodes), _supports(most), strict=True)
        if not all(np.array_equal(fewer, more[: len(fewer)]) for fewer, more in pairs):
            return f"the {k_shot}-shot support is not the beginning of the 5-shot support"
    return None


def other_seeds_and_indices_give_other_episodes(sampler: Sampler, world: SamplerWorld) -> str | None:
    """Episodes differ from each other, and from the episodes of another seed."""
    first, other = (world.sample(sampler, count=200, seed=seed) for seed in (0, 1))
    distinct = {first.support[a:b].tobytes() for a, b in pairwise(first.support_start)}
    if len(distinct) < 190:
        return f"200 episodes should differ, found only {len(distinct)} different ones"
    return "another seed gives the same episodes" if np.array_equal(first.support, other.support) else None


def no_episodes_are_no_error(sampler: Sampler, world: SamplerWorld) -> str | None:
    """A request for 0 episodes gives 0 episodes."""
    n_episodes = len(world.sample(sampler, count=0))
    return f"requested 0 episodes, found {n_episodes}" if n_episodes else None


def same_call_same_episodes(sampler: Sampler, world: SamplerWorld) -> str | None:
    """The same call gives the same episodes, uses no global generator, and changes neither images nor classes."""
    labels, classes = copy.deepcopy((world.images.labels, world.classes))
    first = world.sample(sampler)
    np.random.rand()  # the state of a global generator must not matter
    before = generator_states()
    second = world.sample(sampler)
    if generator_states() != before:
        return "sampling uses a global random generator; use fewshot.episodes.draws"
    if not same(first, second):
        return "two equal calls give different episodes"
    unchanged = np.array_equal(labels, world.images.labels) and np.array_equal(classes, world.classes)
    return None if unchanged else "sampling changes the labels or the classes"


def spec_round_trip(sampler: Sampler, world: SamplerWorld) -> str | None:
    """The repr of the sampler creates an equal sampler."""
    return repr_problem(SAMPLERS, sampler)


LAWS = (
    more_episodes_keep_the_first_ones,
    shards_make_their_own_episodes,
    episodes_are_well_formed,
    groups_stay_on_one_side,
    the_order_of_the_classes_does_not_matter,
    fewer_shots_begin_more,
    other_seeds_and_indices_give_other_episodes,
    no_episodes_are_no_error,
    same_call_same_episodes,
    spec_round_trip,
)


def worlds(sampler: Sampler) -> list[SamplerWorld]:
    """The worlds for testing a sampler."""
    return [SamplerWorld()]


def _supports(episodes: Episodes) -> list[Any]:
    """The support rows of every class of every episode."""
    return np.split(episodes.support, np.cumsum(episodes.support_count)[:-1])
