"""Draws a random sample of the embedded icons with their class names, to judge them by eye.

    python -m fewshot.data.contact_sheet --domain mono --seed 1 --count 300 --out sheet.png

The same seed gives the same picture, and the identifiers it prints (row by row) go with its tiles.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from .icons import DOMAINS, IconArrays, load

SCALE = 2  # a 48-pixel icon is drawn 96 pixels wide
GAP, CAPTION = 10, 18  # pixels between tiles, and for the name under each
BACKGROUND, INK = (222, 232, 250), (120, 0, 0)


def sample(icons: IconArrays, seed: int, count: int) -> npt.NDArray[np.int64]:
    """[count] different indices, drawn evenly from all images, in the order of the file."""
    if not 0 < count <= len(icons.labels):
        raise ValueError(f"count = {count}, but there are {len(icons.labels)} images; ask for 1 to that")
    return np.sort(np.random.default_rng(seed).choice(len(icons.labels), count, replace=False))


def draw_sheet(icons: IconArrays, indices: npt.NDArray[np.int64], columns: int = 15) -> Image.Image:
    """The images of the indices, row by row, each over the name of its class."""
    side = icons.pixels.shape[1] * SCALE
    width, height = side + GAP, side + CAPTION + GAP
    rows = -(-len(indices) // columns)
    sheet = Image.new("RGB", (columns * width + GAP, rows * height + GAP), BACKGROUND)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for place, index in enumerate(indices):
        left, top = GAP + place % columns * width, GAP + place // columns * height
        tile = Image.fromarray(icons.pixels[index]).resize((side, side), Image.Resampling.NEAREST)
        sheet.paste(tile.convert("RGB"), (left, top))
        pen.text((left, top + side), icons.class_names[icons.labels[index]], fill=INK, font=font)
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw a random sample of the embedded icons.")
    parser.add_argument("--domain", choices=DOMAINS, default="mono")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--out", type=Path, required=True, help="the picture to write, for example sheet.png")
    arguments = parser.parse_args()
    icons = load(arguments.domain)
    indices = sample(icons, arguments.seed, arguments.count)
    draw_sheet(icons, indices).save(arguments.out)
    for place, index in enumerate(indices):
        print(f"{place:4} {icons.class_names[icons.labels[index]]:20} {icons.ids[index]}")


if __name__ == "__main__":
    main()
