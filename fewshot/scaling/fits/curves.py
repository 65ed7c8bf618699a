"""Curves of a table: errors over a resource, one curve for every combination of values of some columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewshot.files.quoting import quoted
from fewshot.scaling.fits.metrics import ACCURACY, Scores, rise, scores
from fewshot.scaling.fits.tables import CurveTable, Flags
from fewshot.scaling.laws import Floats, Points

_RISES = 0.8  # rank correlation with x, from which on a curve is refused; smaller rises are fitted, not trusted


@dataclass(frozen=True, eq=False)
class Curve:
    """The points of one curve: those to fit, and the rest to predict."""

    key: dict[str, str]  # the values of the columns in which curves differ
    points: Points
    rest_x: Floats
    rest_errors: Floats
    n_repeated: int  # lines omitted from the fit, because it has an equal point
    seeds: Floats | None = None  # [S, n]: the errors of each seed, if `points` are their means
    scores: Scores | None = None  # the column of its errors

    @property
    def name(self) -> str:
        """The key in one line, or "all"."""
        return " ".join(self.key.values()) or "all"


def curves(
    table: CurveTable,
    x: str,
    y: str,
    by: Sequence[str] = (),
    fit_where: str = "",
    seeds: str = "",
    metric: str = "",
) -> list[Curve]:
    """The curves of a table in order of appearance: y over x, one for every combination of values of the columns `by`.

    The lines that meet `fit_where` are fitted (all, if it is empty). Equal points count once. With a column `seeds`,
    the points are means over seeds, and each seed needs every x once. `metric` is "accuracy", "error" or "loss" if the
    name and the values of y do not identify it. Raises a ValueError for a curve that rises.
    """
    table.need(x, y, *by, *([seeds] if seeds else []))
    xs, groups = table.positive(x), table.groups(by)
    read = scores(table, y, [(xs[rows], rows) for rows in groups.values()], metric)
    fitted = np.array(table.where(fit_where) if fit_where else [True] * len(xs))
    result = []
    for key, rows in groups.items():
        curve = _curve(dict(zip(by, key, strict=True)), xs[rows], read.falling[rows], fitted[rows], read)
        if seeds:
            names = np.array([str(table.lines[row].get(seeds, "")) for row in rows])
            curve = _over_seeds(curve, *(each[fitted[rows]] for each in (xs[rows], read.falling[rows], names)))
        check_fall(curve.name, x, curve.points.x, curve.points.errors, read)
        result.append(curve)
    return result


def check_fall(name: str, x: str, sizes: Floats, values: Floats, read: Scores) -> None:
    """Raises a ValueError if values that should fall rise with x, because a law would extrapolate the rise."""
    if rise(sizes, values) >= _RISES:
        trend, other = ("accuracy falls", "error") if read.metric == ACCURACY else (f"{read.metric} rises", "accuracy")
        raise ValueError(
            f"the {trend} with {quoted(x)} on the curve {name}, so no scaling law describes it; if "
            f"{quoted(read.column)} is an {other}, add --metric {other}, else omit the curve with --where"
        )


def _curve(key: dict[str, str], x: Floats, errors: Floats, fitted: Flags, read: Scores) -> Curve:
    if not fitted.any():
        raise ValueError(f"the curve {' '.join(key.values()) or 'all'} has no point to fit; change --fit-where")
    kept = dict.fromkeys(zip(x[fitted].tolist(), errors[fitted].tolist(), strict=True))
    points = np.array(sorted(kept))
    repeated = int(fitted.sum()) - len(points)
    fit = Points(points[:, 0], points[:, 1], np.ones(len(points)), read.most)
    return Curve(key, fit, x[~fitted], errors[~fitted], repeated, scores=read)


def _over_seeds(curve: Curve, x: Floats, errors: Floats, names: NDArray[np.str_]) -> Curve:
    """The curve with means over seeds as its points. `names`: the seed of every x."""
    sizes = np.unique(x)
    rows = []
    for name in dict.fromkeys(names.tolist()):
        own = names == name
        if len(x[own]) != len(sizes) or len(np.unique(x[own])) != len(sizes):
            raise ValueError(
                f"every seed needs each x once, but seed {name} of the curve {curve.name} has {len(x[own])} lines for "
                f"{len(sizes)} different x"
            )
        rows.append(errors[own][np.argsort(x[own])])
    matrix = np.array(rows)
    points = Points(sizes, matrix.mean(0), np.ones(len(sizes)), curve.points.most)
    return dataclasses.replace(curve, points=points, n_repeated=0, seeds=matrix)
