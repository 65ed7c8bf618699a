"""Rows of unequal budgets are compared with a warning in words, and an oracle is never the best."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fewshot.commands._results import chosen_settings, run_table
from fewshot.plugins.registry import EVALUATORS
from fewshot.plugins.short_name import with_values
from fewshot.report.comparisons.verdicts import warnings as unfair
from fewshot.report.rows.headline import findings
from fewshot.report.rows.selection_budgets import warnings
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.wording import notes
from fewshot.report.tables.task_table import comparison, markdown
from tests.support.report_rows import row

PROBE = "LinearProbe(C=1.0, max_iter=100)"
RULE = "Selection(on='{}', grid=(('C', (0.01, 1.0)),), n_episodes=200, seed=0)"
RULE_TO_100 = RULE.format("validation").replace("0.01, 1.0", "1.0, 100.0")
VALIDATED = {
    "evaluator": PROBE,
    "selection": "validation classes",
    "selection_rule": RULE.format("validation"),
    "n_trials": 2,
    "n_labels_selection": 300,
    "chosen": "LinearProbe(C=0.01, max_iter=100)",
}
ORACLE = VALIDATED | {"selection": "test episodes (oracle)", "selection_rule": RULE.format("oracle")}
INSIDE = (
    "CrossValidated(inner=LinearProbe(C=1.0, max_iter=100), grid=(('C', (0.1, 1.0)),), folds=5, criterion='accuracy')"
)


def test_rows_of_equal_budgets_are_compared_without_a_warning():
    assert warnings([row(), row(k_shot=5, evaluator=PROBE)]) == []
    assert warnings([row(**VALIDATED), row(k_shot=5, **VALIDATED)]) == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"selection": "support", "n_labels_selection": 0}, "chosen on support among 2 settings in 1 run"),
        ({"n_trials": 45}, "chosen on validation classes among 45 settings with 300 extra labelled images in 1 run"),
        ({"n_labels_selection": 12_800}, "classes among 2 settings with 12,800 extra labelled images in 1 run"),
        ({"selection": "none", "n_labels_selection": 0}, "as given in 1 run"),
    ],
)
def test_a_difference_in_data_settings_or_labels_is_a_warning(changes, text):
    rows = [row(**VALIDATED), row(k_shot=5, **VALIDATED | changes)]
    [warning] = warnings(rows)
    assert warning.startswith("Budgets to choose hyperparameters differ: chosen on validation classes among 2 settings")
    assert text in warning
    for shown in (run_table(Shown.of(rows)), markdown(Shown.of(rows)), " ".join(comparison(Shown.of(rows))[0].notes)):
        assert warning in shown
    assert any("choose hyperparameters differ" in sentence for sentence in unfair(rows))


def test_other_image_sizes_are_a_warning():
    lite = "Packaged(name='tf_efficientnet_lite0', image_size={})"
    rows = [row(), row(backbone=lite.format(128)), row(backbone=lite.format(None))]
    assert warnings(rows) == ["Image sizes differ: 32 and 128 pixels and a network default."]
    assert warnings(rows[:2]) == ["Image sizes differ: 32 and 128 pixels."]
    assert any("Image sizes differ" in note for note in comparison(Shown.of(rows))[0].notes)


def test_an_oracle_is_never_marked_best_nor_as_good_and_the_table_says_why():
    rows = [row(0.7), row(0.9, **ORACLE), row(0.699, **VALIDATED)]
    [table] = comparison(Shown.of(rows))
    assert [(line.cells[0].best, line.cells[0].tied) for line in table.lines] == [
        (True, False),
        (False, False),
        (False, True),
    ]
    assert "An oracle chose its hyperparameters on the test labels, so it is never marked best." in table.notes
    assert "LinearProbe, C chosen on test episodes (oracle)" in table.lines[1].learner
    [(_, text)] = findings(Shown.of(rows))
    assert "L2 + Prototype is best" in text
    assert "Intervals overlap with 1 other" in text


def test_oracles_alone_have_no_best():
    rows = [row(0.9, **ORACLE)]
    assert not comparison(Shown.of(rows))[0].lines[0].cells[0].best
    assert findings(Shown.of(rows))[0][1] == "Only oracles were measured."


def test_the_same_evaluator_with_and_without_a_choice_has_two_lines_and_two_names():
    lines = comparison(Shown.of([row(evaluator=PROBE), row(**VALIDATED)]))[0].lines
    assert [line.learner for line in lines] == [
        "L2 + LinearProbe(C=1.0)",
        "L2 + LinearProbe, C chosen on validation classes",
    ]
    assert lines[1].title.endswith("1 shot: LinearProbe(C=0.01, max_iter=100)")


def test_two_grids_are_told_apart():
    other = VALIDATED | {"selection_rule": RULE.format("validation").replace("0.01", "0.02")}
    names = {line.learner for line in comparison(Shown.of([row(**VALIDATED), row(**other)]))[0].lines}
    assert len(names) == 2


def test_a_choice_on_the_support_has_a_short_name():
    [line] = comparison(Shown.of([row(evaluator=INSIDE, selection="support", n_trials=2)]))[0].lines
    assert line.learner == "L2 + LinearProbe(C=1.0), C cross-validated"
    assert "chosen on support among 2 settings" in line.notes


def test_what_was_chosen_is_printed_under_the_runs():
    text = run_table(Shown.of([row(**VALIDATED)]))
    assert "raw pixels 32, 5-way 1-shot: LinearProbe(C=0.01) was chosen on validation classes among 2" in text


def test_a_chosen_value_is_printed_also_where_it_is_the_default():
    """One sentence per run, which ends with what is wrong with its grid."""
    trials = {"trial_accuracies": "[[0.5, 0.49, 0.51], [0.7, 0.69, 0.71]]"}
    best = VALIDATED | {"chosen": "LinearProbe(C=100.0, max_iter=100)", "selection_rule": RULE_TO_100} | trials
    [text] = chosen_settings(Shown.of([row(**best)]))
    assert text.startswith("raw pixels 32, 5-way 1-shot: LinearProbe(C=100.0) was chosen on validation classes among 2")
    assert "; C=100 is the largest of the grid" in text


def test_members_with_a_name_of_their_own_show_a_chosen_value():
    spec = EVALUATORS.read("CrossValidated(inner=LinearProbe(C=1.0, max_iter=100), grid=(('C', (0.1, 1.0)),), folds=5)")
    assert with_values(spec, ["folds"]).endswith(" with folds=5")
    assert with_values(EVALUATORS.read("Elsewhere(C=3)"), ["C"]) == "Elsewhere(C=3)"


def test_evaluators_that_differ_in_the_chosen_field_alone_keep_two_names():
    names = [
        line.learner
        for line in comparison(
            Shown.of([row(**VALIDATED), row(**VALIDATED | {"evaluator": PROBE.replace("1.0", "2.0")})])
        )[0].lines
    ]
    assert names == [f"L2 + LinearProbe(C={c}), C chosen on validation classes" for c in ("1.0", "2.0")]


def test_notes_say_what_a_choice_took():
    assert notes([row(**VALIDATED), row(k_shot=5, **VALIDATED)])[1:] == (
        "chosen on validation classes among 2 settings with 300 extra labelled images",
        "the selection chose C=0.01",
    )


def test_a_failed_run_counts_for_nothing():
    failed = replace(row(**ORACLE), status="failed")
    assert not any("oracle" in note for note in comparison(Shown.of([row(), failed]))[0].notes)
