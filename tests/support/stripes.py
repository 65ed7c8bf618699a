"""A data set of stripes, small enough to train a network on within a test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fewshot.datasets import ArrayImages, Dataset, Group, LabelledImages


@dataclass(frozen=True)
class Stripes(Dataset):
    """Twelve classes of 20 small pictures: stripes of a frequency and a direction, with noise."""

    noise: float = 40.0

    def default_split(self) -> str:
        return "BySeed(novel=0.4, validation=0.0, seed=0)"

    def load(self) -> LabelledImages:
        labels = np.repeat(np.arange(12), 20)
        random = np.random.default_rng(0)
        y, x = np.mgrid[:16, :16] / 16
        angle, frequency = labels % 4 * np.pi / 4, 1 + labels // 4
        waves = np.cos(
            2 * np.pi * frequency[:, None, None] * (np.cos(angle)[:, None, None] * x + np.sin(angle)[:, None, None] * y)
        )
        pixels = 128 + 80 * waves[..., None] + self.noise * random.normal(size=(240, 16, 16, 3))
        upright = Group(np.arange(12) % 2, ("no", "yes"))
        return LabelledImages(
            "stripes",
            ArrayImages(np.clip(pixels, 0, 255).astype(np.uint8)),
            labels,
            tuple(f"class {c:02d}" for c in range(12)),
            "cd" * 32,
            class_groups={"orientation_matters": upright},
        )
