"""Folders of small pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def write_pictures(folder: Path, sizes: list[int]) -> None:
    """A class of noisy pictures of one brightness for each size."""
    rng = np.random.default_rng(0)
    for label, size in enumerate(sizes):
        (folder / f"class{label}").mkdir(parents=True)
        for number in range(size):
            pixels = np.clip(40 * label + rng.normal(0, 20, (10, 12, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"class{label}" / f"{number}.png")
