"""The standard error of a row's accuracy over its own episodes or draws, and where it comes from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from fewshot.plugins.wording import counted
from fewshot.report.rows.dependence import draws_depend, n_independent
from fewshot.report.rows.tasks import accuracy
from fewshot.results.predictions import Predictions
from fewshot.results.row import Row
from fewshot.statistics.interval import THESE_IMAGES
from fewshot.statistics.students_t import quantile
from fewshot.statistics.two_means import Error

NEW_TEST_IMAGES = "new test images"
TestImages = Callable[[Row], int | None]  # that each episode of a row answers; None where they are not known


def n_test_images(predictions: Callable[[Row], Iterator[Predictions]] | None) -> TestImages:
    """A reader of the number of test images that each episode of a row answers, from stored predictions."""

    def of(row: Row) -> int | None:
        try:
            part = None if predictions is None else next(predictions(row), None)
        except ValueError:
            return None
        return None if part is None else len(part.episodes[:1].query)

    return of


def error_of(row: Row, n_test: TestImages) -> tuple[Error, str, str] | None:
    """The error of a row's accuracy, its source in words, and its population; None if a row shows none."""
    draws = [float(value) for value in row.draws.split()]
    if len(draws) > 1:
        depend = draws_depend(row)
        return Error.of_draws(draws, depend), draws_in_words(len(draws), "draw", depend), THESE_IMAGES
    if draws and (count := n_test(row)):
        mean = accuracy(row)
        return Error(math.sqrt(mean * (1 - mean) / count)), f"{count:,} test images", NEW_TEST_IMAGES
    return _of_episodes(row)


def draws_in_words(count: int, noun: str, depend: bool) -> str:
    """Such as "5 draws that depend on each other, counted as 1"."""
    return counted(count, noun) + (" that depend on each other, counted as 1" if depend else "")


def _of_episodes(row: Row) -> tuple[Error, str, str] | None:
    if n_independent(row) < 2 or row.accuracy_low is None or row.accuracy_high is None:
        return None
    half = max(row.accuracy_high - accuracy(row), accuracy(row) - row.accuracy_low)
    freedom = row.n_episodes - 1
    return Error(half / quantile(0.975, freedom), freedom), counted(row.n_episodes, "episode"), row.population
