"""Studies: what rows show together. One file a study, each a frozen dataclass, named as the file.

A study is a section of the report and a subcommand of `fewshot study`. Adding one is adding a file that holds a
`Study`; see `gains.py`. What the class declares is read without importing it.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from fewshot.plugins.registry import STUDIES
from fewshot.report.figures.plots import Plot
from fewshot.report.rows.shown import Shown
from fewshot.results.row import Row
from fewshot.scaling.fits.line_files import read_lines
from fewshot.scaling.studies.trained_rows import COLUMNS, TrainedRow, trained

Found = TypeVar("Found")


@dataclass(frozen=True)
class SectionTable:
    """A table of texts under a caption."""

    caption: str
    columns: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A section of the report: text, figures, tables, and what was left out and why."""

    title: str
    text: str
    plots: tuple[Plot, ...] = ()
    tables: tuple[SectionTable, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class StudyRows:
    """Rows as studies read them, each kind made when a study first asks for it."""

    lines: Sequence[Mapping[str, Any]]  # by column

    @staticmethod
    def of(shown: Shown) -> StudyRows:
        """Rows of the report."""
        made = StudyRows([{name: getattr(row, name) for name in COLUMNS} for row in shown.done])
        made.__dict__["shown"] = shown
        return made

    @staticmethod
    def read(path: Path) -> StudyRows:
        """The last row of each run in a file of rows; a ValueError where a line is none."""
        return StudyRows(read_lines(path))

    @cached_property
    def shown(self) -> Shown:
        """All rows, with what the report derives from them."""
        return Shown.of(Row.from_json(json.dumps(line)) for line in self.lines)

    @cached_property
    def trained(self) -> list[TrainedRow]:
        """Those of networks that were trained here."""
        return trained(self.lines)


class Study(ABC, Generic[Found]):
    """A question that rows answer together. The first sentence of its docstring is the help of its subcommand; its
    fields are options there."""

    title: ClassVar[str] = ""  # of its section
    place: ClassVar[int] = 100  # of its section among the others
    needs: ClassVar[str] = ""  # the rows that it needs, in words
    options: ClassVar[Mapping[str, str]] = {}  # what its fields mean

    @abstractmethod
    def find(self, rows: StudyRows) -> Found | None:
        """What the rows show; None where there are no rows for it, a ValueError where they cannot be read."""

    @abstractmethod
    def text(self, found: Found) -> str:
        """What the numbers are, and what to conclude."""

    @abstractmethod
    def tables(self, found: Found) -> Sequence[SectionTable]:
        """The numbers; a table without lines is not shown."""

    @abstractmethod
    def values(self, found: Found) -> Any:
        """The numbers for JSON."""

    def remarks(self, found: Found) -> Sequence[str]:
        """What was left out and why, a sentence each."""
        return ()

    def plots(self, found: Found) -> Sequence[Plot]:
        """The figures, for the report."""
        return ()

    def section(self, found: Found, with_plots: bool = True) -> Section:
        """The section of the report."""
        tables = tuple(table for table in self.tables(found) if table.lines)
        plots = tuple(self.plots(found)) if with_plots else ()
        return Section(self.title, self.text(found), plots, tables, tuple(self.remarks(found)))


def sections(shown: Shown) -> list[Section]:
    """The sections of all studies that these rows allow, in order; last, one for each reason why studies failed."""
    of_rows = StudyRows.of(shown)
    made: list[Section] = []
    failed: dict[str, list[str]] = {}
    for name in sorted(STUDIES.names(), key=lambda name: (_declared(name, "place"), name)):
        try:
            study: Study[Any] = STUDIES.get(name)()
            found = study.find(of_rows)
            if found is not None:
                made.append(study.section(found))
        except ValueError as error:
            failed.setdefault(str(error), []).append(_declared(name, "title"))
    return made + [_failure(titles, reason) for reason, titles in failed.items()]


def _failure(titles: Sequence[str], reason: str) -> Section:
    """A section in place of studies that failed for one reason."""
    title = titles[0] if len(titles) == 1 else "Studies that failed"
    which = "" if len(titles) == 1 else f" ({'; '.join(titles)})"
    return Section(title, f"Not shown{which}: {reason}.")


def _declared(name: str, attribute: str) -> Any:
    return STUDIES.signature(name).declared.get(attribute, getattr(Study, attribute))
