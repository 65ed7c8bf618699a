"""`fewshot run --select`: what is asked for is planned, run and told; what does not belong together is one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fewshot.cli import main
from fewshot.results.files import Results
from fewshot.results.row import Row

DATA = ("--split", "BySeed(novel=0.5, validation=0.5)", "--backbone", "RawPixels(image_size=4)")
SHAPE = ("--way", "3", "--shot", "2", "--query", "3", "--episodes", "4")
TRIED = ("--select", "validation", "--grid", "C=0.01,1", "--select-episodes", "3")


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def call(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["run", "--data", str(folder), *DATA, *SHAPE, *options])


def trial_rows() -> list[Row]:
    return Results(Path("results/runs.jsonl")).trials.rows()


def test_a_dry_run_shows_the_choice_and_what_is_left_of_it(folder):
    plan = json.loads(call(folder, *TRIED, "--dry-run", "--json").stdout)
    assert [(run["state"], run["n_episodes"], run["n_missing"]) for run in plan["runs"]] == [
        ("to do", 6, 6),
        ("to do", 4, 4),
    ]
    assert "choose among 2 settings on validation classes" in plan["runs"][0]["name"]
    assert "raw pixels 4, L2 + LinearProbe, " in plan["runs"][1]["name"]  # short names, as in the ranked table
    assert 36 < plan["n_images"] <= 72  # of test and validation classes
    assert call(folder, *TRIED).exit_code == 0
    plan = json.loads(call(folder, *TRIED, "--dry-run", "--json").stdout)
    assert [run["state"] for run in plan["runs"]] == ["done"]


def test_a_run_tells_what_was_chosen_and_from_what(folder):
    done = call(folder, *TRIED)
    assert done.exit_code == 0, done.output
    [row] = Results(Path("results/runs.jsonl")).rows()
    assert (row.selection, row.n_trials) == ("validation classes", 2)
    spent = f"among 2 settings with {row.n_labels_selection} extra labelled images"
    assert f"LinearProbe(C=0.01) was chosen on validation classes {spent}" in " ".join(done.output.split())
    tried = {one.evaluator: [one.accuracy, one.accuracy_low, one.accuracy_high] for one in trial_rows()}
    assert json.loads(row.trial_accuracies) == [tried[f"LinearProbe(C={c}, max_iter=100)"] for c in (0.01, 1.0)]
    assert "est of the grid" in " ".join(done.output.split())  # both values are ends of it


def test_choosing_on_the_support_wraps_the_evaluator_and_shows_the_choices(folder):
    done = call(folder, "--select", "support", "--grid", "C=0.01,1")
    assert done.exit_code == 0
    [row] = Results(Path("results/runs.jsonl")).rows()
    assert sum(json.loads(row.support_choices)) == row.n_episodes == 4
    assert "the supports chose C=" in " ".join(done.output.split())
    assert row.evaluator == (
        "CrossValidated(inner=LinearProbe(C=100.0, max_iter=100), grid=(('C', (0.01, 1)),), folds=5, "
        "criterion='accuracy')"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--grid", "C=1,2"), "need --select; add, for example, --select validation"),
        (("--select-episodes", "5"), "need --select; add, for example, --select validation"),
        (("--select", "oracle"), "--select oracle needs --grid FIELD=VALUES"),
        (("--select", "images"), "--select images needs --grid FIELD=VALUES"),
        (("--select", "support", "--grid", "C=1", "--select-episodes", "3"), "remove --select-episodes"),
        (("--select", "support", "--grid", "D=1,2"), "LinearProbe has no field 'D'; its fields are: C, max_iter"),
        (("--select", "validation", "--grid", "D=1,2"), "LinearProbe has no field 'D'; its fields are: C, max_iter"),
        (("--select", "validation", "--grid", "C"), "cannot read the grid 'C': write FIELD=VALUE,VALUE"),
        (("--select", "validation", "--grid", "C=1,1"), "a grid holds each value of 'C' once. Got 1 twice"),
        (("--select", "validation", "--grid", "C=1,2", "--classes", "all"), "test on novel classes"),
        (("--select", "validation", "--grid", "C=x,y"), "The 'C' parameter of LinearProbe must be a positive number"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(folder, options, message):
    done = call(folder, *options)
    assert done.exit_code != 0
    assert message in " ".join(done.output.split())
    assert "Traceback" not in done.output


def test_a_split_without_validation_classes_cannot_run_and_a_dry_run_says_so(folder):
    done = call(folder, *TRIED, "--split", "AllNovel", "--dry-run")
    assert done.exit_code == 1
    assert "cannot run" in done.output
    assert "has no validation classes" in done.output
