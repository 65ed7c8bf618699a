"""Sources and targets: how well networks trained on one data set learn new classes of another, for all pairs of sets.

Transfer has a direction: A may help B without B helping A (Prato et al. 2021, arXiv 2110.06990).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from fewshot.plugins.spec import Spec
from fewshot.scaling.fits.intervals import student_bounds
from fewshot.scaling.studies.protocols import Head, Protocol, Target, unique_names
from fewshot.scaling.studies.trained_rows import TrainedRow, two_rows


@dataclass(frozen=True)
class SourceToTarget:
    """Accuracy on new classes of a target: mean over training seeds with a 95 % t interval."""

    source: str
    target: str
    mean: float
    low: float  # NaN below two seeds
    high: float
    n_seeds: int


@dataclass(frozen=True)
class SourceMatrix:
    """Networks that differ only in the data set they were trained on, under one protocol."""

    network: Spec
    n_params: int
    recipe: Spec
    images: int  # of every source
    head: Head
    n_way: int | None
    k_shot: int
    n_query: int | None
    cells: tuple[SourceToTarget, ...] = ()

    @property
    def task(self) -> str:
        """Ways and shots."""
        return f"{self.n_way}-way {self.k_shot}-shot"

    @property
    def details(self) -> tuple[str | Spec, ...]:
        """What a line of a table omits."""
        return f"{self.n_params:,} weights", self.recipe, f"{self.n_query} queries per class"

    @property
    def sources(self) -> list[str]:
        """The sources, in order of appearance."""
        return list(dict.fromkeys(cell.source for cell in self.cells))

    @property
    def targets(self) -> list[str]:
        """The targets, in order of appearance."""
        return list(dict.fromkeys(cell.target for cell in self.cells))

    def values(self) -> dict[str, object]:
        """Values for JSON."""
        members = {"network": self.network.text, "recipe": self.recipe.text, "head": self.head.text}
        return vars(self) | members | {"cells": [asdict(cell) for cell in self.cells]}

    def cell(self, source: str, target: str) -> SourceToTarget | None:
        """The cell of a source and a target; None if it was not measured."""
        return next((cell for cell in self.cells if (cell.source, cell.target) == (source, target)), None)


@dataclass(frozen=True)
class _Source:
    """A data set that networks were trained on."""

    name: str
    n_classes: int

    @property
    def details(self) -> tuple[str, ...]:
        return (f"{self.n_classes} classes",)


_Scores = dict[tuple[_Source, Target], dict[int, TrainedRow]]  # the row of every training seed


def source_matrices(rows: Iterable[TrainedRow]) -> list[SourceMatrix]:
    """A matrix for every network, recipe, number of images, head and shots that has two sources and two targets or
    more. Uses rows on new classes only."""
    scored = [(row, row.protocol) for row in rows if row.protocol is not None and _on_new_classes(row)]
    groups: dict[SourceMatrix, _Scores] = {}
    for row, protocol in scored:
        cell = groups.setdefault(_empty(row, protocol), {}).setdefault((_source(row), protocol.target), {})
        first = cell.setdefault(row.training_seed, row)
        if first.accuracy != row.accuracy:
            raise two_rows(first, row)
    square = {empty: scores for empty, scores in groups.items() if _is_square(scores)}
    sources = unique_names((source for scores in square.values() for source, _ in scores), lambda source: source.name)
    targets = unique_names((target for scores in square.values() for _, target in scores), lambda target: target.name)
    return [replace(empty, cells=_cells(scores, sources, targets)) for empty, scores in square.items()]


def _is_square(scores: _Scores) -> bool:
    """Whether there are two sources and two targets or more."""
    return all(len(set(side)) > 1 for side in zip(*scores, strict=True))


def _source(row: TrainedRow) -> _Source:
    return _Source(row.source, row.training_classes)


def _on_new_classes(row: TrainedRow) -> bool:
    return row.classes == "novel" and row.accuracy is not None


def _empty(row: TrainedRow, protocol: Protocol) -> SourceMatrix:
    """The matrix of a row, without cells."""
    return SourceMatrix(
        row.network,
        row.n_params,
        row.recipe,
        row.unique_images,
        row.head,
        protocol.target.n_way,
        protocol.k_shot,
        protocol.target.n_query,
    )


def _cells(
    by_pair: _Scores, sources: Mapping[_Source, str], targets: Mapping[Target, str]
) -> tuple[SourceToTarget, ...]:
    cells = []
    for (source, target), by_seed in by_pair.items():
        scores = np.array([row.accuracy for row in by_seed.values()], float)
        names = (sources[source], targets[target])
        cells.append(SourceToTarget(*names, float(scores.mean()), *student_bounds(scores), len(scores)))
    return tuple(cells)
