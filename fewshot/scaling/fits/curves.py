"""Curves of a table: what falls over a resource, one curve for every combination of values of some columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewshot.scaling.fits.metrics import ACCURACY, Scores, rise, scores
from fewshot.scaling.fits.tables import CurveTable, Flags
from fewshot.scaling.laws import Floats, Points

_RISES = 0.8  # rank correlation with x from which a curve is refused; what rises less is fitted and not trusted


@dataclass(frozen=True, eq=False)
class Curve:
    """The points of one curve: those to fit, and the rest to predict."""

    key: dict[str, str]  # the values of the columns that tell curves apart
    points: Points
    rest_x: Floats
    rest_errors: Floats
    n_repeated: int  # lines left out of the fit because an equal point is in it
    seeds: Floats | None = None  # [S, n]: the errors of each seed, where `points` are their means
    scores: Scores | None = None  # the column that its errors come from

    @property
    def name(self) -> str:
        """Its key in one line, or "all"."""
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
    """The curves of a table, in order of appearance: y over x, one for every combination of values of the columns `by`,
    with the lines that meet `fit_where` to be fitted (all, where it is empty). Repeated equal points count once. With a
    column `seeds` the points are means over seeds, each of which has every x once. `metric` says what y is, "accuracy",
    "error" or "loss", where its name and its values do not. A ValueError for a curve that rises."""
    table.need(x, y, *by, *([seeds] if seeds else []))
    xs, groups = table.positive(x), table.groups(by)
    read = scores(table, y, [(xs[rows], rows) for rows in groups.values()], metric)
    fitted = np.array(table.where(fit_where) if fit_where else [True] * len(xs))
    found = []
    for key, rows in groups.items():
        curve = _curve(dict(zip(by, key, strict=True)), xs[rows], read.falling[rows], fitted[rows], read)
        if seeds:
            names = np.array([str(table.lines[row].get(seeds, "")) for row in rows])
            curve = _over_seeds(curve, *(each[fitted[rows]] for each in (xs[rows], read.falling[rows], names)))
        check_fall(curve.name, x, curve.points.x, curve.points.errors, read)
        found.append(curve)
    return found


def check_fall(name: str, x: str, sizes: Floats, values: Floats, read: Scores) -> None:
    """A ValueError where what should fall rises with x, which a law would extrapolate without end."""
    if rise(sizes, values) >= _RISES:
        what, other = ("accuracy falls", "error") if read.metric == ACCURACY else (f"{read.metric} rises", "accuracy")
        raise ValueError(
            f"the {what} with {x!r} on the curve {name}, so no scaling law describes it; if {read.column!r} is an "
            f"{other}, say so with --metric {other}, else leave the curve out with --where"
        )


def _curve(key: dict[str, str], x: Floats, errors: Floats, fitted: Flags, read: Scores) -> Curve:
    if not fitted.any():
        raise ValueError(f"no point of the curve {' '.join(key.values()) or 'all'} is to be fitted")
    kept = dict.fromkeys(zip(x[fitted].tolist(), errors[fitted].tolist(), strict=True))
    points = np.array(sorted(kept))
    repeated = int(fitted.sum()) - len(points)
    fit = Points(points[:, 0], points[:, 1], np.ones(len(points)), read.most)
    return Curve(key, fit, x[~fitted], errors[~fitted], repeated, scores=read)


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
    points = Points(sizes, matrix.mean(0), np.ones(len(sizes)), curve.points.most)
    return dataclasses.replace(curve, points=points, n_repeated=0, seeds=matrix)
