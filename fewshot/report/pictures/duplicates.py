"""Pairs of images that look alike, as a page or as one picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fewshot.datasets import LabelledImages
from fewshot.datasets.duplicates import ACROSS, WITHIN, Duplicates, Pair
from fewshot.files.atomic import write_atomically
from fewshot.report.figures.svg import settings
from fewshot.report.pictures.addresses import thumbnail
from fewshot.report.pictures.tiles import CAPTION, CELL, IMAGE, INK, WRONG, plot_image, sheet, short

_PIXELS = 140  # of an image on the page
_COLUMNS = 4  # pairs beside each other in a picture
_MOST_SHOWN = 100  # pairs in a picture
_WIDE, _HIGH = 2 * CELL + 20, IMAGE + 3 * CAPTION


def write_duplicates(found: Duplicates, images: LabelledImages, summary: str, out: Path) -> None:
    """Writes the pairs to a self-contained .html page, or the first hundred pairs to a .png picture."""
    check_out(out, images)
    write = _picture if out.suffix == ".png" else _page
    write_atomically(out, write(found.pairs, images, summary))


def check_out(out: Path, images: LabelledImages) -> None:
    """Raises a ValueError if these images cannot be shown, or not in a file of this name."""
    if images.vectors is not None:
        raise ValueError(f"{images.name} holds vectors, no pictures; remove --out")
    if out.suffix not in (".html", ".png"):
        raise ValueError(f"--out must be a .html or .png file; got {out}")


def words(pair: Pair) -> str:
    """The similarity of a pair of images in words, and the kind of pair."""
    told = "exact copies" if pair.exact else f"{pair.similarity:.3f} alike"
    return f"{told}, {pair.kind if pair.kind in (WITHIN, ACROSS) else f'also in a {pair.kind} class'}"


def place(images: LabelledImages, row: int) -> str:
    """The name of an image: its class, its row, and its file if it has one."""
    from fewshot.datasets._digests import Files

    file = f", {images.images.paths[row]}" if isinstance(images.images, Files) else ""
    return f"{images.class_names[images.labels[row]]}, row {row}{file}"


def _page(pairs: Sequence[Pair], images: LabelledImages, summary: str) -> bytes:
    from jinja2 import Environment, PackageLoader

    environment = Environment(loader=PackageLoader("fewshot", "report"), autoescape=True)
    template = environment.get_template("duplicates.html.j2")
    cards = [_card(pair, images) for pair in pairs]
    return template.render(title=f"Images alike in {images.name}", summary=summary, cards=cards).encode()


def _card(pair: Pair, images: LabelledImages) -> dict[str, Any]:
    told, _, kind = words(pair).partition(", ")
    shown = [
        {
            "address": thumbnail(images.images[row], _PIXELS),
            "label": images.class_names[images.labels[row]],
            "name": place(images, row).partition(", ")[2],
        }
        for row in (pair.first, pair.second)
    ]
    return {"similarity": told, "kind": kind, "leak": pair.kind != WITHIN, "images": shown}


def _picture(pairs: Sequence[Pair], images: LabelledImages, summary: str) -> bytes:
    listed = pairs[:_MOST_SHOWN]
    with settings(**{"text.color": INK, "font.size": 9}):
        figure, axes = sheet(_COLUMNS * _WIDE + 16, 40 + _HIGH * max(1, -(-len(listed) // _COLUMNS)))
        axes.text(8, 16, short(summary, 150), va="center")
        for number, pair in enumerate(listed):
            left, top = 8 + number % _COLUMNS * _WIDE, 40 + number // _COLUMNS * _HIGH
            colour = INK if pair.kind == WITHIN else WRONG
            axes.text(left, top, short(words(pair), 34), va="bottom", fontsize=8, color=colour)
            for x, row in ((left, pair.first), (left + CELL, pair.second)):
                plot_image(axes, images.images[row], x, top + 4)
                name = short(images.class_names[images.labels[row]], 13)
                axes.text(x, top + IMAGE + 8, name, va="top", fontsize=8, color=colour)
        held = io.BytesIO()
        figure.savefig(held, format="png", metadata={"Software": None}, facecolor="white")
    return held.getvalue()
