"""What names a run: everything that should change its number, and nothing else. This file does not import torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from fewshot.datasets import LabelledImages
from fewshot.episodes.episodes import Episodes, EpisodeShape, Ints
from fewshot.episodes.lists import EpisodeList
from fewshot.plugins.held import HeldSpec
from fewshot.plugins.member_field import MemberField, OptionalMemberField
from fewshot.plugins.registry import BACKBONES, DATASETS, EVALUATORS, SAMPLERS, SPLITS, TRANSFORMS
from fewshot.plugins.spec import Spec
from fewshot.results.selection_rule import Selection
from fewshot.runs.choice import Choice
from fewshot.runs.defaults import usual_transform
from fewshot.runs.identity import RunIdentity, class_vectors_digest, labels_digest, sampled_name
from fewshot.runs.names import text_prompts, texts_digest
from fewshot.samplers._checked import sample
from fewshot.splits import ClassSplit, check_classes

if TYPE_CHECKING:
    from fewshot.backbones._words import Prompts
    from fewshot.runs.needs import Needs

DTYPES = ("float32", "bfloat16")
_BLOCK_QUERIES = 1 << 20  # queries in memory at once


@dataclass(frozen=True)
class Sampled:
    """Episodes of a sampler: episode i is a function of (sampler, shape, seed, i). `seed` is in [0, 2^64)."""

    shape: EpisodeShape = field(default_factory=EpisodeShape)
    seed: int = 0
    sampler: MemberField = MemberField(SAMPLERS, "Balanced()")

    def __post_init__(self) -> None:
        if not isinstance(self.shape, EpisodeShape):
            raise ValueError(
                "the shape of sampled episodes is an EpisodeShape, such as EpisodeShape(n_way=5, k_shot=1, "
                f"n_query=15); got {self.shape!r:.60}"
            )
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
    """Everything that should change the number of a run. Members may be text, objects or specs; the fields store specs.

    `n_episodes`, `protocol` and `benchmark_set` are not part of the identity: more episodes refine a result, and one
    run may belong to several protocols.
    """

    dataset: MemberField = MemberField(DATASETS)
    backbone: MemberField = MemberField(BACKBONES)
    evaluator: MemberField = MemberField(EVALUATORS)
    episodes: Sampled | Listed = Sampled()
    transform: OptionalMemberField = OptionalMemberField(TRANSFORMS)  # None: the usual one of the evaluator
    classes: str = "novel"
    split: OptionalMemberField = OptionalMemberField(SPLITS)  # None: the data set's default split
    dtype: str = "float32"
    n_episodes: int = 600
    protocol: str = ""
    benchmark_set: str = field(default="", repr=False)  # of the benchmark that `protocol` names
    selection: Selection | None = None  # how the run chooses hyperparameters first; None: it uses the given ones

    def __post_init__(self) -> None:
        if self.transform is None:
            object.__setattr__(self, "transform", usual_transform(self.evaluator))
        if not isinstance(self.episodes, Sampled | Listed):
            raise ValueError(
                "the episodes of a run are Sampled(EpisodeShape(n_way=5, k_shot=1, n_query=15)) or Listed(path); got "
                f"{self.episodes!r:.60}"
            )
        if self.dtype not in DTYPES:
            raise ValueError(f"unknown dtype {self.dtype!r}; known: {', '.join(DTYPES)}")
        if type(self.n_episodes) is not int or self.n_episodes < 1:
            raise ValueError(f"n_episodes must be an integer of at least 1; got {self.n_episodes!r}")
        if self.selection is not None:
            self.selection.check(self.evaluator, self.classes, isinstance(self.episodes, Listed))


@dataclass(eq=False)
class _Shared:
    """What runs on the same images share; it is gone with the images. Members from outside, "package.module:Class", are
    left out, since their code may change meanwhile."""

    labels_digest: str
    class_vectors_digest: str | None  # None where there are none
    splits: dict[str, ClassSplit] = field(default_factory=dict)  # by the identity of their rule
    first_digests: dict[Any, str] = field(default_factory=dict)  # of the first two episodes


_SHARED: WeakKeyDictionary[LabelledImages, _Shared] = WeakKeyDictionary()


def _shared(images: LabelledImages) -> _Shared:
    if images not in _SHARED:
        _SHARED[images] = _Shared(labels_digest(images), class_vectors_digest(images))
    return _SHARED[images]


def split_of(images: LabelledImages, rule: Spec) -> ClassSplit:
    """The split of these images by a rule."""
    known, identity = _shared(images).splits, rule.identity
    if rule.code or identity not in known:
        known[identity] = rule.make().split(images)
    return known[identity]


def split_of_run(spec: RunSpec, images: LabelledImages) -> ClassSplit | None:
    """The split of a run's classes; None if neither the run nor its data set names a rule."""
    rule = spec.split or spec.dataset.make().default_split()
    return None if rule is None else split_of(images, SPLITS.spec(rule))


def check_class_names(dataset: Spec, rule: Spec) -> None:
    """Raises a ValueError if the classes of a data set do not fit the rule of a split, without opening an image."""
    if not isinstance(dataset, HeldSpec):
        _check_class_names(dataset, rule)


@lru_cache(maxsize=256)
def _check_class_names(dataset: Spec, rule: Spec) -> None:
    check_classes(rule.make(), dataset.make())


