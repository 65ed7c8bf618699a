"""Images and episodes as HTML for notebooks: small pictures, bounded in number, names escaped."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Sequence
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Protocol
from weakref import WeakValueDictionary

import numpy as np

from fewshot.episodes.labelled import Labelled

if TYPE_CHECKING:
    from PIL.Image import Image

    from fewshot.episodes.episodes import Episodes

CLASSES, PER_CLASS = 8, 5  # shown at most
_SIDE, _QUALITY = 56, 70  # pixels and JPEG quality of a picture
_LONGEST = 60  # characters of a name


class Pictured(Labelled, Protocol):
    """Labelled images that can be shown."""

    def thumbnail(self, row: int, /) -> str: ...


_IMAGES: WeakValueDictionary[str, Pictured] = WeakValueDictionary()  # in memory, by digest


def remember_images(images: Pictured) -> None:
    """Lets episodes of these images show them, as long as they are in memory."""
    _IMAGES[images.images_digest] = images


def thumbnail(image: Image) -> str:
    """An image as a small picture in HTML."""
    small, file = image.convert("RGB"), BytesIO()
    small.thumbnail((_SIDE, _SIDE))
    small.save(file, "JPEG", quality=_QUALITY)
    data = base64.b64encode(file.getvalue()).decode("ascii")
    return f'<img src="data:image/jpeg;base64,{data}" alt="" style="display:inline;margin:1px">'


def pictures(
    title: str, lines: Sequence[tuple[str, Sequence[int]]], show: Callable[[int], str], n_more: int, noun: str
) -> str:
    """A title, and a line of pictures for each name."""
    cells = "".join(
        f'<tr><td style="text-align:left">{name_html(name)}</td>'
        f'<td style="text-align:left">{"".join(map(show, rows))}</td></tr>'
        for name, rows in lines
    )
    more = f"<p>and {n_more:,} more {noun}</p>" if lines and n_more > 0 else ""
    return f"<p>{escape(title)}</p>" + (f"<table><tbody>{cells}</tbody></table>{more}" if lines else "")


def name_html(name: str) -> str:
    """A name from data, escaped and at most 60 characters long."""
    return escape(name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…")


def episode_html(episodes: Episodes) -> str:
    """The sizes, and pictures of the first episode: support, then queries after a bar."""
    images = _IMAGES.get(episodes.images_digest)
    lines, n_ways = [], 0
    if images is not None and len(episodes):
        with contextlib.suppress(ValueError):  # other images with this digest
            first = episodes[0]
            first.check(images)
            n_ways = int(first.n_way[0])
            lines = [_way(first, way, images) for way in range(min(n_ways, CLASSES))]
    title = f"{episodes!r}" + (" – support | queries of the first:" if lines else "")
    return pictures(
        title,
        lines,
        lambda row: "|" if row < 0 else images.thumbnail(row) if images else "",
        n_ways - len(lines),
        "classes",
    )


def _way(episode: Episodes, way: int, images: Pictured) -> tuple[str, list[int]]:
    """The name of a way, and the rows to show: support, -1, queries."""
    sides = []
    for rows, counts in ((episode.support, episode.support_count), (episode.query, episode.query_count)):
        start = int(np.sum(counts[:way]))
        sides.append(rows[start : start + min(PER_CLASS, int(counts[way]))].tolist())
    return images.class_names[int(episode.classes[way])], [*sides[0], -1, *sides[1]]
