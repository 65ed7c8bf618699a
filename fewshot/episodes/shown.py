"""Images and episodes as HTML for notebooks: small pictures, bounded in number, names escaped."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Protocol
from weakref import WeakValueDictionary

from fewshot.episodes.labelled import Labelled

if TYPE_CHECKING:
    from PIL.Image import Image

CLASSES, PER_CLASS = 8, 5  # shown at most
_SIDE, _QUALITY = 56, 70  # pixels and JPEG quality of a picture
_LONGEST = 60  # characters of a name


Way = tuple[int, list[int], list[int]]  # its label, the rows of its support, the rows of its queries


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


def images_in_memory(digest: str) -> Pictured | None:
    """The images with this digest, if they are in memory."""
    return _IMAGES.get(digest)


def episode_html(title: str, images: Pictured, ways: Sequence[Way]) -> str:
    """Pictures of the ways of an episode: support, then queries after a bar."""

    def show(row: int) -> str:
        return images.thumbnail(row) if row >= 0 else " | "

    lines = [
        (images.class_names[label], [*support[:PER_CLASS], -1, *query[:PER_CLASS]])
        for label, support, query in ways[:CLASSES]
    ]
    return pictures(f"{title} – support | queries of the first:", lines, show, len(ways) - len(lines), "classes")
