"""Similarities of the classes of a data set: a square table, as a CSV file.

class,gull,owl,wren
gull,1,0.2,0.4
owl,0.2,1,0.1
wren,0.4,0.1,1
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.datasets import LabelledImages
from fewshot.episodes.flat import Ints
from fewshot.files.csv_files import CsvFile, csv_text
from fewshot.files.quoting import quoted

Floats = NDArray[np.float64]
_ROWS = 4096  # of features in memory at once
_SYMMETRY = 1e-5  # the largest difference between the two numbers of a pair


@dataclass(frozen=True, eq=False)
class ClassSimilarity:
    """Similarities [C, C] of the classes `names`: symmetric, larger means more similar."""

    names: tuple[str, ...]
    values: Floats

    @staticmethod
    def of(images: LabelledImages, rows: Ints, gather: Callable[[Ints], NDArray[Any]]) -> ClassSimilarity:
        """Cosines of the mean features of the classes of these rows, centred on the mean of the class means.

        `gather` returns the features [m, D] of rows [m]; they are divided by their length first."""
        classes, place = np.unique(images.labels[rows], return_inverse=True)
        sums: Any = 0.0
        for start in range(0, len(rows), _ROWS):
            part = slice(start, start + _ROWS)
            unit = _unit(gather(rows[part]).astype(np.float64))
            sums = sums + np.eye(len(classes))[:, place[part]] @ unit
        means = sums / np.bincount(place)[:, None]
        unit = _unit(means - means.mean(0))
        values: Floats = unit @ unit.T
        return ClassSimilarity(tuple(images.class_names[label] for label in classes), values)

    def among(self, images: LabelledImages, classes: Ints, path: Path) -> Floats:
        """[C, C] similarities of these classes; a ValueError names a class that the table lacks."""
        place = {name: row for row, name in enumerate(self.names)}
        wanted = [images.class_names[label] for label in classes]
        absent = [name for name in wanted if name not in place]
        if absent:
            raise ValueError(
                f"{path} lacks {len(absent)} of the {len(wanted)} classes to sample from in {images.name}, "
                f"such as {quoted(absent[0])}; it has classes such as {quoted(self.names[0])}"
            )
        rows = np.array([place[name] for name in wanted])
        values: Floats = self.values[np.ix_(rows, rows)]
        return values

    def to_csv(self) -> str:
        """The text of the table, numbers with six decimals."""
        rounded = np.round((self.values + self.values.T) / 2, 6) + 0.0  # no -0
        rows = ([name, *(f"{value:g}" for value in row)] for name, row in zip(self.names, rounded, strict=True))
        return csv_text([["class", *self.names], *rows])

    @staticmethod
    def read(path: Path) -> ClassSimilarity:
        """The table of a file; a ValueError names the line with an error."""
        try:
            status = os.stat(path)
        except OSError as error:
            raise ValueError(
                f"cannot read the class similarities {str(path)!r}: {error.strerror}; `fewshot features --similarity "
                "FILE` makes such a file"
            ) from error
        return _read(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _unit(vectors: Floats) -> Floats:
    """Vectors divided by their length; zero vectors unchanged."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = vectors / np.where(length > 0, length, 1)
    return unit


@lru_cache(maxsize=8)
def _read(path: Path, *state: int) -> ClassSimilarity:
    """The table, cached for many blocks of episodes until the file changes."""
    file = CsvFile.read(path, "table of class similarities", ("class",), further=None)
    names = list(file.columns)
    if names[0] != "class" or len(names) < 3:
        raise ValueError(
            f"{path} must begin with the line class,<name>,<name>,... of at least two classes, "
            f"found {','.join(names)[:80]!r}"
        )
    if file.columns["class"] != names[1:]:
        raise ValueError(
            f"the first fields of the lines of {path} must be its {len(names) - 1} classes, in their order"
        )
    rows = zip(*(file.columns[name] for name in names[1:]), strict=True)
    values = np.array([[_number(file, row, text) for text in texts] for row, texts in enumerate(rows)])
    other = np.argwhere(abs(values - values.T) > _SYMMETRY)
    if len(other):
        a, b = other[0]
        raise ValueError(
            f"{path} must be symmetric, but has {values[a, b]:g} for {quoted(names[a + 1])}, "
            f"{quoted(names[b + 1])} and {values[b, a]:g} for {quoted(names[b + 1])}, {quoted(names[a + 1])}"
        )
    return ClassSimilarity(tuple(names[1:]), values)


def _number(file: CsvFile, row: int, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise file.error(row, f"similarities must be finite numbers, found {text[:20]!r}")
    return value
