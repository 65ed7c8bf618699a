"""What runs on the same images share: splits of their classes, and digests. This file does not import torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from fewshot.datasets import LabelledImages
from fewshot.plugins.held import HeldSpec
from fewshot.plugins.spec import Spec
from fewshot.runs.identity import class_vectors_digest, labels_digest
from fewshot.splits import ClassSplit, check_classes


@dataclass(eq=False)
class SharedByRuns:
    """What runs on the same images share; it is gone with the images. Members from outside, "package.module:Class", are
    left out, since their code may change meanwhile."""

    labels_digest: str
    class_vectors_digest: str | None  # None where there are none
    splits: dict[str, ClassSplit] = field(default_factory=dict)  # by the identity of their rule
    first_digests: dict[Any, str] = field(default_factory=dict)  # of the first two episodes


_SHARED: WeakKeyDictionary[LabelledImages, SharedByRuns] = WeakKeyDictionary()


def shared_by_runs(images: LabelledImages) -> SharedByRuns:
    """What runs on these images share."""
    if images not in _SHARED:
        _SHARED[images] = SharedByRuns(labels_digest(images), class_vectors_digest(images))
    return _SHARED[images]


def split_of(images: LabelledImages, rule: Spec) -> ClassSplit:
    """The split of these images by a rule."""
    known, identity = shared_by_runs(images).splits, rule.identity
    if rule.code or identity not in known:
        known[identity] = rule.make().split(images)
    return known[identity]


def check_class_names(dataset: Spec, rule: Spec) -> None:
    """Raises a ValueError if the classes of a data set do not fit the rule of a split, without opening an image."""
    if not isinstance(dataset, HeldSpec):
        _check_class_names(dataset, rule)


@lru_cache(maxsize=256)
def _check_class_names(dataset: Spec, rule: Spec) -> None:
    check_classes(rule.make(), dataset.make())
