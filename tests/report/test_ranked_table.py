"""The ranked table of a terminal: it fits its width, keeps names different, and marks the group that may be best."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fewshot.report.comparisons.ranking import rankings
from fewshot.report.tables.ranked import ranked_table
from fewshot.report.tables.short_texts import NUMBERS_EXPLAINED
from tests.support.ranked_runs import ranked_runs
from tests.support.report_rows import quick_rows, row

LONG = "Packaged(name='a_network_with_a_name_that_no_terminal_shows_whole_{:03d}_of_many', image_size=128)"


@pytest.mark.parametrize("width", [60, 80, 140])
def test_no_line_is_wider_than_the_terminal(width: int):
    rows = [row(0.9 - n / 1000, backbone=LONG.format(n), evaluator=f"LinearProbe(C={n}.0)") for n in range(40)]
    for shown in (rows, rows[:1], list(quick_rows())):
        lines = ranked_table(rankings(shown), width).splitlines()
        assert max(map(len, lines)) <= width
    text = ranked_table(rankings(rows), width)
    assert all(f" {100 * one.accuracy:.1f}" in text for one in rows if one.accuracy)


def test_a_hundred_runs_take_little_more_than_a_hundred_lines():
    rows = [row(0.9 - n / 1000, backbone=LONG.format(n)) for n in range(100)]
    assert len(ranked_table(rankings(rows), 80).splitlines()) <= 113  # verdict and legend have four lines each


def test_the_group_is_marked_and_the_verdict_stands_below(tmp_path: Path):
    heads = {"Prototype()": 0.3, "RidgeProbe()": 0.3, "LinearProbe(C=1.0)": 0.5}
    rows, results = ranked_runs(tmp_path, heads)
    lines = ranked_table(rankings(rows, results.predictions), 100).splitlines()
    marks = [line[0] for line in lines if ("L2 +" in line and "[" in line) or line.startswith("* ")]
    assert marks.count("*") == 2
    assert any("may be as good" in line for line in lines)
    legend = next(number for number, line in enumerate(lines) if line.startswith("*: the best, or may be as good"))
    assert [number for number, line in enumerate(lines) if "may be as good" in line][-1] == legend > len(lines) - 5


@pytest.mark.parametrize(("low", "high", "says"), [(-0.05, -0.01, True), (-0.05, 0.01, False)])
def test_an_interval_beside_the_mark_that_excludes_0_is_explained(tmp_path: Path, low, high, says):
    heads = {"Prototype()": 0.3, "RidgeProbe()": 0.3, "LinearProbe(C=1.0)": 0.5}
    rows, results = ranked_runs(tmp_path, heads)
    (one,) = rankings(rows, results.predictions)
    first, second, *rest = one.standings
    assert second.difference is not None
    moved = replace(second, difference=replace(second.difference, low=low, high=high))
    changed = replace(one, standings=(first, moved, *rest))
    text = " ".join(ranked_table([changed], 100).split())
    assert second.leads
    assert ("* is corrected for the number of runs; [ ] is not, so it may exclude 0 beside *." in text) is says


def test_single_runs_of_several_tasks_are_one_table():
    text = ranked_table(rankings([row(0.5 + k / 100, k_shot=k) for k in (1, 5, 10)]), 80)
    assert next(line for line in text.splitlines() if "shot" in line).startswith("  1 shot")
    assert len(text.splitlines()) == 10  # the heading and the legend have two each
    assert "raw pixels 32, L2 + Prototype" in " ".join(text.split())
    both = [row(0.5, k_shot=1, backbone=LONG.format(1)), row(0.6, k_shot=5, backbone=LONG.format(2))]
    lines = ranked_table(rankings(both), 140).splitlines()
    assert ["_001_" in line for line in lines if "shot" in line] == [True, False]


@pytest.mark.parametrize(("width", "explained"), [(140, False), (60, True)])
def test_numbers_of_names_are_explained_below_the_table(width: int, explained: bool):
    backbones = [f"RawPixels(image_size={n})" for n in (100_000_001, 100_000_002)]
    heads = [f"LinearProbe(C={10.0**-n}, max_iter={10**n})" for n in range(3, 6)]
    rows = [row(0.9, backbone=backbone, evaluator=head) for backbone in backbones for head in heads]
    text = " ".join(ranked_table(rankings(rows), width).split())
    assert (NUMBERS_EXPLAINED in text) == (" #1 " in text)
    assert explained or " #1 " not in text
