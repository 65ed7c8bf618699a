"""The workbench: what runs share (images and networks in memory), and how they compute; it does not import torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fewshot.datasets import LabelledImages
from fewshot.datasets._loading import load_images
from fewshot.episodes.lists import EpisodeList
from fewshot.features.settings import USUAL, EmbeddingSettings
from fewshot.plugins.registry import SPLITS
from fewshot.plugins.spec import Spec
from fewshot.runs import guards
from fewshot.runs.loading import load_backbone
from fewshot.runs.names import text_prompts
from fewshot.runs.prepared import PreparedRun
from fewshot.runs.shared import check_class_names, split_of
from fewshot.runs.specs import Listed, RunSpec, Sampled

if TYPE_CHECKING:
    from fewshot.backbones import Backbone
    from fewshot.features.table import FeatureTable


@dataclass(frozen=True, eq=False)
class Workbench:
    """What runs share (loaded images and networks), and how to compute. None of these settings changes a number, except
    that a device and the settings of embedding round in their own way."""

    budget_bytes: int | None = None  # for a batch of episodes; None: a size that fits the processor's cache
    device: str | None = None
    progress: bool = True
    folder: Path | None = None  # for features; None: the usual cache
    embedding: EmbeddingSettings = USUAL
    heads_device: str | None = None  # of evaluators of features; None: the CPU, or the network's for large episodes
    images: Callable[[Spec], LabelledImages] = field(default_factory=lambda: cache(load_images))
    backbone: Callable[[Spec], Backbone] = field(default_factory=lambda: cache(load_backbone))

    def prepare(self, spec: RunSpec) -> PreparedRun:
        """The checked data side of a run. A wrong split, a wrong list or a network for vectors raises a ValueError."""
        rule = spec.split or spec.dataset.make().default_split()
        if rule is not None:
            check_class_names(spec.dataset, SPLITS.spec(rule))
        images = self.images(spec.dataset)
        _check_network(spec, images)
        if rule is None:
            raise ValueError(
                f"{spec.dataset} has no default split; give one, such as split='AllNovel()' if the backbone has seen "
                "none of its classes"
            )
        listed = _list(spec.episodes, images) if isinstance(spec.episodes, Listed) else None
        prepared = PreparedRun(spec, images, split_of(images, SPLITS.spec(rule)), listed)
        _check_episodes(prepared)
        return prepared

    def features(
        self, images: LabelledImages, backbone: Backbone, rows: NDArray[np.int64], dtype: str, wait: bool = True
    ) -> FeatureTable:
        """The features of these rows; this computes those that are not on disk. Without `wait`, this raises Busy if
        another process computes some of the same table."""
        from fewshot.features.table import feature_table

        return feature_table(images, backbone, rows, dtype, self.progress, self.folder, self.embedding, wait)

    def class_vectors(self, images: LabelledImages, backbone: Backbone) -> NDArray[np.float32]:
        """The vectors of the class names by the backbone's text tower; this computes those that are not on disk."""
        from fewshot.features.class_vectors import class_vectors

        folder = None if self.folder is None else self.folder / "class_vectors"
        return class_vectors(backbone, images.name, images.class_names, self.progress, folder)


def _check_network(spec: RunSpec, images: LabelledImages) -> None:
    """Raises a ValueError for a network on vectors, and for vectors in another dtype than theirs."""
    images.check_backbone(spec.backbone.text, spec.backbone.declares("stands_for_vectors"))
    if images.vectors is not None and spec.dtype != "float32":
        raise ValueError(f"{images.name} holds vectors, which no network computes; remove dtype={spec.dtype!r}")


def _list(named: Listed, images: LabelledImages) -> EpisodeList:
    """The list of a run; one of other images, or without the numbers 0, 1, 2, ..., raises a ValueError."""
    listed = EpisodeList.load(Path(named.path))
    listed.check(images)
    listed.require_numbered()
    return listed


def _check_episodes(prepared: PreparedRun) -> None:
    """Raises a ValueError if the episodes of a run do not fit its evaluator, its classes or its images; warns of what
    makes its number doubtful."""
    spec, images, listed = prepared.spec, prepared.images, prepared.listed
    shots = spec.episodes.shape.k_shot if isinstance(spec.episodes, Sampled) else None
    guards.check_support(spec.evaluator, shots, None if listed is None else listed.episodes)
    guards.check_seen(spec.transform, prepared.split, images.name, spec.protocol if spec.benchmark_set else "")
    text_prompts(spec.evaluator, spec.backbone, images)  # raises now if a head of names has no vectors
    if prepared.n_episodes * len(images) > guards.MOST_IMAGES_OF_A_RUN:
        first = prepared.episodes(0, 1)
        guards.check_size(prepared.n_episodes, first, guards.MOST_IMAGES_OF_A_RUN, "a run")
    guards.warn_similar_names(prepared.split, spec.classes)
    if listed is None:
        guards.warn_unseparated_groups(images, prepared.sampler)
    else:
        guards.check_classes(listed.episodes, prepared.classes, spec.classes, images)
