"""The coverage benchmark: its truths, its counting, that it goes on where it was stopped, and its tables."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba", reason="the benchmark's loops are compiled")

from fewshot.benchmarks import coverage, gaussian_classes, held
from fewshot.benchmarks.coverage import Tally
from fewshot.benchmarks.coverage_table import coverage_table
from fewshot.benchmarks.held import GRID, Answer

from fewshot.statistics.interval import Interval


@pytest.mark.parametrize("seen", [gaussian_classes.DIM, gaussian_classes.FEWER])
@pytest.mark.parametrize("k_shot", [1, 5])
def test_the_truth_without_simulation_is_that_of_a_simulation(k_shot, seen):
    spread = gaussian_classes.spread_for(0.8, k_shot, 5)
    random = np.random.default_rng(0)
    means = spread * random.standard_normal((2000, gaussian_classes.DIM))
    images = means[:, None] + random.standard_normal((2000, 10, gaussian_classes.DIM))
    solved = gaussian_classes.solve(images, 4000, 5, k_shot, 5, random)
    values = solved.accuracy if seen == gaussian_classes.DIM else solved.weaker
    error = values.std() / len(values) ** 0.5
    assert abs(values.mean() - gaussian_classes.accuracy(spread, k_shot, 5, seen)) < 4 * error


def test_new_images_have_the_same_expectation():
    spread = gaussian_classes.spread_for(0.8, 1, 5)
    random = np.random.default_rng(1)
    means = spread * random.standard_normal((3000, gaussian_classes.DIM))
    assert gaussian_classes.solve_new_images(means, 4000, 5, 1, 4, random) == pytest.approx(0.8, abs=0.012)
    with pytest.raises(ValueError, match="n_query must be even, because queries come in pairs; got 5"):
        gaussian_classes.solve_new_images(means, 1, 5, 1, 5, random)


def test_episodes_hold_other_classes_and_a_known_nearest_centroid():
    images = np.zeros((6, 4, gaussian_classes.DIM))
    images[:, :, 0] = 10.0 * np.arange(6)[:, None]
    images[5, :, 0], images[5, :, -1] = images[4, :, 0], 10.0  # told apart by the last number alone
    solved = gaussian_classes.solve(images, 200, 5, 1, 3, np.random.default_rng(0))
    held_classes = solved.units.held.reshape(200, 5)
    assert all(len(set(one)) == 5 for one in held_classes.tolist())
    assert (solved.accuracy == 1).all()
    images[5, :, -1] = 0.0
    images[5, :, 1] = 1e-3  # so that nothing is equally near
    assert (gaussian_classes.solve(images, 50, 5, 1, 3, np.random.default_rng(0)).weaker == 1).all()


def test_all_ways_at_once_are_answered_by_the_nearest():
    random = np.random.default_rng(2)
    centroids = random.standard_normal((7, gaussian_classes.DIM))
    queries = random.standard_normal((7, 5, gaussian_classes.DIM)) + centroids[:, None]
    distances = ((queries[:, :, None] - centroids) ** 2).sum(-1)
    wanted = distances.argmin(-1) == np.arange(7)[:, None]
    assert (gaussian_classes.solve_all_ways(centroids, queries) == wanted.ravel()).all()


def test_a_data_set_is_a_function_of_its_cell_and_number():
    one, again, other = (GRID[name].random(3).random() for name in [*["C7-n25-K1-acc60"] * 2, "C7-n25-K1-acc80"])
    assert one == again
    assert one != other


def test_every_interval_is_asked_about_its_truth(monkeypatch):
    for name in ("TRUTH_EPISODES", "TRUTH_NEW_IMAGES", "TRUTH_DRAWS", "N_EPISODES"):
        monkeypatch.setattr(held, name, 100)
    names = {found.name for part in held.PARTS.values() for found in part(GRID["C10-n25-K1-acc60"], 0)}
    assert names == {"(a)", "(a) difference", "(b)", "(c)", "plain", "(c) difference", "(d)"} | {
        "plain difference", "usual", "usual difference"
    }  # fmt: skip
    assert "(b)" not in {found.name for found in held.of_these_classes(GRID["C10-n25-K5-acc60"], 0)}


def test_an_interval_holds_its_truth_or_not():
    interval = Interval(0.5, 0.4, 0.6, "")
    assert Answer.of("x", interval, 0.41).held
    assert not Answer.of("x", interval, 0.61).held
    assert Answer.of("x", Interval.unknown(0.5, "", 0.95, "why"), 0.5).held is None


@pytest.fixture
def three_numbers(monkeypatch):
    """Parts whose answers are quick; what was asked for."""
    asked = []

    def part(cell, number):
        asked.append((cell.name, number))
        return iter([Answer("(c)", number != 2, 0.5)])

    monkeypatch.setattr(coverage, "PARTS", {"new classes": part})
    monkeypatch.setattr(coverage, "BATCH", {"new classes": 2})
    return asked


def test_a_second_start_goes_on_where_the_first_was_stopped(tmp_path, three_numbers):
    path, names = tmp_path / "kept.json", ["C7-n25-K1-acc60", "C7-n25-K1-acc80"]
    coverage.measure(names[:1], 3, path)
    assert three_numbers == [(names[0], 0), (names[0], 1), (names[0], 2)]
    three_numbers.clear()
    coverage.measure(names, 4, path)
    assert three_numbers == [(names[1], 0), (names[1], 1), (names[1], 2), (names[1], 3), (names[0], 3)]
    tally = coverage.read(path)[names[0]]["new classes"]
    assert tally == Tally(4, {"(c)": {"told": 4, "held": 3, "width": 2.0}})
    assert list(json.loads(path.read_text())) == names


def test_more_episodes_are_measured_for_new_classes_alone(tmp_path, three_numbers, monkeypatch):
    monkeypatch.setattr(
        coverage, "PARTS", dict.fromkeys(("new classes", "these classes"), coverage.PARTS["new classes"])
    )
    monkeypatch.setattr(coverage, "BATCH", {"new classes": 2, "these classes": 2})
    longer = held.LONGER[0].name
    coverage.measure([longer, "C7-n25-K1-acc60"], 1, tmp_path / "kept.json")
    assert three_numbers == [(longer, 0), ("C7-n25-K1-acc60", 0), ("C7-n25-K1-acc60", 0)]


def test_a_coverage_outside_the_bar_is_bold_and_what_is_not_told_a_dash():
    sums = {"told": 100, "held": 95, "width": 10.0}
    intervals = {name: dict(sums) for name in ("(c)", "plain", "(c) difference", "plain difference", "usual")}
    intervals["usual"]["held"] = 40
    kept = {"C7-n25-K1-acc60": {"new classes": Tally(100, intervals)}}
    shown = coverage_table(kept)
    assert "| 7   | 25  | 1   | 0.6        | 600 | 100         | ± 2.2   | 95.0" in shown
    assert "**40.0**" in shown
    assert "- usual: 40.0 to 40.0, all cells together 40.0 (0 of 1 cells inside 93 to 97)" in shown
    assert "| 10.0           | 10.0    | 10.0             | 10.0    |" in shown
    assert "–" in shown


def test_the_named_cells_span_the_grid():
    cells = [GRID[name] for name in coverage.NAMED]
    assert len(cells) >= 12
    assert {cell.n_classes for cell in cells} == {*held.CLASSES, *(cell.n_classes for cell in held.HEAVY)}
    assert {cell.n_images for cell in cells} == {*held.IMAGES, *(cell.n_images for cell in held.HEAVY)}
    assert {cell.accuracy for cell in cells} == {*held.ACCURACIES, *(cell.accuracy for cell in held.HEAVY)}


def test_the_committed_counts_are_of_known_cells():
    kept = coverage.read(Path(coverage.WRITTEN_TO))
    assert set(coverage.NAMED) <= set(kept)
    assert all(sums["held"] <= sums["told"] <= tally.sets
               for parts in kept.values() for tally in parts.values() for sums in tally.intervals.values())  # fmt: skip


def shares(names: tuple[str, ...], *, n_episodes: set[int]) -> tuple[float, float]:
    """The lowest and the highest coverage of these intervals in the committed cells with so many episodes."""
    told = [
        sums["held"] / sums["told"]
        for cell, parts in coverage.read().items()
        if GRID[cell].n_episodes in n_episodes
        for name in names
        for sums in [parts["new classes"].intervals[name]]
    ]
    return min(told), max(told)


def docs() -> str:
    """The text of docs/statistics.md on one line."""
    path = Path(coverage.__file__).parents[1] / "docs" / "statistics.md"
    return " ".join(path.read_text(encoding="utf-8").split())


USUAL, OURS, PLAIN = (("usual", "usual difference"), ("(c)", "(c) difference"), ("plain", "plain difference"))


@pytest.mark.parametrize(
    ("names", "n_episodes", "digits", "sentence"),
    [
        (USUAL, {600}, 0, "hold the truth in {} to {} % of 600-episode runs"),
        (USUAL, {6000}, 0, "({} to {} % with 6000)"),
        (OURS[:1], {600, 6000}, 1, "an accuracy is covered in {} to {} %"),
        (OURS[1:], {600, 6000}, 1, "a difference in {} to {} %"),
        (PLAIN, {600, 6000}, 1, "It covers {} to {} %"),
    ],
)
def test_docs_say_in_words_what_the_table_shows(names, n_episodes, digits, sentence):
    low, high = (f"{100 * share:.{digits}f}" for share in shares(names, n_episodes=n_episodes))
    assert sentence.format(low, high) in docs()


def test_docs_say_how_often_intervals_for_these_classes_hold():
    of_these = [parts["these classes"].intervals for parts in coverage.read().values() if "these classes" in parts]
    together = []
    for name in ("(a)", "(a) difference", "(b)", "(d)"):
        told, held_truth = (sum(cell[name][what] for cell in of_these if name in cell) for what in ("told", "held"))
        together.append(round(100 * held_truth / told))
    assert f"Each covers {min(together)} to {max(together)} % over all cells together" in docs()


def test_docs_say_how_much_wider_the_plain_interval_is():
    ratios = [
        parts["new classes"].intervals["plain difference"]["width"]
        / parts["new classes"].intervals["(c) difference"]["width"]
        for name, parts in coverage.read().items()
        if GRID[name].n_classes >= 60 and GRID[name].n_episodes == 600
    ]
    low, high = (round(100 * (ratio - 1)) for ratio in (min(ratios), max(ratios)))
    assert f"it is {low} to {high} % wider for a difference" in docs()


def test_scripts_of_the_folder_of_benchmarks_can_use_numba() -> None:
    code = "import sys; sys.path.insert(0, sys.argv[1]); import numba; numba.njit(lambda x: x + 1)(1)"
    subprocess.run([sys.executable, "-c", code, str(Path(coverage.__file__).parent)], check=True)
