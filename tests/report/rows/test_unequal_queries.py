"""A run whose classes have unequally many queries points to the mean per-class accuracy."""

from __future__ import annotations

import numpy as np
import pytest

from fewshot.episodes.episodes import Episodes
from fewshot.episodes.shape import EpisodeShape
from fewshot.report.rows.wording import notes, unequal_queries
from fewshot.results.columns import RunName
from fewshot.results.row import Row
from fewshot.runs.design import Design
from fewshot.runs.scores import score
from fewshot.samplers.balanced import Balanced
from tests.support.predictions import of_logits
from tests.support.report_rows import row
from tests.support.worlds import labelled

IMAGES = labelled(2, 30)


def scored(*n_queries: int) -> Row:
    """A row of episodes with that many queries of each class; every answer is class 0."""
    rows = [np.flatnonzero(IMAGES.labels == label) for label in range(2)]
    query = np.concatenate([own[1 : 1 + n] for own, n in zip(rows, n_queries, strict=True)])
    episodes = Episodes.from_rows(IMAGES, [[own[0] for own in rows]] * 3, [query] * 3)
    first = of_logits(episodes, [np.tile([5.0, 0.0], (sum(n_queries), 1))] * 3)
    return Row.of(RunName("a"), score([first], Design(IMAGES.class_names, np.arange(2)))[0])


def test_with_unequal_queries_both_numbers_are_given() -> None:
    found = scored(9, 3)
    assert (found.accuracy, found.measures["mean_per_class"]) == (0.75, 0.5)
    text = "classes have unequally many queries: the mean per-class accuracy is 50.0 %"
    assert unequal_queries(found) == text
    assert text in notes([found])


@pytest.mark.parametrize("n_queries", [(5, 5), (1, 1)])
def test_with_equal_queries_there_is_nothing_to_say(n_queries: tuple[int, int]) -> None:
    assert unequal_queries(scored(*n_queries)) == ""


def test_older_rows_say_nothing() -> None:
    assert unequal_queries(row(0.5)) == ""


def test_sampled_episodes_are_equal() -> None:
    episodes = Balanced().sample(IMAGES, np.arange(2), EpisodeShape(2, 1, 7), 0, 0, 5)
    made = of_logits(episodes, [np.random.default_rng(0).normal(size=(14, 2))] * 5)
    assert unequal_queries(Row.of(RunName("a"), score([made], Design(IMAGES.class_names, np.arange(2)))[0])) == ""
