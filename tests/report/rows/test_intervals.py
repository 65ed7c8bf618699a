"""Tables say what every interval is for, and why one is missing; further measures and draws stand beside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fewshot.commands._results import run_table
from fewshot.report import page
from fewshot.report.rows import intervals, measured
from fewshot.report.rows.headline import scope
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.support_draws import Draws
from fewshot.report.rows.tasks import tasks
from fewshot.report.rows.wording import details
from fewshot.report.tables.overview import overview
from fewshot.report.tables.task_table import comparison, markdown
from fewshot.results.row import Row
from tests.support.report_rows import EVIL, row

SHARED = "the episodes share images; draw them with DisjointPools"
NO_NEW_IMAGES = 'No interval for new images: episodes share images. Use --sampler "DisjointPools()".'
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
    assert "[ ]: 95 % interval for new classes." in table.notes
    assert NO_NEW_IMAGES in table.notes
    assert "draws" not in " ".join(table.notes)
    assert r"\[70.1, 86.2\]" in markdown(Shown.of([row(0.8, **NEW)]))


def test_rows_of_an_older_release_have_no_brackets_and_no_note_about_them():
    [table] = comparison(Shown.of([row()]))
    assert table.lines[0].cells[0].further == ""
    assert not any("[ ]" in note or "No interval" in note for note in table.notes)
    [table] = comparison(Shown.of([row(**NEW), row(0.7, backbone="RawPixels(image_size=8)")]))
    assert [line.cells[0].further for line in table.lines] == ["[70.1, 86.2]", "[–]"]
    assert "No interval in some cells for new classes: an older release made the run." in table.notes


def test_groups_are_named_where_episodes_draw_groups():
    [table] = comparison(Shown.of([row(0.8, **(NEW | {"new_classes_unit": "groups (superclass)"}))]))
    assert "[ ]: 95 % interval for new groups (superclass)." in table.notes


def test_all_way_draws_have_their_median_their_range_and_every_one():
    [table] = comparison(Shown.of([row(0.8, **ALL_WAY)]))
    [line] = table.draws
    assert (line.median, line.points) == ("80.0 (70.0 to 90.0)", "75.0, 80.0, 85.0, 70.0, 90.0")
    assert "The range of 5 draws covers the median of all draws with 93.75 % confidence." in table.draws_caption
    assert any(note.startswith("[ ]: 95 % interval for new draws (another support") for note in table.notes)
    assert "No interval for new classes: every episode holds all classes." in table.notes
    cell = table.lines[0].cells[0]
    assert (cell.text, cell.further) == ("80.0", "[72.0, 88.0]")  # ± for these images may be wider: another quantile
    assert table.caption.startswith("Accuracy in %.")
    assert "75.0, 80.0, 85.0, 70.0, 90.0" in markdown(Shown.of([row(0.8, **ALL_WAY)]))


@pytest.mark.parametrize("draws", ["", "0.5", "a b", "nan 0.5", EVIL])
def test_what_is_no_list_of_draws_is_none(draws):
    assert Draws.of(row(draws=draws)) is None


@pytest.mark.parametrize(
    ("draws", "damaged"), [("", False), ("0.5", False), ("a b", True), ("nan 0.5", True), (EVIL, True)]
)
def test_damaged_draws_are_a_sentence_in_the_report(draws, damaged):
    rows = [row(0.8, **ALL_WAY), row(0.7, evaluator="LinearProbe()", **(ALL_WAY | {"draws": draws}))]
    sentence = f"Draws are not shown for run {rows[1].run_id}: the column 'draws' is not a list of numbers."
    shown = Shown.of(rows)
    assert (sentence in comparison(shown)[0].notes) is damaged
    assert (sentence.replace("'", "&#39;") in page(shown, None, "draws")) is damaged
    assert (sentence in run_table(shown)) is damaged


def test_the_console_names_every_interval_and_every_reason():
    text = run_table(Shown.of([row(0.8, **NEW, measures=MEASURES), row(0.8, **ALL_WAY)]))
    for sentence in (
        "new classes: 95 % interval for new classes",
        "new draws: 95 % interval for new draws",
        NO_NEW_IMAGES,
        "No interval in some cells for new classes: every episode holds all classes.",
        "median 80.0 (70.0 to 90.0) of 75.0, 80.0, 85.0, 70.0, 90.0",
        "16.7 cat",
        "40.0 [30.0, 50.0]",
        "1.37 [1.33, 1.40]",
        "33.9",
    ):
        assert sentence in text


def test_episode_noise_is_named_if_it_widens_an_interval():
    note = "82 % of the new-class variance is episode noise; more episodes will narrow the interval."
    few = row(0.8, **NEW, new_classes_monte_carlo=0.82)
    assert note in comparison(Shown.of([few]))[0].notes
    assert note in run_table(Shown.of([few]))
    assert "episode noise" not in run_table(Shown.of([row(0.8, **NEW, new_classes_monte_carlo=0.2)]))


def test_one_episode_says_why_it_has_no_interval():
    one = row(0.8, None, n_episodes=1, accuracy_reason="one episode has no spread")
    note = "No interval for these images: there is one episode. Run more episodes."
    assert note in run_table(Shown.of([one]))
    assert note in comparison(Shown.of([one]))[0].notes


def test_hovering_and_first_sentences_name_them_too():
    assert "95 % interval for new classes [70.1, 86.2] %" in details(row(**NEW))
    assert "[ ]: 95 % interval for new classes." in scope(Shown.of([row(**{**NEW, "n_classes": 40})]))
    assert "[ ]" not in scope(Shown.of([row(**{**NEW, "n_classes": 8})])), "the ranking's are for these images"
    assert "and ± 8.1 for new classes." in overview(Shown.of([row(**NEW)]))


def test_measures_that_are_missing_are_a_dash_with_its_reason():
    rows = [
        row(
            0.8, **NEW, measures=MEASURES | {"ranking_reason": "logits were not kept: they would take more than 64 MiB"}
        )
    ]
    [task] = tasks(rows)
    table = measured.measures(task, Shown.of(rows))
    assert table is not None
    assert [value.text for value in table.lines[0].values][-2:] == ["–", "–"]
    assert table.notes[-1].startswith("No AUROC and average precision: logits were not kept")
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
