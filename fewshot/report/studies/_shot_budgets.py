"""Learners at several nested shots, from rows, with the labels that target accuracies need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fewshot.report.rows.contenders import contender
from fewshot.report.rows.selection_budgets import is_oracle
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import Task, accuracy, measured
from fewshot.report.tables.task_table import one_per_shot
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of
from fewshot.scaling.fits.curves import Curve
from fewshot.scaling.fits.label_budget import Budget, Need, budget_laws, budgets
from fewshot.scaling.laws import Law, Points, named

TARGET = 0.9  # accuracy, for every learner
_FEWEST = 3  # shots of a curve
_MOST_OF_TASK, _MOST_CURVES = 24, 240  # learners that are fitted: of a task, and of a report
_ROUND = (
    *(n / 100 for n in range(5, 100, 5)),
    0.99,
)  # the first of these above the highest accuracy is a second target
Learner = tuple[str, tuple[Row, ...]]  # the title of its task, and its rows, fewest shots first


@dataclass(frozen=True, eq=False)
class ShotCurve:
    """A learner's rows at n nested shots, fewest first, and the labels that its targets need."""

    task: str
    name: tuple[str, str]  # backbone, and transform with evaluator
    number: int  # of the contender in the report
    rows: tuple[Row, ...]  # [n]
    budgets: tuple[Budget, ...]  # one per target, TARGET first

    @property
    def curve(self) -> Curve:
        """Errors [n] over shots [n]."""
        return self.budgets[0].curve

    @property
    def trusted(self) -> tuple[Need, ...]:
        """The fitted laws that predict the largest shots from the others."""
        return tuple(need for need in self.budgets[0].needs if need.trust.trusted)

    @property
    def law(self) -> Law:
        """The law that misses the held-back shots least; a power law if none was tested."""
        tested = [need for need in self.budgets[0].needs if need.trust.n_held]
        if not tested:
            return named("M1").fit(self.curve.points.x, self.curve.points.errors).law
        return min(tested, key=lambda need: need.trust.miss).fit.law


class ShotCurves(NamedTuple):
    """Learners with three nested shots or more, task by task."""

    curves: list[ShotCurve]
    flawless: list[str]  # names of learners that were omitted because they made no error at some shots
    n_others: int  # learners that were omitted because there are too many


def shot_curves(shown: Shown) -> ShotCurves:
    """The most accurate learners of each task, with their fits."""
    usable: list[Learner] = []
    flawless: list[Learner] = []
    every = list(_learners(shown))
    kept = _most_accurate(every)
    for title, own in kept:
        (usable if all(accuracy(row) < 1 for row in own) else flawless).append((title, own))
    answers = _budgets([_curve(title, own) for title, own in usable], [_targets(own) for _, own in usable])
    curves = [
        ShotCurve(title, shown.name(own[0]), shown.number(own[0]), own, tuple(answer))
        for (title, own), answer in zip(usable, answers, strict=True)
    ]
    names = [f"{shown.name(own[0]).whole}, {title}" for title, own in flawless]
    return ShotCurves(curves, names, len(every) - len(kept))


def _most_accurate(learners: Sequence[Learner]) -> list[Learner]:
    """The learners with the highest accuracies at any shot, in their order: at most 24 per task and 240 in all, because
    fits take time."""
    places: dict[str, list[int]] = {}
    for place, (title, _) in enumerate(learners):
        places.setdefault(title, []).append(place)
    highest = [max(map(accuracy, own)) for _, own in learners]
    kept = [
        place
        for own in places.values()
        for place in sorted(sorted(own, key=lambda place: -highest[place])[:_MOST_OF_TASK])
    ]
    return [learners[place] for place in kept[:_MOST_CURVES]]


def _learners(shown: Shown) -> Iterator[Learner]:
    """The title of a task and the rows of a learner, fewest shots first, for each task and learner."""
    for task in shown.tasks:
        for own in _groups(task):
            for rows in one_per_shot(own):
                if len(rows) >= _FEWEST:
                    yield task.title, tuple(sorted(rows.values(), key=lambda row: row.k_shot or 0))


def _groups(task: Task) -> list[list[Row]]:
    """The nested rows of a task, by contender and weights."""
    groups: dict[tuple[object, str], list[Row]] = {}
    for row in filter(_nested, task.rows):
        groups.setdefault((contender(row), row.weights_digest), []).append(row)
    return list(groups.values())


def _nested(row: Row) -> bool:
    fixed = bool(row.k_shot) and not row.k_shot_at_most and bool(specs_of(row).sampler.declares("nests_shots"))
    return fixed and measured(row) and not is_oracle(row)


def _curve(title: str, rows: Sequence[Row]) -> Curve:
    shots, errors = np.array([row.k_shot for row in rows], float), np.array([1 - accuracy(row) for row in rows])
    return Curve({"task": title}, Points(shots, errors, np.ones_like(errors)), np.array([]), np.array([]), 0)


def _targets(rows: Sequence[Row]) -> tuple[float, ...]:
    """The targets of a learner: the usual one, and the nearest round accuracy that it did not reach."""
    highest = max(map(accuracy, rows))
    return tuple(dict.fromkeys((TARGET, *[target for target in _ROUND if target > highest][:1])))


def _budgets(curves: Sequence[Curve], targets: Sequence[Sequence[float]]) -> list[list[Budget]]:
    """The budgets of every curve, by the usual laws, or by the power law alone if it has too few shots for them."""
    usual = budget_laws()
    fewest = min(named(name).fewest_points() for name in usual)
    answers: list[list[Budget]] = [[] for _ in curves]
    for laws, few in ((usual, False), (("M1",), True)):
        own = [number for number, curve in enumerate(curves) if (len(curve.points.x) < fewest) == few]
        own_budgets = budgets([curves[n] for n in own], [targets[n] for n in own], laws)
        for number, answer in zip(own, own_budgets, strict=True):
            answers[number] = answer
    return answers
