"""Shots and label budgets: error over nested shots with its laws, and the labels that targets need."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fewshot.report.figures.plots import Plot
from fewshot.report.rows.tasks import accuracy
from fewshot.report.studies import SectionTable, Study, StudyRows
from fewshot.report.studies._shot_budgets import TARGET, ShotCurve, ShotCurves, shot_curves
from fewshot.scaling.fits.label_budget import Budget, budget_laws
from fewshot.scaling.fits.trust import FARTHEST
from fewshot.scaling.laws import named

_MANY = 100_000  # labels that are written as a power of ten
MOST_TASKS, _MOST_TITLES = 4, 12  # figures, and tasks without one that are named


@dataclass(frozen=True)
class Shots(Study[ShotCurves]):
    """Labels per class that a target accuracy needs, by several laws. For every learner with at least three nested
    shots: 90 %, and the nearest round accuracy that it did not reach; `fewshot scaling budget` asks for any other."""

    title: ClassVar[str] = "Shots and label budget"
    place: ClassVar[int] = 10
    needs: ClassVar[str] = (
        "rows of one learner at 3 or more nested shots, such as those of `fewshot bench shot_scaling`"
    )

    def find(self, rows: StudyRows) -> ShotCurves | None:
        found = shot_curves(rows.shown)
        return found if found.curves or found.flawless else None

    def text(self, found: ShotCurves) -> str:
        fewest = min(named(name).fewest_points() for name in budget_laws()) + 2  # to hold two back
        return (
            "Error over nested shots of one seed, and how many labels per class a target accuracy needs. Each learner "
            "is fitted by several laws, and again without its largest shots. The laws that predict these, and those "
            "whose answer lies among the measured shots, make the bracket: it shows how far laws disagree and is not a "
            f"confidence interval. Plan with it up to {FARTHEST:g} times the largest shot; beyond that a target is out "
            f"of reach, and its bracket is unreliable. With fewer than {fewest} different shots no law is tested, and "
            "there is no answer beyond the measured shots."
        )

    def tables(self, found: ShotCurves) -> Sequence[SectionTable]:
        return _tables(found.curves)

    def remarks(self, found: ShotCurves) -> Sequence[str]:
        labels = any(row.n_labels_selection for each in found.curves for row in each.rows)
        remarks = (
            _without_figure(found.curves),
            f"Left out, because an error of 0 has no logarithm: {'; '.join(found.flawless)}." if found.flawless else "",
            f"{found.n_others} less accurate learners, or of further tasks, are not fitted." if found.n_others else "",
            "Labels used to choose hyperparameters are not counted." if labels else "",
        )
        return [*filter(None, remarks)]

    def plots(self, found: ShotCurves) -> Sequence[Plot]:
        from fewshot.report.studies._shots_plot import shot_plots

        return shot_plots(found.curves, MOST_TASKS)

    def values(self, found: ShotCurves) -> Any:
        return [_values(each) for each in found.curves]


def _without_figure(curves: Sequence[ShotCurve]) -> str:
    """Which tasks have no figure; "" where all have one."""
    titles = list(dict.fromkeys(each.task for each in curves))[MOST_TASKS:]
    more = f"; and {len(titles) - _MOST_TITLES} more" if len(titles) > _MOST_TITLES else ""
    return f"No figure, only in the table: {'; '.join(titles[:_MOST_TITLES])}{more}." if titles else ""


def answer(found: Budget) -> str:
    """The labels that a target needs, and how far that may be trusted, in few words."""
    end = FARTHEST * float(found.curve.points.x.max())
    if found.reached is not None:
        return f"reached at {found.reached:g}"
    if found.bracket is None:
        return f"no answer: {_why_none(found)}"
    low, high = found.bracket
    by = f"{len(found.counted)} of {len(found.needs)} laws"
    if low > end:
        return f"out of reach: beyond {end:g} ({_span(found)}, by {by})"
    return f"{_span(found)}, by {by}" + (f"; beyond {end:g} unreliable" if high > end else "")


def _span(found: Budget) -> str:
    """The bracket in whole labels: a lower bound where one law makes it, or where one of them never gets there."""
    low, high = found.bracket or (math.nan, math.nan)
    least = _whole(low)
    if math.isinf(high) or len(found.counted) == 1:
        return f"at least {least}"
    most = _whole(high)
    return least if least == most else f"{least} to {most}"


def _whole(labels: float) -> str:
    return f"{math.ceil(labels - 1e-9)}" if labels < _MANY else f"{labels:.0e}"


def _why_none(found: Budget) -> str:
    if found.counted:
        return "the laws that predict the largest shots never reach it"
    tested = any(need.trust.n_held for need in found.needs)
    return "no law predicts the largest shots" if tested else f"{len(found.curve.points.x)} shots test no law"


def _tables(found: Sequence[ShotCurve]) -> tuple[SectionTable, ...]:
    """A table a task."""
    titles = dict.fromkeys(each.task for each in found)
    usual = f"labels per class for {100 * TARGET:g} %"
    columns = ("backbone", "head", "measured", usual, "labels for the nearest round target")
    return tuple(
        SectionTable(
            f"Labels per class needed for a target accuracy, by law: {title}.",
            columns,
            tuple(_line(each) for each in found if each.task == title),
        )
        for title in titles
    )


def _line(each: ShotCurve) -> tuple[str, ...]:
    usual, *nearest = each.budgets
    best = max(each.rows, key=accuracy)
    there = f"{100 * accuracy(best):.1f} % at {best.k_shot}"
    more = [f"{100 * b.target:g} %: {answer(b)}" for b in nearest if answer(b) != answer(usual)]
    return (*each.name, there, answer(usual), "".join(more))


def _values(each: ShotCurve) -> dict[str, Any]:
    backbone, head = each.name
    about = {"task": each.task, "backbone": backbone, "head": head, "run_ids": [row.run_id for row in each.rows]}
    budgets = [{name: value for name, value in budget.values().items() if name != "curve"} for budget in each.budgets]
    return about | {"budgets": budgets}
