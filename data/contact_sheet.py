"""Writes a picture of a random sample of the bundled icons or glyphs with their class names, to judge them by eye.

    python -m fewshot.data.contact_sheet --domain mono --seed 1 --count 300 --out sheet.png
    python -m fewshot.data.contact_sheet --domain glyphs --seed 1 --count 300 --out sheet.png

The same seed gives the same picture. The script prints the identifiers of the tiles, row by row.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from . import glyphs, icons

DOMAINS = (*icons.DOMAINS, "glyphs")
SIDE = 96  # pixels per tile side: twice an icon, three times a glyph
GAP, CAPTION = 10, 18  # pixels between tiles, and for the name under each
BACKGROUND, INK = (222, 232, 250), (120, 0, 0)


class Labelled(Protocol):
    """n images, each with a label and an identifier: what icons.load and glyphs.load have in common."""

    @property
    def pixels(self) -> npt.NDArray[np.uint8]: ...
    @property
    def labels(self) -> npt.NDArray[np.int64]: ...
    @property
    def ids(self) -> npt.NDArray[np.str_]: ...
    @property
    def class_names(self) -> tuple[str, ...]: ...


def load(domain: str) -> Labelled:
    """The images of 'mono', 'colour' or 'glyphs'."""
    return glyphs.load() if domain == "glyphs" else icons.load(domain)


def sample(images: Labelled, seed: int, count: int) -> npt.NDArray[np.int64]:
    """[count] different indices, sampled uniformly from all images, in the order of the file."""
    n_images = len(images.labels)
    if not 0 < count <= n_images:
        raise ValueError(f"count = {count:,}, but there are {n_images:,} images; choose 1 to {n_images:,}")
    return np.sort(np.random.default_rng(seed).choice(n_images, count, replace=False))


def contact_sheet(images: Labelled, indices: npt.NDArray[np.int64], columns: int = 15) -> Image.Image:
    """The picture of these images, row by row, each above the name of its class."""
    width, height = SIDE + GAP, SIDE + CAPTION + GAP
    rows = -(-len(indices) // columns)
    sheet = Image.new("RGB", (columns * width + GAP, rows * height + GAP), BACKGROUND)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for place, index in enumerate(indices):
        left, top = GAP + place % columns * width, GAP + place // columns * height
        tile = Image.fromarray(images.pixels[index]).resize((SIDE, SIDE), Image.Resampling.NEAREST)
        sheet.paste(tile.convert("RGB"), (left, top))
        caption = images.class_names[images.labels[index]].rpartition("/")[2]
        pen.text((left, top + SIDE), caption, fill=INK, font=font)
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a picture of a random sample of the bundled icons or glyphs.")
    parser.add_argument("--domain", choices=DOMAINS, default="mono", help="sample these images (default: mono)")
    parser.add_argument("--seed", type=int, default=0, help="set the seed of the sample (default: 0)")
    parser.add_argument("--count", type=int, default=300, help="sample this many images (default: 300)")
    parser.add_argument("--out", type=Path, required=True, help="write this picture, for example sheet.png")
    arguments = parser.parse_args()
    images = load(arguments.domain)
    indices = sample(images, arguments.seed, arguments.count)
    contact_sheet(images, indices).save(arguments.out)
    for place, index in enumerate(indices):
        print(f"{place:4} {images.class_names[images.labels[index]]:20} {images.ids[index]}")


if __name__ == "__main__":
    main()
