"""Shots and label budgets: error over nested shots with laws, and the labels that target accuracies need."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fewshot.plugins.wording import agreeing, counted
from fewshot.report.figures.plots import Plot
from fewshot.report.rows.tasks import accuracy
from fewshot.report.studies import SectionTable, Study, StudyRows
from fewshot.report.studies._shot_budgets import TARGET, ShotCurve, ShotCurves, shot_curves
from fewshot.scaling.fits.label_budget import Budget, budget_laws
from fewshot.scaling.fits.trust import FARTHEST
from fewshot.scaling.laws import named

_MANY = 100_000  # labels, from which on they are written as a power of ten
MOST_TASKS, _MOST_TITLES = 4, 12  # tasks with a figure, and names of tasks without one


@dataclass(frozen=True)
class Shots(Study[ShotCurves]):
    """Labels per class that a target accuracy needs, by several laws. For every learner with three nested shots or
    more, the targets are 90 % and the nearest round accuracy above its own. `fewshot scaling budget` takes any other
    target."""

    title: ClassVar[str] = "Shots and label budget"
    place: ClassVar[int] = 10
    needs: ClassVar[str] = (
        "rows of one learner at 3 or more nested shots, such as those of `fewshot bench shot_scaling`"
    )

    def find(self, rows: StudyRows) -> ShotCurves | None:
        findings = shot_curves(rows.shown)
        return findings if findings.curves or findings.flawless else None

    def text(self, findings: ShotCurves) -> str:
        fewest = min(named(name).fewest_points() for name in budget_laws()) + 2  # two are held back
        return (
            "How many labels per class does a target accuracy need? Several laws are fitted to the error over nested "
            "shots of one seed, with and without the largest shots.\n"
            "A range of labels spans the laws that predict the largest shots from the others, and those whose answer "
            "lies within the measured shots. It shows how far laws disagree, and is not a confidence interval.\n"
            f"Do not rely on estimates beyond {FARTHEST:g} times the largest shot. With fewer than {fewest} different "
            "shots no law can be tested, so there is no answer beyond the measured shots."
        )

    def tables(self, findings: ShotCurves) -> Sequence[SectionTable]:
        return _tables(findings.curves)

    def remarks(self, findings: ShotCurves) -> Sequence[str]:
        labels = any(row.n_labels_selection for each in findings.curves for row in each.rows)
        remarks = (
            _without_figure(findings.curves),
            _without_error(findings.flawless),
            f"{counted(findings.n_others, 'further learner')} not fitted." if findings.n_others else "",
            "Labels used to choose hyperparameters are not counted." if labels else "",
        )
        return [*filter(None, remarks)]

    def plots(self, findings: ShotCurves) -> Sequence[Plot]:
        from fewshot.report.studies._shots_plot import shot_plots

        return shot_plots(findings.curves, MOST_TASKS)

    def values(self, findings: ShotCurves) -> Any:
        return [_values(each) for each in findings.curves]


def _without_error(names: Sequence[str]) -> str:
    return f"Omitted, because an error of 0 has no logarithm: {'; '.join(names)}." if names else ""


def _without_figure(curves: Sequence[ShotCurve]) -> str:
    """The tasks without a figure; "" if all have one."""
    titles = list(dict.fromkeys(each.task for each in curves))[MOST_TASKS:]
    more = f"; and {len(titles) - _MOST_TITLES} more" if len(titles) > _MOST_TITLES else ""
    return f"In the table only, without a figure: {'; '.join(titles[:_MOST_TITLES])}{more}." if titles else ""


def answer(findings: Budget) -> str:
    """The labels that a target needs, and how far to trust the number, in few words."""
    end = FARTHEST * float(findings.curve.points.x.max())
    if findings.reached is not None:
        return f"reached at {findings.reached:g}"
    if findings.bracket is None:
        return f"no answer: {_why_none(findings)}"
    low, high = findings.bracket
    by = f"{len(findings.counted)} of {len(findings.needs)} laws"
    if low > end:
        return f"out of reach: more than {end:g} ({_span(findings)}, by {by})"
    return f"{_span(findings)}, by {by}" + (f"; beyond {end:g} unreliable" if high > end else "")


def _span(findings: Budget) -> str:
    """The bracket in whole labels; a lower bound if only one law counts, or if one of them never reaches the target."""
    low, high = findings.bracket or (math.nan, math.nan)
    least = _whole(low)
    if math.isinf(high) or len(findings.counted) == 1:
        return f"at least {least}"
    most = _whole(high)
    return least if least == most else f"{least} to {most}"


def _whole(labels: float) -> str:
    return f"{math.ceil(labels - 1e-9)}" if labels < _MANY else f"{labels:.0e}"


def _why_none(findings: Budget) -> str:
    if findings.counted:
        return "the laws that predict the largest shots never reach it"
    n_shots = len(findings.curve.points.x)
    tested = any(need.trust.n_held for need in findings.needs)
    return (
        "no law predicts the largest shots"
        if tested
        else f"{counted(n_shots, 'shot')} {agreeing(n_shots, 'is', 'are')} too few to test a law"
    )


def _tables(findings: Sequence[ShotCurve]) -> tuple[SectionTable, ...]:
    """One table per task."""
    titles = dict.fromkeys(each.task for each in findings)
    usual = f"labels per class for {100 * TARGET:g} %"
    columns = ("backbone", "head", "measured", usual, "labels for the nearest round target")
    return tuple(
        SectionTable(
            f"Labels per class needed for a target accuracy, by law: {title}.",
            columns,
            tuple(_line(each) for each in findings if each.task == title),
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
