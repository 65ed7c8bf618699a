"""Tables name whom every interval speaks of, and say why there is none; further measures and draws stand beside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fewshot.commands._results import run_table
from fewshot.report.rows import intervals, measured
from fewshot.report.rows.headline import speaks_of
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.support_draws import Draws
from fewshot.report.rows.tasks import tasks
from fewshot.report.rows.wording import details
from fewshot.report.tables.overview import overview
from fewshot.report.tables.task_table import comparison, markdown
from fewshot.results.row import Row
from tests.support.report_rows import EVIL, row

SHARED = "the episodes share images; draw them with DisjointPools"
NEW = {
    "new_classes_low": 0.701,
    "new_classes_high": 0.862,
    "new_classes_unit": "classes",
    "new_images_reason": SHARED,
    "new_draws_reason": "the episodes do not answer all of a test set each",
}
ALL_WAY = {
    "n_way": None,
    "n_query": None,
    "n_episodes": 5,
    "draws": "0.75 0.8 0.85 0.7 0.9",
    "new_draws_low": 0.72,
    "new_draws_high": 0.88,
    "new_classes_unit": "classes",
    "new_classes_reason": "every episode holds every one of the classes",
    "new_images_reason": SHARED,
}
MEASURES = {
    "lowest_class": "cat",
    "lowest_class_accuracy": 0.167,
    "lowest_tenth": 0.4,
    "lowest_tenth_low": 0.3,
    "lowest_tenth_high": 0.5,
    "macro_f1": 0.61,
    "log_loss": 1.372,
    "log_loss_low": 1.331,
    "log_loss_high": 1.4,
    "calibration_error": 0.339,
}


def test_a_table_has_the_interval_for_new_classes_in_brackets_and_says_what_they_are():
    [table] = comparison(Shown.of([row(0.8, **NEW), row(0.7, backbone="RawPixels(image_size=8)", **NEW)]))
    assert [line.cells[0].further for line in table.lines] == ["[70.1, 86.2]", "[70.1, 86.2]"]
    assert "Square brackets: 95 % interval for new classes." in table.caption
    assert f"None for new images of these classes: {SHARED}." in table.caption
    assert "supports" not in table.caption
    assert r"\[70.1, 86.2\]" in markdown(Shown.of([row(0.8, **NEW)]))


def test_rows_of_an_older_release_have_no_brackets_and_nothing_is_said_of_them():
    [table] = comparison(Shown.of([row()]))
    assert table.lines[0].cells[0].further == ""
    assert "racket" not in table.caption
    assert "None for" not in table.caption
    [table] = comparison(Shown.of([row(**NEW), row(0.7, backbone="RawPixels(image_size=8)")]))
    assert [line.cells[0].further for line in table.lines] == ["[70.1, 86.2]", "[–]"]
    assert "None in some cells for new classes: the run was made by an older release." in table.caption


def test_groups_are_named_where_episodes_draw_groups():
    [table] = comparison(Shown.of([row(0.8, **(NEW | {"new_classes_unit": "groups (superclass)"}))]))
    assert "95 % interval for new groups (superclass)." in table.caption


def test_all_way_draws_have_their_median_their_range_and_every_one():
    [table] = comparison(Shown.of([row(0.8, **ALL_WAY)]))
    [line] = table.draws
    assert (line.median, line.points) == ("80.0 (70.0 to 90.0)", "75.0, 80.0, 85.0, 70.0, 90.0")
    assert "the range of 5 draws holds the median of all draws with 93.75 % confidence" in table.draws_caption
    assert "95 % interval for new supports and new images of these classes." in table.caption
    assert "None for new classes: every episode holds every one of the classes." in table.caption
    assert table.lines[0].cells[0].further == "[72.0, 88.0]"
    assert "75.0, 80.0, 85.0, 70.0, 90.0" in markdown(Shown.of([row(0.8, **ALL_WAY)]))


@pytest.mark.parametrize("draws", ["", "0.5", "a b", "nan 0.5", EVIL])
def test_what_is_no_list_of_draws_is_none(draws):
    assert Draws.of(row(draws=draws)) is None


def test_the_console_names_every_interval_and_every_reason():
    said = run_table(Shown.of([row(0.8, **NEW, measures=MEASURES), row(0.8, **ALL_WAY)]))
    for sentence in (
        "new classes: 95 % interval for new classes",
        "new supports: 95 % interval for new supports and new images of these classes",
        f"None for new images of these classes: {SHARED}.",
        "None in some cells for new classes: every episode holds every one of the classes.",
        "median 80.0 (70.0 to 90.0) of 75.0, 80.0, 85.0, 70.0, 90.0",
        "16.7 cat",
        "40.0 [30.0, 50.0]",
        "1.37 [1.33, 1.40]",
        "33.9",
    ):
        assert sentence in said


def test_few_episodes_are_named_as_what_widens_an_interval():
    said = "Of the variance for new classes 82 % is of few episodes: more would narrow it."
    few = row(0.8, **NEW, new_classes_monte_carlo=0.82)
    assert said in comparison(Shown.of([few]))[0].caption
    assert said in run_table(Shown.of([few]))
    assert "few episodes" not in run_table(Shown.of([row(0.8, **NEW, new_classes_monte_carlo=0.2)]))


def test_one_episode_says_why_it_has_no_interval():
    one = row(0.8, None, n_episodes=1, accuracy_reason="one episode has no spread")
    assert "None for other episodes: one episode has no spread." in run_table(Shown.of([one]))
    assert "None for other episodes: one episode has no spread." in comparison(Shown.of([one]))[0].caption


def test_hovering_and_first_sentences_name_them_too():
    assert "for new classes [70.1, 86.2] %" in details(row(**NEW))
    assert speaks_of(Shown.of([row(**NEW)])).endswith("Those in square brackets are for new classes.")
    assert "For new classes they are at most ± 8.1." in overview(Shown.of([row(**NEW)]))


def test_measures_that_are_missing_are_a_dash_with_its_reason():
    rows = [
        row(
            0.8, **NEW, measures=MEASURES | {"ranking_reason": "logits were not kept: they would take more than 64 MiB"}
        )
    ]
    [task] = tasks(rows)
    found = measured.measures(task, Shown.of(rows))
    assert found is not None
    assert [value.text for value in found.lines[0].values][-2:] == ["–", "–"]
    assert "No AUROC and no average precision: logits were not kept" in found.caption
    assert measured.measures(tasks([row()])[0], Shown.of([row()])) is None


def test_a_class_that_strangers_named_stays_on_one_line():
    [name, *_] = measured.values(row(measures={"lowest_class": "a\x1b[31m\n" + "b" * 90, "lowest_class_accuracy": 0.5}))
    assert name.text.isprintable()
    assert len(name.text) < 40


def test_every_kind_of_interval_has_columns_in_a_row():
    for kind in intervals.KINDS:
        full = replace(row(), **{f"{kind.columns}_low": 0.1, f"{kind.columns}_high": 0.2})
        assert isinstance(full, Row)
        assert kind.bounds(full) == (0.1, 0.2)
        assert kind.reason(full) == ""
        assert kind.bounds(replace(full, **{f"{kind.columns}_low": np.nan})) is None
