"""What episodes need before they can be solved: members, images and features. Runs, `evaluate` and dry runs use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.datasets import LabelledImages
from fewshot.evaluators import FeatureEvaluator, ImageEvaluator
from fewshot.plugins.spec import Spec
from fewshot.transforms import FeatureTransform
from fewshot.transforms.identity import Identity

Rows64 = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Embedding:
    """The rows of images to embed."""

    view: str  # "" for the plain images, else the name of a further view of the support
    images: LabelledImages
    rows: Rows64


@dataclass(frozen=True, eq=False)
class Needs:
    """The evaluator and the transform of some episodes, and the images that they use."""

    evaluator: Any  # a FeatureEvaluator, TransductiveEvaluator or ImageEvaluator
    transform: FeatureTransform
    images: LabelledImages
    rows: Rows64  # of the images of all episodes, ascending
    support: Rows64  # the rows among them that are in a support
    seen: Rows64  # images to fit the transform on; empty if it needs none
    views: Mapping[str, LabelledImages]  # the images as each further view of the support shows them; often none

    @property
    def tunes_a_network(self) -> bool:
        """Whether the evaluator learns from images, so that fewshot embeds nothing."""
        return isinstance(self.evaluator, ImageEvaluator)

    def embeddings(self) -> Iterator[Embedding]:
        """The features that the first episode needs: those of the images, then those of each view."""
        if self.tunes_a_network:
            return
        yield Embedding("", self.images, np.union1d(self.rows, self.seen))
        for name, view in self.views.items():
            yield Embedding(name, view, self.support)


def needs(
    evaluator: Spec, transform: Spec, images: LabelledImages, rows: Rows64, support: Rows64, seen: Rows64
) -> Needs:
    """The needs of episodes of these `rows`. `seen`: rows of the seen classes, for a transform that needs them.

    Members that do not fit together, or do not fit the data, raise a ValueError.
    """
    member, mapping = check_members(evaluator, transform)
    _check(member, evaluator, images)
    if mapping.needs_seen and not len(seen):
        raise ValueError(
            f"{transform} is fitted on images of seen classes, but {images.name} has none here; use L2(), or name the "
            "rows of such images with seen=[...]"
        )
    views = member.support_views() if isinstance(member, FeatureEvaluator) else None
    fitted_on = seen if mapping.needs_seen else seen[:0]
    return Needs(member, mapping, images, rows, support, fitted_on, {} if views is None else views.of(images))


def check_members(evaluator: Spec, transform: Spec) -> tuple[Any, FeatureTransform]:
    """The evaluator and the transform; a ValueError if they do not fit together."""
    member, mapping = evaluator.make(), transform.make()
    if isinstance(member, ImageEvaluator) and not isinstance(mapping, Identity):
        raise ValueError(
            f"{transform} is for feature vectors, but {evaluator} tunes the network on images; remove the transform"
        )
    return member, mapping


def _check(member: Any, evaluator: Spec, images: LabelledImages) -> None:
    if images.vectors is not None and isinstance(member, FeatureEvaluator) and member.support_views() is not None:
        raise ValueError(
            f"{evaluator} learns from views of images, but {images.name} holds vectors; remove AugmentedSupport"
        )
    if isinstance(member, ImageEvaluator) and images.vectors is not None:
        raise ValueError(
            f"{evaluator} tunes a network on images, but {images.name} holds vectors; "
            "use an evaluator of features, such as LinearProbe"
        )
