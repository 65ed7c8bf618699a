"""What names a run: everything that should change its number, and nothing else. Free of torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from fewshot.datasets import LabelledImages
from fewshot.episodes.episodes import Episodes, EpisodeShape, Ints
from fewshot.episodes.lists import EpisodeList
from fewshot.plugins.member_field import MemberField, OptionalMemberField
from fewshot.plugins.registry import BACKBONES, DATASETS, EVALUATORS, SAMPLERS, SPLITS, TRANSFORMS
from fewshot.plugins.spec import Spec
from fewshot.results.columns import SCHEMA
from fewshot.results.selection_rule import Selection
from fewshot.runs.choice import Choice
from fewshot.splits import ClassSplit

if TYPE_CHECKING:
    from fewshot.runs.needs import Needs

DTYPES = ("float32", "bfloat16")
_BLOCK_QUERIES = 1 << 20  # queries of the episodes that are held at once


@dataclass(frozen=True)
class Sampled:
    """Episodes made by a sampler: episode i is a function of (sampler, shape, seed, i). `seed` is in [0, 2^64)."""

    shape: EpisodeShape = field(default_factory=EpisodeShape)
    seed: int = 0
    sampler: MemberField = MemberField(SAMPLERS, "Balanced()")

    def __post_init__(self) -> None:
        if type(self.seed) is not int or not 0 <= self.seed < 1 << 64:
            raise ValueError(f"seed must be an integer in [0, 2^64), got {self.seed!r}")

    @property
    def text(self) -> str:
        """The column `sampler` of a row."""
        return self.sampler.text


@dataclass(frozen=True)
class Listed:
    """Episodes from a file that `fewshot episodes make`, `EpisodeList.save` or `Episodes.save` wrote."""

    path: Path

    @property
    def text(self) -> str:
        """The column `sampler` of a row."""
        return f"Listed({str(self.path)!r})"


@dataclass(frozen=True)
class RunSpec:
    """Everything that should change the number. Members are given by text, by objects or by specs, and kept as specs.
    `n_episodes` and `protocol` are not part of the identity: more episodes refine a result."""

    dataset: MemberField = MemberField(DATASETS)
    backbone: MemberField = MemberField(BACKBONES)
    evaluator: MemberField = MemberField(EVALUATORS)
    episodes: Sampled | Listed = Sampled()
    transform: MemberField = MemberField(TRANSFORMS, "Identity()")
    classes: str = "novel"
    split: OptionalMemberField = OptionalMemberField(SPLITS)  # None: the data set's own
    dtype: str = "float32"
    n_episodes: int = 600
    protocol: str = ""
    selection: Selection | None = None  # how hyperparameters are chosen before the run; None: they are as given

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise ValueError(f"unknown dtype {self.dtype!r}; known: {', '.join(DTYPES)}")
        if type(self.n_episodes) is not int or self.n_episodes < 1:
            raise ValueError(f"n_episodes must be an integer of at least 1, got {self.n_episodes!r}")
        if self.selection is not None:
            self.selection.check(self.evaluator, self.classes, isinstance(self.episodes, Listed))


@dataclass(eq=False)
class _Shared:
    """What runs on the same images share; it is gone with the images. Members from outside, "package.module:Class", are
    left out, since their code may change meanwhile."""

    labels_digest: str
    class_vectors_digest: str  # "" where there are none
    splits: dict[str, ClassSplit] = field(default_factory=dict)  # by the identity of their rule
    first_digests: dict[Any, str] = field(default_factory=dict)  # of the first two episodes


_SHARED: WeakKeyDictionary[LabelledImages, _Shared] = WeakKeyDictionary()


def _shared(images: LabelledImages) -> _Shared:
    if images not in _SHARED:
        vectors = images.class_vectors
        of_vectors = "" if vectors is None else hashlib.sha256(vectors.astype("<f8").tobytes()).hexdigest()
        _SHARED[images] = _Shared(hashlib.sha256(images.labels.astype("<i8").tobytes()).hexdigest(), of_vectors)
    return _SHARED[images]


def split_of(images: LabelledImages, rule: Spec) -> ClassSplit:
    """The split of these images by a rule."""
    known, identity = _shared(images).splits, rule.identity
    if rule.code or identity not in known:
        known[identity] = rule.make().split(images)
    return known[identity]


@dataclass(frozen=True, eq=False)
class PreparedRun:
    """The data side of a run: images, the split of their classes, the classes that episodes are drawn from, and
    episodes by block."""

    spec: RunSpec
    images: LabelledImages
    split: ClassSplit
    listed: EpisodeList | None
    choice: Choice | None = None  # of hyperparameters, where the spec asks for one and it is made

    @property
    def evaluator(self) -> Spec:
        """What solves the episodes: what was chosen, or what was asked for."""
        return self.spec.evaluator if self.choice is None else self.choice.evaluator

    @cached_property
    def run_id(self) -> str:
        """16 hex digits that name the run."""
        spec, shared = self.spec, _shared(self.images)
        named = [
            SCHEMA,
            spec.dataset.identity,
            self.images.images_digest,
            shared.labels_digest,
            self.split.digest,
            spec.classes,
            spec.backbone.identity,
            spec.transform.identity,
            spec.evaluator.identity,
            self._named_episodes,
            self._first_digest(shared.first_digests),  # a sampler that draws otherwise makes other runs
            spec.dtype,
        ]
        if self.images.class_vectors is not None:
            named.append(shared.class_vectors_digest)
        if spec.selection is not None:
            named.append(spec.selection.identity(spec.evaluator))
        return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()[:16]

    def _first_digest(self, known: dict[Any, str]) -> str:
        """The digest of the first two episodes, sampled where it is not known yet: many runs have the same."""
        episodes = self.spec.episodes
        if isinstance(episodes, Listed) or episodes.sampler.code:
            return self.draw(0, 2).digest
        key = (self.split, self.spec.classes, episodes)
        if key not in known:
            known[key] = self.draw(0, 2).digest
        return known[key]

    @property
    def _named_episodes(self) -> Any:
        sampled = self.spec.episodes
        if isinstance(sampled, Sampled):
            return {"shape": asdict(sampled.shape), "seed": sampled.seed, "sampler": sampled.sampler.identity}
        assert self.listed is not None
        return self.listed.episodes.digest

    @cached_property
    def classes(self) -> Ints:
        """Labels of the classes that episodes are drawn from."""
        return self.split.classes(self.spec.classes, self.images)

    @cached_property
    def n_episodes(self) -> int:
        """How many episodes are asked for; a list has no more than it has."""
        return self.spec.n_episodes if self.listed is None else min(self.spec.n_episodes, len(self.listed))

    def draw(self, start: int, stop: int) -> Episodes:
        """Episodes start..stop-1; of a list, those that it has."""
        if self.listed is not None:
            return self.listed.episodes[start:stop]
        assert isinstance(self.spec.episodes, Sampled)
        sampled = self.spec.episodes
        drawn: Episodes = self.sampler.sample(
            self.images, self.classes, sampled.shape, sampled.seed, start, stop - start
        )
        return drawn

    def pools_of(self, index: Ints) -> Ints:
        """[E] the disjoint pool of images that each episode comes from; one, where a list does not know."""
        pools: Ints = (self.sampler if self.listed is None else self.listed).pools_of(index)
        return pools

    @property
    def groups(self) -> tuple[str, Ints] | None:
        """What the groups of classes are called that episodes draw, and the group of each label; of a list nothing is
        known."""
        name = None if self.listed is not None else self.sampler.class_group
        return None if name is None else (f"groups ({name})", self.images.class_groups[name].codes.astype(np.int64))

    @cached_property
    def sampler(self) -> Any:
        """What draws the episodes; a list has none."""
        assert isinstance(self.spec.episodes, Sampled)
        return self.spec.episodes.sampler.make()

    @cached_property
    def block(self) -> int:
        """How many episodes to hold at once."""
        return max(1, min(4096, _BLOCK_QUERIES // max(1, len(self.draw(0, 1).query))))

    def used(self, ranges: Iterable[tuple[int, int]]) -> NDArray[np.bool_]:
        """[2, n] the images that episodes of these ranges use, as support and as queries."""
        used = np.zeros((2, len(self.images)), dtype=np.bool_)
        for block in self.blocks(ranges):
            used[0, block.support] = used[1, block.query] = True
        return used

    def needs(self, ranges: Iterable[tuple[int, int]]) -> Needs:
        """What the episodes of these ranges need."""
        from fewshot.runs.needs import needs

        used = self.used(ranges)
        rows, support = np.flatnonzero(used.any(0)), np.flatnonzero(used[0])
        return needs(self.evaluator, self.spec.transform, self.images, rows, support, self._seen_rows)

    @property
    def _seen_rows(self) -> NDArray[np.int64]:
        """The rows of the images of seen classes."""
        labels = np.flatnonzero(np.isin(self.images.class_names, self.split.seen))
        return np.flatnonzero(np.isin(self.images.labels, labels))

    def blocks(self, ranges: Iterable[tuple[int, int]]) -> Iterator[Episodes]:
        """The episodes of these ranges, a bounded number at a time."""
        for start, stop in ranges:
            for low in range(start, stop, self.block):
                yield self.draw(low, min(low + self.block, stop))
