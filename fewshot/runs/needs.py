"""What a run needs before it can solve its episodes: derived once, for running, for `evaluate` and for a dry run."""

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
    """Rows of images whose features are needed."""

    view: str  # "" for the images as they are, else the name of a further view of the support
    images: LabelledImages
    rows: Rows64


@dataclass(frozen=True, eq=False)
class Needs:
    """The members that solve some episodes, made, and the images that they look at."""

    evaluator: Any  # a FeatureEvaluator, TransductiveEvaluator or ImageEvaluator
    transform: FeatureTransform
    images: LabelledImages
    rows: Rows64  # of the images of all episodes, ascending
    support: Rows64  # those that stand in a support
    seen: Rows64  # images that the transform is fitted on; none where it is not fitted
    views: Mapping[str, LabelledImages]  # the images once more for each further view of the support, often none

    @property
    def tunes_a_network(self) -> bool:
        """Whether the evaluator learns from images, so that nothing is embedded beforehand."""
        return isinstance(self.evaluator, ImageEvaluator)

    def embeddings(self) -> Iterator[Embedding]:
        """The features that must be there before the first episode: the images', then those of each view."""
        if self.tunes_a_network:
            return
        yield Embedding("", self.images, np.union1d(self.rows, self.seen))
        for name, view in self.views.items():
            yield Embedding(name, view, self.support)


def needs(
    evaluator: Spec, transform: Spec, images: LabelledImages, rows: Rows64, support: Rows64, seen: Rows64
) -> Needs:
    """The needs of episodes of these `rows`. `seen`: rows of the seen classes, for a transform that is fitted on them.
    Members that do not go together, or do not fit the data, are a ValueError."""
    made, mapping = evaluator.make(), transform.make()
    _check(made, mapping, evaluator, transform, images)
    views = made.support_views() if isinstance(made, FeatureEvaluator) else None
    fitted_on = seen if mapping.needs_seen else seen[:0]
    return Needs(made, mapping, images, rows, support, fitted_on, {} if views is None else views.of(images))


def _check(made: Any, mapping: FeatureTransform, evaluator: Spec, transform: Spec, images: LabelledImages) -> None:
    if images.vectors is not None and isinstance(made, FeatureEvaluator) and made.support_views() is not None:
        raise ValueError(
            f"{evaluator} learns from views of images, but {images.name} holds vectors; leave AugmentedSupport out"
        )
    if isinstance(made, ImageEvaluator) and images.vectors is not None:
        raise ValueError(
            f"{evaluator} tunes a network on images, but {images.name} holds vectors; "
            "take an evaluator of features, such as LinearProbe"
        )
    if isinstance(made, ImageEvaluator) and not isinstance(mapping, Identity):
        raise ValueError(
            f"{transform} is for feature vectors, but {evaluator} tunes the network on images; leave the transform out"
        )
