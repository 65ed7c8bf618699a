"""The benchmark of default strengths: its cells, its losses, that it goes on where it was stopped, and its tables."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from fewshot.benchmarks import head_strengths
from fewshot.benchmarks.head_strengths import DATA, DIGITS, GRIDS, Grid
from fewshot.benchmarks.strength_tables import DEFAULTS, Measured, head_table, probe_table, read

from fewshot.evaluators.prototype import Prototype
from tests.support.checkout import ROOT

RIGHT = np.array([[0.2, 0.6, 0.4], [0.4, 0.6, 0.8]])  # two episodes, three values: means .3, .6, .6
ONE = Measured.of("LinearProbe(C)", "Glyphs()", "Given()", "5", 1, (1.0, 10.0, 100.0), RIGHT)


def test_a_loss_is_the_distance_from_the_best_value_in_points():
    assert [ONE.loss(value) for value in ONE.values] == pytest.approx([30, 0, 0])
    assert ONE.error(10.0) == 0
    assert ONE.error(1.0) == pytest.approx(100 * np.std([-0.4, -0.2], ddof=1) / 2**0.5, abs=1e-3)
    assert ONE.place == "Glyphs, vectors, 5-way 1-shot"


def test_tables_have_a_line_per_value_and_per_head():
    other = Measured.of("LinearProbe(C)", "Icons('mono')", "Given()", "all", 5, (1.0, 10.0, 100.0), RIGHT[:, ::-1])
    shown = probe_table([ONE, other])
    assert "| C   | 1 shot   | 5 shots   | largest loss   | where" in shown
    assert "| 1   | 30.0     | 0.0       | 30.0 ± 19.6    | Glyphs, vectors, 5-way 1-shot        |" in shown
    assert "| 100 | 0.0      | 30.0      | 30.0 ± 19.6    | Icons(mono), vectors, all ways 5-shot |" in shown.replace(
        "  |", " |"
    )
    [line] = [line for line in head_table([ONE, other]).splitlines() if "`LinearProbe(C)`" in line]
    cells = [cell.strip() for cell in line.split("|")]
    assert cells[2:5] == ["100", "15.0", "30.0 ± 19.6"]
    assert cells[6:9] == ["10", "0.0", "0.0"]


@pytest.mark.parametrize("grid", GRIDS, ids=lambda grid: grid.name)
def test_every_grid_holds_the_default_of_its_head(grid: Grid):
    default = {field.name: field.default for field in fields(grid.head)}[grid.field]
    assert DEFAULTS[grid.name] == default
    assert default in grid.values


def test_all_values_answer_the_same_episodes():
    world = head_strengths.world(DIGITS, "")
    drawn = world.episodes(5, 1, 3)
    assert drawn is not None
    batch, query = drawn
    few = batch.take(batch.seeds[:7]), query[:7]
    grid = Grid(Prototype(), "metric", ("euclidean", "cosine", "euclidean"))
    right = head_strengths.accuracies(grid, *few)
    assert right.shape == (7, 3)
    assert np.array_equal(right[:, 0], right[:, 2])
    wanted = Prototype().fit(few[0])(few[1]).argmax(2).numpy() == np.repeat(np.arange(5), 3)
    assert np.allclose(right[:, 0], wanted.mean(1))


def test_cells_without_enough_classes_or_with_too_large_supports_are_left_out():
    world = head_strengths.world(DIGITS, "")
    assert world.episodes(20, 1, 3) is None  # ten classes
    assert world.episodes(5, 400, 3) is None  # fewer images
    assert world.episodes("all", 100, 3) is None  # 1000 rows


def test_a_second_start_goes_on_where_the_first_was_stopped(tmp_path, monkeypatch):
    cells = [(GRIDS[0], DIGITS, "Given()", 5, 1), (GRIDS[0], DIGITS, "Given()", 5, 2)]
    monkeypatch.setattr(head_strengths, "accuracies", lambda *_: RIGHT[:, [0] * len(GRIDS[0].values)])
    monkeypatch.setattr(head_strengths, "cells", lambda: iter(cells[:1]))
    head_strengths.measure(tmp_path / "kept.json")
    [first] = read(tmp_path / "kept.json")
    monkeypatch.setattr(head_strengths, "cells", lambda: iter(cells))
    head_strengths.measure(tmp_path / "kept.json")
    assert [one.shots for one in read(tmp_path / "kept.json")] == [1, 2]
    assert read(tmp_path / "kept.json")[0] == first


def test_the_committed_measurements_are_of_all_data_and_heads():
    kept = read()
    assert {one.head for one in kept} == DEFAULTS.keys()
    assert {one.data for one in kept} == DATA.keys()


def test_docs_say_in_words_what_the_table_of_c_shows():
    said = " ".join((ROOT / "docs" / "evaluators.md").read_text(encoding="utf-8").split())
    own = [one for one in read() if one.head == "LinearProbe(C)"]
    for value in (1.0, 100.0):
        mean, largest = np.mean([one.loss(value) for one in own]), max(one.loss(value) for one in own)
        assert f"C = {value:g} loses {mean:.1f} points on average and {largest:.1f} at most" in said
