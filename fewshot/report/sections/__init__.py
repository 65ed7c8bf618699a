"""The sections of the page, a file each, found here: a new section is one file that holds `SECTION`.

A section says where it stands, what it shows of which rows, and how, as a template: HTML whose names are the values of
a piece. `page.html.j2` puts the pieces one after another; `macros.html.j2` has what templates share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from fewshot.report.rows.shown import Shown
from fewshot.results.files import Results
from fewshot.results.row import Row

if TYPE_CHECKING:
    from fewshot.datasets import LabelledImages


@dataclass(frozen=True)
class Sources:
    """What a section may look into beside the rows: the file that they are from, with its predictions (None: nobody
    gave it), and the images of a row, where fewshot may read them (rows/images.py)."""

    results: Results | None
    load: Callable[[Row], LabelledImages]


@dataclass(frozen=True)
class Piece:
    """A part of the page: its heading and the values that the template of its section names. `label`: what it is, for
    screen readers, where it has no heading."""

    title: str
    values: Mapping[str, Any]
    label: str = ""


@dataclass(frozen=True)
class Section:
    """What may stand on the page. Sections stand in the order of `place`; one that has nothing to say of some rows has
    no pieces."""

    place: int
    pieces: Callable[[Shown, Sources], Iterable[Piece]]
    template: str


@cache
def sections() -> tuple[Section, ...]:
    """The sections of this folder, from top to bottom."""
    names = sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))
    found: list[Section] = [import_module(f"{__name__}.{name}").SECTION for name in names]
    return tuple(sorted(found, key=lambda section: section.place))
