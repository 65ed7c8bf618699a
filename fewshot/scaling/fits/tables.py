"""Any CSV, or rows of this project, as columns.

The column `error` is 1 - accuracy if a table holds rows of this project, or has an accuracy and no error.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.files.quoting import quoted
from fewshot.results.conditions import Condition, as_number, conditions, missing_column
from fewshot.scaling.fits.line_files import read_lines
from fewshot.scaling.laws import Floats

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class CurveTable:
    """Lines of a file by column, with their values unchanged."""

    path: Path
    columns: tuple[str, ...]
    lines: tuple[dict[str, Any], ...]
    places: tuple[int, ...] = ()  # of the lines in the file, from 1, if some were omitted

    @staticmethod
    def read(path: Path) -> CurveTable:
        """The table of a .jsonl file of rows, or of a CSV with any other name."""
        lines = [_with_error(line) for line in read_lines(path)]
        return CurveTable(path, tuple(dict.fromkeys(name for line in lines for name in line)), tuple(lines))

    def only(self, condition: str) -> CurveTable:
        """The table of the lines that meet a condition, as `where` reads it; the whole table if it is empty."""
        return self.kept(self.where(condition)) if condition else self

    def kept(self, met: Sequence[bool]) -> CurveTable:
        """The table of the lines where `met` is true."""
        numbers = [number for number, is_kept in enumerate(met, 1) if is_kept]
        lines, places = (self.lines[number - 1] for number in numbers), map(self.place, numbers)
        return dataclasses.replace(self, lines=tuple(lines), places=tuple(places))

    def where(self, condition: str) -> list[bool]:
        """Which lines meet all parts of a condition such as "Training=1" or "shots<=5,model=ViT". Raises a ValueError
        if none does."""
        parts = self.conditions(condition)
        met = [all(part.holds(line) for part in parts) for line in self.lines]
        if not any(met):
            raise ValueError(f"no line of {self.path} meets {condition!r}")
        return met

    def conditions(self, text: str) -> list[Condition]:
        """The parts of a condition. Raises a ValueError if a column is missing."""
        parts = conditions(text)
        self.need(*(part.column for part in parts))
        return parts

    def need(self, *names: str) -> None:
        """Raises a ValueError if a column is missing; it lists the existing columns."""
        for name in names:
            if name not in self.columns:
                raise missing_column(name, self.columns, str(self.path))

    def numbers(self, name: str) -> Floats:
        """A column as numbers [lines]. A ValueError names the first line without one."""
        return self.converted(name, as_number)

    def converted(self, name: str, read: Any) -> Floats:
        """A column as the numbers [lines] that `read` returns. A ValueError names the first line without one."""
        self.need(name)
        values = [read(line.get(name)) for line in self.lines]
        for number, value in enumerate(values, 1):
            if value is None or not math.isfinite(value):
                raise self.wrong(name, number, "a number", repr(self.lines[number - 1].get(name)))
        return np.array(values, float)

    def positive(self, name: str) -> Floats:
        """A column as numbers above 0 [lines]."""
        values = self.numbers(name)
        self.check(name, values > 0, values, "above 0")
        return values

    def check(self, name: str, good: Flags, values: Floats, wanted: str) -> None:
        """Raises a ValueError for the first line where `good` [lines] is false."""
        if not good.all():
            bad = int(np.flatnonzero(~good)[0])
            raise self.wrong(name, bad + 1, wanted, f"{values[bad]:g}")

    def wrong(self, name: str, number: int, wanted: str, got: str) -> ValueError:
        """The error about a column of line `number`, from 1."""
        return ValueError(
            f"{quoted(name)} of data line {self.place(number)} of {self.path} must be {wanted}, got {got}"
        )

    def groups(self, by: Sequence[str]) -> dict[tuple[str, ...], list[int]]:
        """The places of the lines for every combination of values of these columns, in order of appearance."""
        groups: dict[tuple[str, ...], list[int]] = {}
        for number, line in enumerate(self.lines):
            groups.setdefault(tuple(str(line.get(name, "")) for name in by), []).append(number)
        return groups

    def place(self, number: int) -> int:
        """The place of line `number` in the file, both from 1."""
        return self.places[number - 1] if self.places else number


def _with_error(line: dict[str, Any]) -> dict[str, Any]:
    """The line with 1 - accuracy as its error if it is a row of this project, or has no error."""
    accuracy = as_number(line.get("accuracy"))
    if accuracy is not None and ("run_id" in line or "error" not in line):
        return line | {"error": 1 - accuracy}
    return line