@dataclass(frozen=True, eq=False)
class PreparedRun:
    """The data side of a run: images, the split of their classes, the classes to sample from, and the episodes."""

    spec: RunSpec
    images: LabelledImages
    split: ClassSplit
    listed: EpisodeList | None
    choice: Choice | None = None  # of hyperparameters; None without a selection rule, or before the choice

    @property
    def evaluator(self) -> Spec:
        """The evaluator that solves the episodes: the chosen one, or that of the spec."""
        return self.spec.evaluator if self.choice is None else self.choice.evaluator

    @cached_property
    def run_id(self) -> str:
        """16 hex digits that name the run."""
        spec, shared = self.spec, _shared(self.images)
        return RunIdentity(
            dataset=spec.dataset.identity,
            backbone=spec.backbone.identity,
            transform=spec.transform.identity,
            evaluator=spec.evaluator.identity,
            images_digest=self.images.images_digest,
            labels_digest=shared.labels_digest,
            split_digest=self.split.digest,
            classes=spec.classes,
            episodes=self._named_episodes,
            first_digest=self._first_digest(shared.first_digests),
            dtype=spec.dtype,
            class_vectors_digest=shared.class_vectors_digest,
            texts_digest=None if self.prompts is None else texts_digest(self.prompts, self.images.class_names),
            selection=None if spec.selection is None else spec.selection.identity(spec.evaluator),
        ).run_id

    @cached_property
    def prompts(self) -> Prompts | None:
        """The templates by which the text tower of the backbone makes vectors of the class names; None if the run uses
        none of its own. A head of names without vectors is a ValueError."""
        return text_prompts(self.spec.evaluator, self.spec.backbone, self.images)

    def _first_digest(self, known: dict[Any, str]) -> str:
        """The digest of the first two episodes, sampled where it is not known yet: many runs have the same."""
        episodes = self.spec.episodes
        if isinstance(episodes, Listed) or episodes.sampler.code:
            return self.episodes(0, 2).digest
        key = (self.split, self.spec.classes, episodes)
        if key not in known:
            known[key] = self.episodes(0, 2).digest
        return known[key]

    @property
    def _named_episodes(self) -> Any:
        sampled = self.spec.episodes
        if isinstance(sampled, Sampled):
            return sampled_name(sampled.shape, sampled.seed, sampled.sampler.identity)
        assert self.listed is not None
        return self.listed.episodes.digest

    @cached_property
    def classes(self) -> Ints:
        """The labels of the classes that episodes sample from."""
        return self.split.classes(self.spec.classes, self.images)

    @cached_property
    def n_episodes(self) -> int:
        """The number of episodes of the run: that of the spec, or that of the list if it is shorter."""
        return self.spec.n_episodes if self.listed is None else min(self.spec.n_episodes, len(self.listed))

    def episodes(self, start: int, stop: int) -> Episodes:
        """Episodes start to stop - 1, as far as a list has them."""
        if self.listed is not None:
            return self.listed.episodes[start:stop]
        assert isinstance(self.spec.episodes, Sampled)
        sampled = self.spec.episodes
        return sample(self.sampler, self.images, self.classes, sampled.shape, sampled.seed, start, stop - start)

    def pools_of(self, index: Ints) -> Ints:
        """[E] the disjoint image pool of each episode; all 0 for a list without pools."""
        pools: Ints = (self.sampler if self.listed is None else self.listed).pools_of(index)
        return pools

    @property
    def groups(self) -> tuple[str, Ints] | None:
        """The name of the class groups that episodes sample, and the group of each label; None for lists and for
        samplers of single classes."""
        name = None if self.listed is not None else self.sampler.class_group
        return None if name is None else (f"groups ({name})", self.images.class_groups[name].codes.astype(np.int64))

    @property
    def draws_depend(self) -> bool:
        """Whether one episode fixes the next, so that they are no independent sample."""
        return self.listed is None and bool(self.sampler.draws_depend)

    @cached_property
    def sampler(self) -> Any:
        """The sampler of the episodes; only for sampled episodes, not for lists."""
        assert isinstance(self.spec.episodes, Sampled)
        return self.spec.episodes.sampler.make()

    @cached_property
    def block(self) -> int:
        """The number of episodes in memory at once."""
        return max(1, min(4096, _BLOCK_QUERIES // max(1, len(self.episodes(0, 1).query))))

    def used(self, ranges: Iterable[tuple[int, int]]) -> NDArray[np.bool_]:
        """[2, n] masks of the images that the episodes of these ranges use as support and as queries. Once all that
        they can use are in use, this samples no further episodes."""
        used = np.zeros((2, len(self.images)), dtype=np.bool_)
        usable = self._usable()
        for block in self.blocks(ranges):
            used[0, block.support] = used[1, block.query] = True
            if (used | ~usable).all():
                break
        return used

    def _usable(self) -> NDArray[np.bool_]:
        """[2, n] masks of all images that episodes may use as support and as queries."""
        if self.listed is not None:
            return np.ones((2, len(self.images)), dtype=np.bool_)
        of_classes = np.isin(self.images.labels, self.classes)
        groups = (getattr(self.sampler, side, None) for side in ("support_from", "query_from"))
        return np.stack([of_classes & self.images.mask(group) for group in groups])

    def needs(self, ranges: Iterable[tuple[int, int]]) -> Needs:
        """The needs of the episodes of these ranges."""
        from fewshot.runs.needs import needs

        used = self.used(ranges)
        rows, support = np.flatnonzero(used.any(0)), np.flatnonzero(used[0])
        return needs(self.evaluator, self.spec.transform, self.images, rows, support, self._seen_rows)

    @property
    def _seen_rows(self) -> NDArray[np.int64]:
        """The rows of all images of seen classes."""
        labels = np.flatnonzero(np.isin(self.images.class_names, self.split.seen))
        return np.flatnonzero(np.isin(self.images.labels, labels))

    def blocks(self, ranges: Iterable[tuple[int, int]]) -> Iterator[Episodes]:
        """The episodes of these ranges, block by block."""
        for start, stop in ranges:
            for low in range(start, stop, self.block):
                yield self.episodes(low, min(low + self.block, stop))
