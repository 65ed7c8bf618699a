"""What `fewshot run` ends with: cautions by name, the number of episodes, each run once, and Python's table."""

from __future__ import annotations

from pathlib import Path

import pytest

import fewshot
from fewshot.commands._ranked import larger_than_asked
from fewshot.episodes.shape import EpisodeShape
from fewshot.report.rows.shown import Shown
from fewshot.report.tables.ranked import ranked_text
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
