"""A contact sheet: a row of small pictures per class, as they are decoded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from fewshot.datasets import LabelledImages
from fewshot.episodes.flat import Rows

_TILE, _GAP, _NAMES = 64, 4, 120  # pixels: of a picture, between pictures, for class names
_GROUND, _INK = "#e8e8e8", "black"
_LETTERS = 18  # of a class name


def contact_sheet(images: LabelledImages, most_classes: int, per_class: int) -> Image.Image:
    """A picture of the first `most_classes` classes, `per_class` images of each, evenly spaced in the data set."""
    shown = images.pool().by_class()[:most_classes]
    sheet = Image.new("RGB", (_NAMES + per_class * (_TILE + _GAP), len(shown) * (_TILE + _GAP) + _GAP), _GROUND)
    draw = ImageDraw.Draw(sheet)
    for number, rows in enumerate(shown):
        top = _GAP + number * (_TILE + _GAP)
        draw.text((_GAP, top + _TILE // 2 - 6), _printable(images.class_names[number]), fill=_INK)
        for column, row in enumerate(_spread(rows, per_class)):
            small = images.images[int(row)].copy()
            small.thumbnail((_TILE, _TILE))
            sheet.paste(small, (_NAMES + column * (_TILE + _GAP), top))
    return sheet


def write_contact_sheet(images: LabelledImages, out: Path, most_classes: int, per_class: int) -> None:
    """Writes the sheet as a .png file."""
    contact_sheet(images, most_classes, per_class).save(out, "PNG")


def _spread(rows: Rows, count: int) -> Rows:
    """At most `count` rows from the first to the last."""
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(np.int64))]


def _printable(name: str) -> str:
    """The name as the font of Pillow can draw it."""
    short = name if len(name) <= _LETTERS else f"{name[: _LETTERS - 2]}.."
    return short.encode("latin-1", "replace").decode("latin-1")
