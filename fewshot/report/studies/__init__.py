"""Studies: what rows show together. One file per study, each a frozen dataclass with the name of its file.

A study is a section of the report and a subcommand of `fewshot study`. To add one, add a file that holds a `Study`
(docs/extending.md). What the class declares is read without importing it.
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

Findings = TypeVar("Findings")


@dataclass(frozen=True)
class SectionTable:
    """A table of texts with a caption."""

    caption: str
    columns: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A section of the report: text, one paragraph per line, figures, tables, and remarks."""

    title: str
    text: str
    plots: tuple[Plot, ...] = ()
    tables: tuple[SectionTable, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def paragraphs(self) -> list[str]:
        """The paragraphs of the text."""
        return self.text.split("\n")


@dataclass(frozen=True, eq=False)
class StudyRows:
    """Rows as studies read them, each kind computed when a study first needs it."""

    lines: Sequence[Mapping[str, Any]]  # by column

    @staticmethod
    def of(shown: Shown) -> StudyRows:
        """The rows of a report."""
        rows = StudyRows([{name: getattr(row, name) for name in COLUMNS} for row in shown.done])
        rows.__dict__["shown"] = shown
        return rows

    @staticmethod
    def read(path: Path) -> StudyRows:
        """The last row of each run in a file. Raises a ValueError if a line is not a row."""
        return StudyRows(read_lines(path))

    @cached_property
    def shown(self) -> Shown:
        """All rows, with everything that the report derives from them."""
        try:
            return Shown.of(Row.from_json(json.dumps(line)) for line in self.lines)
        except ValueError as error:
            raise ValueError(
                f"the lines are not rows of fewshot ({error}); give a .jsonl file of `fewshot run` or `fewshot bench`"
            ) from error

    @cached_property
    def trained(self) -> list[TrainedRow]:
        """The rows of networks that fewshot trained."""
        return trained(self.lines)


class Study(ABC, Generic[Findings]):
    """A question that rows answer together. The first sentence of its docstring is the help of its subcommand, and its
    fields are options of it."""

    title: ClassVar[str] = ""  # of its section in the report
    place: ClassVar[int] = 100  # of its section among the sections of studies
    needs: ClassVar[str] = ""  # which rows it needs, for the message if there are none
    options: ClassVar[Mapping[str, str]] = {}  # help texts of its fields

    @abstractmethod
    def find(self, rows: StudyRows) -> Findings | None:
        """What the rows show; None if there are no rows for it. Raises a ValueError if they cannot be read."""

    @abstractmethod
    def text(self, findings: Findings) -> str:
        """What the numbers are and what to conclude, one paragraph per line."""

    @abstractmethod
    def tables(self, findings: Findings) -> Sequence[SectionTable]:
        """The numbers. Tables without lines are not shown."""

    @abstractmethod
    def values(self, findings: Findings) -> Any:
        """The numbers for JSON."""

    def remarks(self, findings: Findings) -> Sequence[str]:
        """What was omitted and why, one sentence each."""
        return ()

    def plots(self, findings: Findings) -> Sequence[Plot]:
        """The figures, for the report."""
        return ()

    def section(self, findings: Findings, with_plots: bool = True) -> Section:
        """The section of the report."""
        tables = tuple(table for table in self.tables(findings) if table.lines)
        plots = tuple(self.plots(findings)) if with_plots else ()
        return Section(self.title, self.text(findings), plots, tables, tuple(self.remarks(findings)))


def sections(shown: Shown) -> list[Section]:
    """The sections of all studies that have rows, in order; at the end, one for each reason why studies failed."""
    rows = StudyRows.of(shown)
    finished: list[Section] = []
    failed: dict[str, list[str]] = {}
    for name in sorted(STUDIES.names(), key=lambda name: (_declared(name, "place"), name)):
        try:
            study: Study[Any] = STUDIES.get(name)()
            findings = study.find(rows)
            if findings is not None:
                finished.append(study.section(findings))
        except ValueError as error:
            failed.setdefault(str(error), []).append(_declared(name, "title"))
    return finished + [_failure(titles, reason) for reason, titles in failed.items()]


def _failure(titles: Sequence[str], reason: str) -> Section:
    """A section that replaces studies which failed for one reason."""
    title = titles[0] if len(titles) == 1 else "Studies that failed"
    which = "" if len(titles) == 1 else f" ({'; '.join(titles)})"
    return Section(title, f"Not shown{which}: {reason}.")


def _declared(name: str, attribute: str) -> Any:
    return STUDIES.signature(name).declared.get(attribute, getattr(Study, attribute))
