"""Labelled images of as many classes as asked for, vectors of them, and ragged episodes on them."""

from __future__ import annotations

import numpy as np
import torch

from fewshot.datasets import ArrayImages, LabelledImages
from fewshot.episodes.episodes import Episodes


def labelled(n_classes: int, per_class: int, pixels: np.ndarray | None = None) -> LabelledImages:
    """Images of one black pixel, or of these pixels, sorted by class."""
    labels = np.repeat(np.arange(n_classes), per_class)
    held = np.zeros((len(labels), 1, 1), np.uint8) if pixels is None else pixels
    return LabelledImages("test", ArrayImages(held), labels, tuple(f"c{i}" for i in range(n_classes)), "digest")


def vectors(images: LabelledImages, dim: int, separation: float = 1.0) -> torch.Tensor:
    """A float32 vector an image: noise around a centre a class, `separation` apart."""
    random = np.random.default_rng(0)
    centres = separation * random.normal(size=(len(images.class_names), dim))
    return torch.from_numpy((centres[images.labels] + random.normal(size=(len(images), dim))).astype(np.float32))


def gather(table: torch.Tensor):
    """What gives the vectors of rows, as learners ask for them."""
    return lambda rows: table[torch.from_numpy(rows.astype(np.int64))]


def as_tensor(image):
    """The pixels [3, H, W] of a picture, from -.5 to .5: the simplest preprocessing."""
    return torch.from_numpy(np.array(image, dtype=np.float32)).permute(2, 0, 1) / 255 - 0.5


def ragged(images: LabelledImages, count: int) -> Episodes:
    """Episodes of 2 to 6 ways with 1 to 9 supports and 1 to 7 queries a class."""
    random = np.random.default_rng(3)
    support, query = [], []
    for _ in range(count):
        rows = [
            random.permutation(np.flatnonzero(images.labels == c))
            for c in random.choice(len(images.class_names), random.integers(2, 7), replace=False)
        ]
        shots = random.integers(1, 10, size=len(rows))
        support.append(np.concatenate([r[:k] for r, k in zip(rows, shots, strict=True)]))
        query.append(np.concatenate([r[k : k + random.integers(1, 8)] for r, k in zip(rows, shots, strict=True)]))
    return Episodes.from_rows(images, support, query)
