"""Sources against targets: how well networks trained on each of several sets learn new classes of each of several sets.

Transfer is directed: what helps there need not help back (Prato et al. 2021, arXiv 2110.06990).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fewshot.scaling.fits.intervals import student_bounds
from fewshot.scaling.studies.trained_rows import head_name, source_name, target_name, trained


@dataclass(frozen=True)
class SourceToTarget:
    """Accuracy on new classes of a target, mean over the seeds of training, with a 95 % t interval over them."""

    source: str
    target: str
    mean: float
    low: float  # NaN below two seeds
    high: float
    n_seeds: int


@dataclass(frozen=True)
class SourceMatrix:
    """Networks that differ in nothing but the set they were trained on, under one protocol."""

    network: str
    n_params: int
    recipe: str
    images: int  # of every source
    head: str
    n_way: int
    k_shot: int
    n_query: int
    cells: tuple[SourceToTarget, ...] = ()

    @property
    def sources(self) -> list[str]:
        """In order."""
        return list(dict.fromkeys(cell.source for cell in self.cells))

    @property
    def targets(self) -> list[str]:
        """In order."""
        return list(dict.fromkeys(cell.target for cell in self.cells))

    def cell(self, source: str, target: str) -> SourceToTarget | None:
        """The entry of a source and a target; None where it was not measured."""
        return next((cell for cell in self.cells if (cell.source, cell.target) == (source, target)), None)


def source_matrices(rows: Sequence[dict[str, Any]]) -> list[SourceMatrix]:
    """One for every network, recipe, number of images and protocol with two sources and two targets or more, of rows on
    new classes of networks that were trained here; a ValueError where there is none."""
    groups: dict[SourceMatrix, dict[tuple[str, str], dict[int, float]]] = {}
    for row in trained(rows):
        if _on_new_classes(row):
            cell = (source_name(row), target_name(str(row["dataset"])))
            seeds = groups.setdefault(_empty(row), {}).setdefault(cell, {})
            seeds[int(row["training_seed"])] = float(row["accuracy"])
    found = [replace(empty, cells=_cells(cells)) for empty, cells in groups.items()]
    square = [matrix for matrix in found if len(matrix.sources) > 1 and len(matrix.targets) > 1]
    if not square:
        raise ValueError(
            "no sources to compare were found: rows of networks that differ only in the set they were trained on "
            "(Pretrained), on new classes of two sets or more, such as those of `fewshot bench adaptation_laws`"
        )
    return square


def _on_new_classes(row: dict[str, Any]) -> bool:
    return row["classes"] == "novel" and row.get("accuracy") is not None and row.get("n_way") is not None


def _empty(row: dict[str, Any]) -> SourceMatrix:
    """The matrix that a row belongs to, without its cells."""
    return SourceMatrix(
        str(row["network"]),
        int(row["n_params"]),
        str(row["recipe"]),
        int(row["unique_images"]),
        head_name(row),
        int(row["n_way"]),
        int(row["k_shot"] or 0),
        int(row["n_query"] or 0),
    )


def _cells(found: dict[tuple[str, str], dict[int, float]]) -> tuple[SourceToTarget, ...]:
    cells = []
    for (source, target), by_seed in found.items():
        scores = np.array(list(by_seed.values()))
        cells.append(SourceToTarget(source, target, float(scores.mean()), *student_bounds(scores), len(scores)))
    return tuple(cells)
