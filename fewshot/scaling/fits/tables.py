"""Any CSV, or rows of this project, as columns and curves.

A table's `error` is 1 - accuracy where it holds rows of this project, or has an accuracy and no error.
"""

from __future__ import annotations

import dataclasses
import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.scaling.fits.line_files import read_lines
from fewshot.scaling.laws import Floats, Points

Flags = NDArray[np.bool_]
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, eq=False)
class CurveTable:
    """Lines of a file by column, as they were written."""

    path: Path
    columns: tuple[str, ...]
    lines: tuple[dict[str, Any], ...]
    places: tuple[int, ...] = ()  # of the lines in the file, from 1, where some were left out

    @staticmethod
    def read(path: Path) -> CurveTable:
        """The table of a .csv file (any other name is read as CSV too) or of rows in a .jsonl file."""
        lines = [_with_error(line) for line in read_lines(path)]
        return CurveTable(path, tuple(dict.fromkeys(name for line in lines for name in line)), tuple(lines))

    def only(self, condition: str) -> CurveTable:
        """The table of the lines that meet a condition, as `where` reads it; the whole where it is empty."""
        if not condition:
            return self
        places = tuple(place for place, met in enumerate(self.where(condition), 1) if met)
        return dataclasses.replace(self, lines=tuple(self.lines[place - 1] for place in places), places=places)

    def _place(self, number: int) -> int:
        """Where line `number` stands in the file, both from 1."""
        return self.places[number - 1] if self.places else number

    def where(self, condition: str) -> list[bool]:
        """Which lines meet all parts of a condition such as "Training=1" or "shots<=5,model=ViT"; a ValueError where
        none does."""
        parts = [self._part(text) for text in condition.split(",")]
        met = [all(part(line) for part in parts) for line in self.lines]
        if not any(met):
            raise ValueError(f"no line of {self.path} meets {condition!r}")
        return met

    def _part(self, text: str) -> Callable[[dict[str, Any]], bool]:
        match = re.fullmatch(r"\s*([^=<>!]+?)\s*(!=|<=|>=|=|<|>)=?\s*(.*?)\s*", text)
        if not match:
            raise ValueError(f"a condition reads COLUMN=VALUE, with =, !=, <, <=, > or >=, got {text!r}")
        name, sign, wanted = match.groups()
        self.need(name)
        return lambda line: _holds(line.get(name), sign, wanted)

    def need(self, *names: str) -> None:
        """A ValueError where a column is missing; it lists those there are."""
        for name in names:
            if name not in self.columns:
                raise ValueError(f"{self.path} has no column {name!r}; it has: {', '.join(self.columns)}")

    def numbers(self, name: str) -> Floats:
        """A column as numbers [lines]; a ValueError names the line that has none."""
        self.need(name)
        return np.array([self._number(name, number, line) for number, line in enumerate(self.lines, 1)])

    def positive(self, name: str) -> Floats:
        """A column as numbers above 0 [lines]."""
        values = self.numbers(name)
        self.check(name, values > 0, values, "above 0")
        return values

    def check(self, name: str, good: Flags, values: Floats, wanted: str) -> None:
        """A ValueError that names the first line that is not good [lines]."""
        if not good.all():
            bad = int(np.flatnonzero(~good)[0])
            raise ValueError(
                f"{name!r} of data line {self._place(bad + 1)} of {self.path} must be {wanted}, got {values[bad]:g}"
            )

    def groups(self, by: Sequence[str]) -> dict[tuple[str, ...], list[int]]:
        """The places of the lines of every combination of values of these columns, in order of appearance."""
        found: dict[tuple[str, ...], list[int]] = {}
        for number, line in enumerate(self.lines):
            found.setdefault(tuple(str(line.get(name, "")) for name in by), []).append(number)
        return found

    def _number(self, name: str, number: int, line: dict[str, Any]) -> float:
        value = _as_number(line.get(name))
        if value is None or not math.isfinite(value):
            place = self._place(number)
            raise ValueError(f"{name!r} of data line {place} of {self.path} must be a number, got {line.get(name)!r}")
        return value


