"""What runs chose from their grids is in words, and a grid that is too narrow or too coarse is a note."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fewshot import protocols
from fewshot.commands._results import run_table
from fewshot.plugins.grids import combinations
from fewshot.plugins.registry import EVALUATORS, TRANSFORMS
from fewshot.report import page
from fewshot.report.rows.choices import chosen_before, chosen_settings, notes
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.wording import notes as notes_of_rows
from fewshot.report.tables.markdown_report import markdown_report
from fewshot.results.row import Row
from tests.support.report_rows import row

INSIDE = (
    "CrossValidated(inner=LinearProbe(C=100.0, max_iter=100), grid=(('C', (0.1, 1.0, 10.0)),), folds=5, "
    "criterion='accuracy')"
)
RULE = "Selection(on='validation', grid=(('C', (0.1, 1.0, 10.0)),), n_episodes=200, seed=0)"


def tried(*accuracies: float, half: float = 0.01, rule: str = RULE):
    """A row whose settings had these accuracies on validation classes, each with an interval of this half width."""
    numbers = [[value, value - half, value + half] for value in accuracies]
    return row(selection="validation classes", selection_rule=rule, trial_accuracies=json.dumps(numbers))


def supports(*counts: int):
    """A row in which so many episodes chose each setting."""
    return row(evaluator=INSIDE, selection="support", n_trials=3, support_choices=json.dumps(counts))


def chose(setting: str, **columns: object):
    """A row whose selection chose this evaluator before the run."""
    rule = {"selection": "validation classes", "selection_rule": RULE}
    return row(
        evaluator="LinearProbe(C=1.0, max_iter=100)", chosen=f"LinearProbe({setting}, max_iter=100)", **rule | columns
    )


def test_what_a_selection_chose_is_in_every_table_with_its_shots_where_they_differ():
    one, five = chose("C=10.0"), chose("C=0.1", k_shot=5)
    assert chosen_before(one) == "the selection chose C=10"
    assert chosen_before(one, five) == "the selection chose C=10 at 1 shot and C=0.1 at 5 shots"
    assert chosen_before(row()) == ""
    assert "The selection chose C=10. Applies to all runs." in markdown_report(Shown.of([one]), [])
    assert "the selection chose C=10 at 1 shot and C=0.1 at 5 shots" in page(Shown.of([one, five]), None, "chosen")


@pytest.mark.parametrize(
    "text", ["", "nothing", "Selection(on='validation', grid=3)", "Selection(on='validation', grid=(1,))"]
)
def test_a_choice_by_an_unreadable_rule_names_the_evaluator(text):
    assert chosen_before(chose("C=10.0", selection_rule=text)) == "the selection chose LinearProbe(C=10.0)"


def test_the_supports_say_what_they_chose_the_most_chosen_first():
    assert chosen_settings(supports(10, 60, 30)) == "the supports chose C=1 (60 %), C=10 (30 %), C=0.1 (10 %)"
    assert chosen_settings(supports(0, 100)) == "the supports chose C=1 (100 %)"
    assert chosen_settings(row()) == ""


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (supports(10, 20, 70), "70 % of the episodes chose C=10, the largest of the grid: try larger values"),
        (supports(70, 20, 10), "70 % of the episodes chose C=0.1, the smallest of the grid: try smaller values"),
        (
            tried(0.5, 0.6, 0.7),
            "C=10 is the largest of the grid, and 10.0 points better than C=1, more than its interval (± 1.0): "
            "try larger values",
        ),
        (tried(0.6, 0.699, 0.7), "C=10 is the largest of the grid: try larger values"),
        (tried(0.7, 0.699, 0.6), "C=0.1 is the smallest of the grid: try smaller values"),
        (
            tried(0.6, 0.7, 0.65),
            "C=1 is 5.0 points better than C=0.1 and C=10, more than its interval (± 1.0): try values in between",
        ),
    ],
)
def test_a_grid_that_is_too_narrow_or_too_coarse_is_a_note_in_output_and_report(one, text):
    assert notes(one)[-1] == text
    assert text in notes_of_rows([one])
    assert text in run_table(Shown.of([one]))


@pytest.mark.parametrize(
    "one",
    [
        tried(0.695, 0.7, 0.699),  # inside, and its neighbours are as good
        tried(0.6, 0.7),  # of another grid
        row(trial_accuracies="[[0.5, null, null]"),  # torn
        row(trial_accuracies="[1, 2, 3]", selection_rule=RULE),
        row(support_choices="[5, 5]"),  # without a grid
        row(),
    ],
)
def test_a_good_grid_and_unreadable_columns_have_no_note(one):
    assert notes(one) == ()


def with_head(name: str) -> list[Row]:
    """A row of each head of a benchmark that chooses from a grid of numbers: the last value of the grid won."""
    found, rows = protocols.benchmark(name), []
    for head in found.heads:
        evaluator = EVALUATORS.spec(head.evaluator)
        own = {"protocol": found.protocol, "benchmark_set": found.sets[0].name, "evaluator": evaluator.text}
        own |= {"transform": TRANSFORMS.spec(head.transform).text}
        if head.selection is not None:
            places = range(len(combinations(head.selection.grid)))
            own |= {
                "selection_rule": repr(head.selection),
                "trial_accuracies": json.dumps([[n / 1000, 0.0, 1.0] for n in places]),
            }
        elif evaluator.name == "CrossValidated":
            n_settings = len(combinations(evaluator.fields["grid"]))
            own |= {"support_choices": json.dumps([0] * (n_settings - 1) + [9])}
        rows += [row(**own)] if len(own) > 4 else []
    return rows


WITH_GRID = [name for name in protocols.names() if with_head(name)]


@pytest.mark.parametrize("name", WITH_GRID)
def test_the_grid_of_a_protocol_is_not_the_users_to_change(name):
    protocol = protocols.benchmark(name).protocol
    for one in with_head(name):
        assert notes(one)[-1].endswith(f" the largest of the grid: {protocol} prescribes this grid")
        assert notes(replace(one, benchmark_set="", protocol=""))[-1].endswith("try larger values")
        assert notes(replace(one, transform="TukeyPower()"))[-1].endswith("try larger values")


def test_benchmarks_that_choose_from_a_grid_are_among_them():
    assert {"coop", "vtab_1k", "vtab_1k@fewshot", "dinov3_few_shot"} <= set(WITH_GRID)


def test_every_field_of_numbers_has_its_own_edges():
    rule = RULE.replace("(('C', (0.1, 1.0, 10.0)),)", "(('C', (1.0, 10.0)), ('max_iter', (50, 100, 200)))")
    shown = notes(tried(0.1, 0.1, 0.1, 0.1, 0.2, 0.1, rule=rule, half=0.5))
    assert shown == ("C=10 is the largest of the grid: try larger values",)
    words = RULE.replace("('C', (0.1, 1.0, 10.0))", "('metric', ('cosine', 'euclidean'))")
    assert notes(tried(0.1, 0.2, rule=words)) == ()
