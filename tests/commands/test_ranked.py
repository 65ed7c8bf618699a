"""What `fewshot run` ends with: cautions by name, the number of episodes, each run once, and Python's table."""

from __future__ import annotations

from pathlib import Path

import pytest

import fewshot
from fewshot.commands._ranked import larger_than_asked, ranked
from fewshot.episodes.shape import EpisodeShape
from fewshot.report.rows.shown import Shown
from fewshot.report.tables.ranked import ranked_text
from fewshot.results.files import Results
from fewshot.runs.specs import RunSpec, Sampled
from tests.support.command_line import succeed
from tests.support.report_rows import row

SMALL = ("run", "--data", "Glyphs()", "--backbone", "RawPixels(image_size=2)", "--shot", "1", "--query", "5")


def test_cautions_name_the_backbones_and_none_is_hidden() -> None:
    names = [f"Packaged(name='network_{n}', image_size={64 + n})" for n in range(6)]
    rows = [row(0.8 - n / 50, backbone=name, seen_classes="seen") for n, name in enumerate(names)]
    text = " ".join(ranked_text(Shown.of(rows), None, 100).split())
    assert "network_3 @67 and 2 more backbones saw some of the test classes in training." in text
    assert text.count("Caution: ") >= 2
    assert "more with --measures" not in text
    assert "600 episodes per run." in text


def test_every_choice_is_listed_once_and_more_are_counted_in_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    rule = "Selection(on='validation', grid=(('C', (0.01, 100.0)),), n_episodes=200, seed=0)"
    chosen = {
        "selection": "validation classes",
        "selection_rule": rule,
        "n_trials": 2,
        "evaluator": "LinearProbe(C=1.0, max_iter=100)",
        "chosen": "LinearProbe(C=100.0, max_iter=100)",
        "trial_accuracies": "[[0.5, 0.49, 0.51], [0.7, 0.69, 0.71]]",
    }
    rows = [row(0.8, backbone=f"RawPixels(image_size={n})", run_id=f"{n}" * 8, **chosen) for n in range(1, 9)]
    nothing = Results(Path("nothing.jsonl"))
    for n_runs, more in ((6, ""), (8, "2 more runs with choices or notes: --measures.")):
        text = ranked(Shown.of(rows[:n_runs]), nothing, measures=False)
        assert text.count("was chosen on validation classes") == 6
        assert text.count("is the largest of the grid") == 6
        assert ("--measures" in text, more in text) == (bool(more), True)
    whole = ranked(Shown.of(rows), nothing, measures=True)
    assert whole.count("was chosen on validation classes") == 8
    assert "more runs with choices" not in whole


def test_stored_results_that_are_larger_than_asked_are_announced() -> None:
    spec = RunSpec("Glyphs()", "RawPixels()", "Prototype()", Sampled(EpisodeShape(5, 1, 5)), "L2()", n_episodes=50)
    assert larger_than_asked([(spec, row(0.8, n_episodes=50)), (spec, None)]) == ""
    assert larger_than_asked([(spec, row(0.8, n_episodes=600))]) == (
        "1 run had 600 stored episodes already, more than the 50 of --episodes; the table shows all of them."
    )


def test_one_run_under_two_spellings_is_one_line_and_python_prints_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "100")
    twice = ("--evaluator", "Prototype", "--evaluator", "Prototype()", "--evaluator", "LinearProbe")
    file = tmp_path / "runs.jsonl"
    printed = succeed(*SMALL, *twice, "--episodes", "12", "--results", file)
    assert printed.count("L2 + Prototype  ") == 1
    again = succeed(*SMALL, *twice, "--episodes", "5", "--results", file, "--measures")
    assert "2 runs had 12 stored episodes already, more than the 5 of --episodes" in again
    assert "12 episodes per run." in again
    python = str(fewshot.Rows.of(file))
    assert python in printed
    assert str(fewshot.compare(file)) == python
