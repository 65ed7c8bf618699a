"""The ranked table of a terminal: it fits its width, keeps names different, and marks the group that may be best."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot.report.comparisons.ranking import rankings
from fewshot.report.tables.ranked import ranked_table
from fewshot.report.tables.short_texts import shortened
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


@given(st.lists(st.text("ab …,()=", min_size=1, max_size=30), unique=True, max_size=12), st.integers(8, 40))
def test_different_texts_stay_different(texts: list[str], most: int):
    names = [" ".join(text.split()) or "-" for text in texts]
    short = shortened(names, most)
    assert all(len(text) <= most for text in short)
    assert len(set(short)) == len(set(names))


def test_the_part_that_differs_stays():
    assert shortened(["network_of_a_kind_seed_1_wide_head", "network_of_a_kind_seed_2_wide_head"], 20) == [
        "network_of_a_kind…1…",
        "network_of_a_kind…2…",
    ]
