"""The sections of the report, one file each. To add a section, add a file that holds `SECTION`.

A section has a place, a function from rows to pieces, and a template: HTML that uses the values of a piece.
`page.html.j2` joins the pieces; `macros.html.j2` holds what templates share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from fewshot.report.comparisons.benchmark_ranking import BenchmarkRanking
from fewshot.report.comparisons.ranking import Ranking
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.typed import quoted
from fewshot.results.collections import Collection
from fewshot.results.files import Results
from fewshot.results.row import Row

if TYPE_CHECKING:
    from fewshot.datasets import LabelledImages


@dataclass(frozen=True)
class Sources:
    """What a section may read beside the rows: their file with its predictions (None: not available), the images of a
    row, if fewshot may read them (rows/images.py), the rankings of the rows, and those of benchmarks."""

    results: Results | None
    load: Callable[[Row], LabelledImages]
    rankings: tuple[Ranking, ...]
    benchmarks: tuple[BenchmarkRanking, ...] = ()

    @property
    def listing(self) -> str:
        """The command that prints all rows, also those that the report leaves out."""
        files = self.results.files if isinstance(self.results, Collection) else (self.results,)
        names = ["FILE" if file is None else quoted(file.path.name) for file in files]
        return " ".join(["fewshot results list", *names])


@dataclass(frozen=True)
class Piece:
    """A part of the report: its heading and the values for the template of its section. `contents`: the words of the
    first piece in the list of sections, if they are not its heading."""

    title: str
    values: Mapping[str, Any]
    contents: str = ""


@dataclass(frozen=True)
class Section:
    """A section of the report. Sections stand in the order of `place`. A section has no pieces if the rows have nothing
    for it."""

    place: int
    pieces: Callable[[Shown, Sources], Iterable[Piece]]
    template: str


@cache
def sections() -> Mapping[str, Section]:
    """The sections of this folder by the names of their files, from top to bottom."""
    names = sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))
    every: dict[str, Section] = {name: import_module(f"{__name__}.{name}").SECTION for name in names}
    return dict(sorted(every.items(), key=lambda item: item[1].place))