@dataclass(frozen=True, eq=False)
class Curve:
    """The points of one curve: those to fit, and the rest to predict."""

    key: dict[str, str]  # the values of the columns that it was told apart by
    points: Points
    rest_x: Floats
    rest_errors: Floats
    n_repeated: int  # lines left out of the fit because an equal point is in it
    seeds: Floats | None = None  # [S, n]: the errors of each seed, where `points` are their means

    @property
    def name(self) -> str:
        """Its key in one line, or "all"."""
        return " ".join(self.key.values()) or "all"


def curves(table: CurveTable, x: str, y: str, by: Sequence[str], fit_where: str = "", seeds: str = "") -> list[Curve]:
    """The curves of a table, in order of appearance: y over x, one for every combination of values of the columns `by`,
    with the lines that meet `fit_where` to be fitted (all, where it is empty). Repeated equal points count once. With a
    column `seeds` the points are means over seeds, each of which has every x once."""
    table.need(x, y, *by, *([seeds] if seeds else []))
    xs, errors = table.positive(x), table.numbers(y)
    table.check(y, (errors > 0) & (errors <= 1), errors, "an error in (0, 1]")
    fitted = np.array(table.where(fit_where) if fit_where else [True] * len(xs))
    found = []
    for key, rows in table.groups(by).items():
        curve = _curve(dict(zip(by, key, strict=True)), xs[rows], errors[rows], fitted[rows])
        if seeds:
            names = [str(table.lines[row].get(seeds, "")) for row in rows]
            curve = _over_seeds(
                curve, xs[rows][fitted[rows]], errors[rows][fitted[rows]], np.array(names)[fitted[rows]]
            )
        found.append(curve)
    return found


def _curve(key: dict[str, str], x: Floats, errors: Floats, fitted: Flags) -> Curve:
    if not fitted.any():
        raise ValueError(f"no point of the curve {' '.join(key.values()) or 'all'} is to be fitted")
    kept = dict.fromkeys(zip(x[fitted].tolist(), errors[fitted].tolist(), strict=True))
    points = np.array(sorted(kept))
    repeated = int(fitted.sum()) - len(points)
    return Curve(key, Points(points[:, 0], points[:, 1], np.ones(len(points))), x[~fitted], errors[~fitted], repeated)


def _over_seeds(curve: Curve, x: Floats, errors: Floats, names: NDArray[np.str_]) -> Curve:
    """The curve with the means over seeds as its points, from the errors and the seed of every x."""
    sizes = np.unique(x)
    rows = []
    for name in dict.fromkeys(names.tolist()):
        own = names == name
        if len(x[own]) != len(sizes) or len(np.unique(x[own])) != len(sizes):
            raise ValueError(
                f"seed {name} of the curve {curve.name} has {len(x[own])} lines for {len(sizes)} different x; every "
                "seed needs each x once"
            )
        rows.append(errors[own][np.argsort(x[own])])
    matrix = np.array(rows)
    points = Points(sizes, matrix.mean(0), np.ones(len(sizes)))
    return dataclasses.replace(curve, points=points, n_repeated=0, seeds=matrix)


def _holds(found: Any, sign: str, wanted: str) -> bool:
    left, right = _as_number(found), _as_number(wanted)
    if left is not None and right is not None:
        return _COMPARE[sign](left, right)
    return sign in ("=", "!=") and _COMPARE[sign](str(found), wanted)


def _as_number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):  # text, nothing, an integer beyond all floats
        return None


def _with_error(line: dict[str, Any]) -> dict[str, Any]:
    """The line with 1 - accuracy as its error where it is a row of this project, or has no error."""
    accuracy = _as_number(line.get("accuracy"))
    if accuracy is not None and ("run_id" in line or "error" not in line):
        return line | {"error": 1 - accuracy}
    return line
