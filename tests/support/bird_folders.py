"""A folder of small pictures in class folders, as a newcomer has one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = {"gull": (230, 235, 240), "wren": (120, 80, 40), "crow": (20, 20, 30), "lark": (150, 140, 60)}


def write_birds(folder: Path, per_class: int = 9, size: int = 16) -> Path:
    """The folder, with noisy pictures of four classes."""
    random = np.random.default_rng(0)
    for label, colour in COLOURS.items():
        (folder / label).mkdir(parents=True)
        for i in range(per_class):
            noise = random.normal(size=(size, size + i, 3)) * 40 + random.normal(size=3) * 60
            Image.fromarray(np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)).save(
                folder / label / f"{i}.png"
            )
    return folder
