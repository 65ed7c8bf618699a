"""The images of another data set, labelled by clusters of their features. It needs features to load, so it lives here,
above the folder of the other data sets; their registry names this module."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fewshot.datasets import A_DATA_SET, Dataset, LabelledImages
from fewshot.datasets._subset import subset
from fewshot.episodes.flat import Ints
from fewshot.features.table import feature_table
from fewshot.plugins.fields import declare, integer, one_of
from fewshot.plugins.registry import BACKBONES, SPLITS
from fewshot.plugins.shorthand import shorthand
from fewshot.plugins.signature import Dotted
from fewshot.plugins.wording import counted

PARTS = ("all", "seen", "validation", "novel")


@dataclass(frozen=True)
class PseudoLabels(Dataset):
    """Images of another data set, labelled by clusters of their features: for unsupervised meta-learning. Accuracies on
    it are not accuracies on the real classes.

    k-means (scikit-learn, one start of k-means++, from `seed`) on the features of `backbone`, divided by their length;
    clusters of fewer than `fewest` images are dissolved, and their images go to the nearest of the others. Classes are
    called "cluster 0", ...; groups, vectors and the split of the real classes are dropped. `part` takes only the images
    of the "seen" (or "validation", "novel") classes of the data set's own split: training on clusters of "all" images
    uses the images of novel classes, unlabelled.

    After CACTUs: Hsu, Levine, Finn 2019 (arXiv 1810.02334). Deviations: one partition instead of 50 with
    randomly scaled features; small clusters are dissolved instead of dropped; features are divided by their length. For
    a fully unsupervised method, `backbone` must be trained without labels: a network trained on ImageNet's labels is
    not.
    """

    short_name: ClassVar[str] = "{clusters} clusters of {images} by {backbone}"

    images: Dataset
    backbone: Dotted = "tf_efficientnet_lite0"
    clusters: int = 50
    fewest: int = 20
    seed: int = 0
    part: str = "all"

    rules = declare(
        images=A_DATA_SET,
        clusters=integer(2, below=1 << 32),
        fewest=integer(1),
        seed=integer(0, below=1 << 32),
        part=one_of(PARTS),
    )

    def load(self) -> LabelledImages:
        """The images with their new labels. Computes features that are not on disk."""
        images = self.images.load()
        rows = self._rows(images)
        if len(rows) < self.clusters:
            raise ValueError(
                f"{counted(self.clusters, 'cluster')} were requested, but {images.name} has "
                f"{counted(len(rows), 'image')} of {self.part} classes; lower clusters"
            )
        labels = self._labels(self._features(images, rows))
        names = tuple(f"cluster {label}" for label in range(labels.max() + 1))
        if len(names) < 2:
            raise ValueError(
                f"fewer than 2 of the {self.clusters} clusters of {images.name} have "
                f"{counted(self.fewest, 'image')}; lower fewest"
            )
        return replace(
            some_of(images, rows),
            name=f"{len(names)} clusters of {images.name} by {shorthand(self.backbone)}",
            labels=labels,
            class_names=names,
            class_groups={},
            class_vectors=None,
        )

    def _rows(self, images: LabelledImages) -> Ints:
        """The rows of the part, ascending."""
        if self.part == "all":
            return np.arange(len(images))
        rule = self.images.default_split()
        if rule is None:
            raise ValueError(
                f"{images.name} has no split of its own, so it has no {self.part} classes; give part='all'"
            )
        classes = SPLITS.make(rule).split(images).classes(self.part, images)
        return np.flatnonzero(np.isin(images.labels, classes))

    def _features(self, images: LabelledImages, rows: Ints) -> NDArray[np.float64]:
        """[m, D] features of length one."""
        backbone = BACKBONES.make(BACKBONES.canonical(shorthand(self.backbone))).load().on(images)
        values = feature_table(images, backbone, rows, progress=True).gather(rows).double().numpy()
        length = np.linalg.norm(values, axis=1, keepdims=True)
        unit: NDArray[np.float64] = values / np.where(length > 0, length, 1)
        return unit

    def _labels(self, features: NDArray[np.float64]) -> Ints:
        """[m] the cluster of every image, in [0, number of clusters that are large enough)."""
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):  # another order of sums would give other clusters
            fitted = KMeans(self.clusters, n_init=1, random_state=self.seed).fit(features)
            distance = fitted.transform(features)
        kept = np.flatnonzero(np.bincount(fitted.labels_, minlength=self.clusters) >= self.fewest)
        labels: Ints = distance[:, kept].argmin(1) if len(kept) else np.zeros(len(features), np.int64)
        return labels


def some_of(images: LabelledImages, rows: Ints) -> LabelledImages:
    """These rows as a data set of its own; all of them are the data set itself."""
    if len(rows) == len(images):
        return images
    digest = hashlib.sha256(images.images_digest.encode() + rows.astype("<i8").tobytes()).hexdigest()
    return replace(subset(images, rows), images_digest=digest)
