"""The data side of a run: its images, classes and episodes, and the id that they give it. This file does not import
torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fewshot.datasets import LabelledImages
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import Ints
from fewshot.episodes.lists import EpisodeList
from fewshot.plugins.spec import Spec
from fewshot.runs.choice import Choice
from fewshot.runs.identity import RunIdentity, sampled_name
from fewshot.runs.names import text_prompts, texts_digest
from fewshot.runs.shared import shared_by_runs
from fewshot.runs.specs import Listed, RunSpec, Sampled
from fewshot.samplers._checked import sample
from fewshot.splits import ClassSplit

if TYPE_CHECKING:
    from fewshot.backbones._words import Prompts
    from fewshot.runs.needs import Needs

_BLOCK_QUERIES = 1 << 20  # queries in memory at once


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
        spec, shared = self.spec, shared_by_runs(self.images)
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
