"""Shots and the label budget on a page: error over nested shots with its laws, and the labels that targets need."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fewshot.report.rows.tasks import accuracy
from fewshot.report.studies.shot_budgets import TARGET, ShotCurve, shot_curves
from fewshot.report.studies.shots_plot import shot_plots
from fewshot.report.studies.study import Study, StudyTable
from fewshot.results.files import Row
from fewshot.scaling.fits.label_budget import Budget, budget_laws
from fewshot.scaling.fits.trust import FARTHEST
from fewshot.scaling.laws import named

_MANY = 100_000  # labels that are written as a power of ten


def shot_study(rows: Sequence[Row]) -> Study | None:
    """Figures and a table of every learner that has three nested shots; None where none has."""
    found, flawless = shot_curves(rows)
    if not found and not flawless:
        return None
    plots, not_drawn = shot_plots(found)
    fewest = min(named(name).fewest_points() for name in budget_laws()) + 2  # to hold two back
    labels = any(row.n_labels_selection for each in found for row in each.rows)
    remarks = (
        not_drawn,
        f"Left out, because an error of 0 has no logarithm: {'; '.join(flawless)}." if flawless else "",
        "Labels that hyperparameters were chosen with are not counted." if labels else "",
    )
    return Study(
        "Shots and label budget",
        "Error over nested shots of one seed, and how many labels a class a target accuracy needs. Each learner is "
        "fitted by several laws, and again without its largest shots. The laws that predict these, and those whose "
        "answer lies among the measured shots, make the bracket: it says how far laws disagree, it is no confidence "
        f"interval. Plan with it up to {FARTHEST:g} times the largest shot; a target further out is out of reach, and "
        f"its bracket not to be relied on. With fewer than {fewest} different shots no law is tested and nothing is "
        "said beyond what was measured.",
        plots,
        _tables(found),
        tuple(filter(None, remarks)),
    )


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
    return f"{_span(found)}, by {by}" + (f"; beyond {end:g} not to be relied on" if high > end else "")


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
        return "the laws that predict the largest shots never get there"
    tested = any(need.trust.n_held for need in found.needs)
    return "no law predicts the largest shots" if tested else f"{len(found.curve.points.x)} shots test no law"


def _tables(found: Sequence[ShotCurve]) -> tuple[StudyTable, ...]:
    """A table a task."""
    titles = dict.fromkeys(each.task for each in found)
    usual = f"labels a class for {100 * TARGET:g} %"
    columns = ("backbone", "head", "measured", usual, "labels for the nearest round target")
    return tuple(
        StudyTable(
            f"Labels a class that an accuracy needs, by how many of the laws: {title}.",
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
