"""Draws that depend on each other have no interval of their own, whatever an older release stored in their row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fewshot.report import page
from fewshot.report.comparisons.ranking import rankings
from fewshot.report.rows.errors import error_of
from fewshot.report.rows.intervals import KINDS, meaning
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.support_draws import Draws
from fewshot.report.rows.tasks import interval, overlap
from fewshot.report.rows.wording import details, percent
from fewshot.results.row import Row
from fewshot.runs.design import Design
from fewshot.runs.scores import score
from fewshot.statistics.interval import DEPENDENT_DRAWS
from tests.support.ranked_runs import ranked_runs
from tests.support.report_rows import invented_images, invented_predictions, row

DEPENDENT = "RepeatedPermutation(support_from='partition=train', query_from='partition=test', numpy_seed=42)"
INDEPENDENT = "Balanced(support_from='partition=train', query_from='partition=test')"
STORED = {"n_episodes": 5, "draws": "0.78 0.8 0.81 0.79 0.82", "new_draws_low": 0.7, "new_draws_high": 0.9}


def whole(sampler: str, **columns: object) -> Row:
    """A row of five draws of a whole test set with the bounds that an older release stored."""
    return row(0.8, 0.02, sampler=sampler, n_way=None, k_shot=16, n_query=None, **STORED | columns)


def test_a_row_shows_no_interval_and_says_why() -> None:
    old = whole(DEPENDENT)
    assert interval(old) is None
    assert percent(old) == "80.0"
    assert KINDS[2].bounds(old) is None
    assert f"No interval for these images: {DEPENDENT_DRAWS}." in meaning([old])
    assert f"No interval for new draws: {DEPENDENT_DRAWS}." in meaning([old])
    assert "no interval" in details(old)
    assert (old.accuracy_low, old.accuracy_high) == pytest.approx((0.78, 0.82))  # the row itself stays as it is
    html = page(Shown.of([old]), None, "mine")
    assert "±" not in html.partition('id="where-from"')[0].partition("<main")[2]


def test_independent_draws_keep_their_interval() -> None:
    usual = whole(INDEPENDENT)
    assert percent(usual) == "80.0 ± 2.0"
    assert KINDS[2].bounds(usual) == (0.7, 0.9)
    assert overlap(usual, whole(INDEPENDENT, evaluator="RidgeProbe()"))
    assert not overlap(whole(DEPENDENT), whole(DEPENDENT, evaluator="RidgeProbe()"))


def test_the_range_of_dependent_draws_has_no_known_confidence() -> None:
    one, other = Draws.of(whole(DEPENDENT)), Draws.of(whole(INDEPENDENT))
    assert one is not None
    assert other is not None
    assert "depend on each other" in one.coverage
    assert "93.75 % confidence" in other.coverage


def test_without_a_list_of_draws_they_have_no_error() -> None:
    assert error_of(whole(DEPENDENT, draws="", n_episodes=200), lambda _: None) is None
    assert error_of(whole(INDEPENDENT, draws="", n_episodes=200), lambda _: None) is not None


@pytest.mark.parametrize("with_predictions", [True, False])
def test_no_two_rows_of_dependent_draws_are_tested(with_predictions: bool, tmp_path: Path) -> None:
    heads = {"Prototype()": 0.4, "RidgeProbe()": 0.1}
    rows, results = ranked_runs(tmp_path, heads, n=5, sampler=DEPENDENT)
    [ranking] = rankings(rows, results.predictions if with_predictions else None)
    assert ranking.group == ()
    assert ranking.verdict.endswith(f"was not tested: {DEPENDENT_DRAWS}.")
    assert all(one.difference is None and one.interval is None for one in ranking.standings)


@pytest.mark.parametrize("depend", [True, False])
def test_new_rows_store_the_reason_in_place_of_bounds(depend: bool) -> None:
    images = invented_images(tuple(f"class {c}" for c in range(6)))
    predictions = invented_predictions(images, n_way=6, n=5)
    scored, _ = score([predictions], Design(images.class_names, np.arange(6), draws_depend=depend))
    assert (scored.accuracy_low is None) == depend
    assert (scored.accuracy_high is None) == depend
    assert scored.accuracy_reason == (DEPENDENT_DRAWS if depend else "")
    assert (scored.new_draws_reason == DEPENDENT_DRAWS) == depend
    one = score([predictions[:1]], Design(images.class_names, np.arange(6), draws_depend=depend))[0]
    assert one.accuracy_reason == "one episode has no spread"
