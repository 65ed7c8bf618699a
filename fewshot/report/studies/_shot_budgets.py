"""Learners that were measured at several nested shots, from rows, with the labels that target accuracies need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fewshot.report.rows.contenders import contender
from fewshot.report.rows.selection_budgets import is_oracle
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import Task, accuracy, measured
from fewshot.report.tables.task_table import one_a_shot
from fewshot.results.asked import asked
from fewshot.results.row import Row
from fewshot.scaling.fits.curves import Curve
from fewshot.scaling.fits.label_budget import Budget, Need, budget_laws, budgets
from fewshot.scaling.laws import Law, Points, named

TARGET = 0.9  # accuracy, for every learner
_FEWEST = 3  # shots of a curve
_MOST_OF_TASK, _MOST_CURVES = 24, 240  # learners that are fitted, of a task and of a page
_ROUND = (*(n / 100 for n in range(5, 100, 5)), 0.99)  # the first of these that was not reached is asked too
Learner = tuple[str, tuple[Row, ...]]  # the title of its task, and its rows, the fewest shots first


@dataclass(frozen=True, eq=False)
class ShotCurve:
    """A learner's rows at n nested shots, the fewest first, and the labels that its targets need."""

    task: str
    name: tuple[str, str]  # backbone, and transform with evaluator
    number: int  # of the contender on the page
    rows: tuple[Row, ...]  # [n]
    budgets: tuple[Budget, ...]  # a target each, TARGET first

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
        """The law that misses the shots held back least; a power law where none was tested."""
        tested = [need for need in self.budgets[0].needs if need.trust.n_held]
        if not tested:
            return named("M1").fit(self.curve.points.x, self.curve.points.errors).law
        return min(tested, key=lambda need: need.trust.miss).fit.law


class ShotCurves(NamedTuple):
    """Learners with at least three nested shots, task by task."""

    curves: list[ShotCurve]
    flawless: list[str]  # the names of those left out because they made no error at some shots
    n_others: int  # left out because there are too many


def shot_curves(shown: Shown) -> ShotCurves:
    """The most accurate learners of each task, fitted."""
    usable: list[Learner] = []
    flawless: list[Learner] = []
    every = list(_learners(shown))
    kept = _most_accurate(every)
    for title, own in kept:
        (usable if all(accuracy(row) < 1 for row in own) else flawless).append((title, own))
    answers = _answers([_curve(title, own) for title, own in usable], [_targets(own) for _, own in usable])
    found = [
        ShotCurve(title, shown.name(own[0]), shown.number(own[0]), own, tuple(of_curve))
        for (title, own), of_curve in zip(usable, answers, strict=True)
    ]
    names = [f"{shown.name(own[0]).whole}, {title}" for title, own in flawless]
    return ShotCurves(found, names, len(every) - len(kept))


def _most_accurate(learners: Sequence[Learner]) -> list[Learner]:
    """At most 24 of each task, those with the highest accuracies at any shot, and at most 240 in all, in their order: a
    fit takes time."""
    places: dict[str, list[int]] = {}
    for place, (title, _) in enumerate(learners):
        places.setdefault(title, []).append(place)
    highest = [max(map(accuracy, own)) for _, own in learners]
    kept = [
        place
        for of_task in places.values()
        for place in sorted(sorted(of_task, key=lambda place: -highest[place])[:_MOST_OF_TASK])
    ]
    return [learners[place] for place in kept[:_MOST_CURVES]]


def _learners(shown: Shown) -> Iterator[Learner]:
    """The rows of each learner on each task, the fewest shots first, behind the task's title."""
    for task in shown.tasks:
        for own in _groups(task):
            for held in one_a_shot(own):
                if len(held) >= _FEWEST:
                    yield task.title, tuple(sorted(held.values(), key=lambda row: row.k_shot or 0))


def _groups(task: Task) -> list[list[Row]]:
    """The nested rows of a task by learner: contender and weights."""
    found: dict[tuple[object, str], list[Row]] = {}
    for row in filter(_nested, task.rows):
        found.setdefault((contender(row), row.weights_digest), []).append(row)
    return list(found.values())


def _nested(row: Row) -> bool:
    fixed = bool(row.k_shot) and not row.k_shot_at_most and bool(asked(row).sampler.declares("nests_shots"))
    return fixed and measured(row) and not is_oracle(row)


def _curve(title: str, rows: Sequence[Row]) -> Curve:
    shots, errors = np.array([row.k_shot for row in rows], float), np.array([1 - accuracy(row) for row in rows])
    return Curve({"task": title}, Points(shots, errors, np.ones_like(errors)), np.array([]), np.array([]), 0)


def _targets(rows: Sequence[Row]) -> tuple[float, ...]:
    """What to ask of a learner: the usual target, and the nearest round one that it did not reach."""
    highest = max(map(accuracy, rows))
    return tuple(dict.fromkeys((TARGET, *[target for target in _ROUND if target > highest][:1])))


def _answers(curves: Sequence[Curve], targets: Sequence[Sequence[float]]) -> list[list[Budget]]:
    """The budgets of every curve, by the usual laws; by the power law alone where the shots are too few for them."""
    usual = budget_laws()
    fewest = min(named(name).fewest_points() for name in usual)
    answers: list[list[Budget]] = [[] for _ in curves]
    for laws, few in ((usual, False), (("M1",), True)):
        own = [number for number, curve in enumerate(curves) if (len(curve.points.x) < fewest) == few]
        found = budgets([curves[n] for n in own], [targets[n] for n in own], laws)
        for number, of_curve in zip(own, found, strict=True):
            answers[number] = of_curve
    return answers
