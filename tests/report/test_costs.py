"""Costs stand beside accuracies: derived from rows, plotted with the Pareto front, and never mixed across machines."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot.report import page
from fewshot.report.comparisons.ranking import rankings
from fewshot.report.figures.costs import AXES, Run, cost_plots
from fewshot.report.rows.costs import Costs, RunCost, duration, scaled
from fewshot.report.rows.shown import Shown
from fewshot.report.tables.cost_columns import cost_notes, cost_table, cost_values, noted
from fewshot.results.collections import Collection
from fewshot.results.costs import machine, seconds_per_episode, seconds_per_image
from fewshot.results.files import Results
from fewshot.results.row import Row
from tests.support.report_rows import row

PLATFORM = "Linux x86_64 2 cores, Python 3.11.7"
NETWORK: dict[str, Any] = {"n_params": 3_371_008, "flops": 767_815_104, "platform": PLATFORM, "n_threads": 2}


def network(number: int, accuracy: float, **columns: Any) -> Row:
    seconds: dict[str, Any] = {"seconds_embedding": 2.0 * number, "n_embedded": 1000, "seconds_solving": 1.2 * number}
    named = {"backbone": f"Timm(name='net{number}')", "n_params": 10**6 * number, "flops": 10**8 * number**2}
    return row(accuracy, **(NETWORK | named | seconds | columns))


ROWS = [network(1, 0.5), network(2, 0.7), network(4, 0.6), network(8, 0.8)]

# Eight runs of one network: some measured the time of an image, the last but one on the most images.
SAME_NETWORK = [
    network(1, 0.6, n_embedded=n_images, seconds_embedding=seconds, k_shot=number + 1, run_id=f"{number:016x}")
    for number, (n_images, seconds) in enumerate(
        [(1000, 2.0), (0, 0.0), (500, 3.0), (20, 9.0), (1000, 7.0), (0, 0.0), (2000, 8.0), (64, 1.0)]
    )
]


def runs(rows: list[Row]) -> list[Run]:
    costs = Costs.of(rows)
    return [Run(place, each.backbone, each.accuracy or 0.0, costs.cost(each)) for place, each in enumerate(rows, 1)]


def test_seconds_are_derived_from_what_rows_store() -> None:
    each = network(1, 0.5)
    assert (seconds_per_image(each), seconds_per_episode(each)) == (0.002, 0.002)
    assert machine(each) == "Linux x86_64 2 cores, 2 threads, cpu"
    few = network(1, 0.5, n_embedded=63)
    assert seconds_per_image(few) is None
    assert seconds_per_episode(network(1, 0.5, n_episodes=0)) is None
    assert (machine(row()), seconds_per_episode(row())) == ("cpu", None)
    of_gpu = network(1, 0.5, device="cuda", processor="AMD EPYC", gpu="NVIDIA H200")
    assert machine(of_gpu) == "Linux x86_64 2 cores, AMD EPYC, 2 threads, cuda (NVIDIA H200)"


def test_a_run_with_cached_features_takes_the_speed_of_its_network_on_its_machine() -> None:
    cached = network(1, 0.6, n_embedded=0, seconds_embedding=0.0, evaluator="Prototype()", flops=None)
    costs = Costs.of([ROWS[0], cached])
    assert costs.cost(cached).seconds_per_image == 0.002
    assert costs.cost(cached).flops == 10**8
    assert costs.cost(cached).seconds == pytest.approx(5 * 16 * 0.002 + 0.002)
    assert (costs.cost(cached).texts[2], costs.cost(ROWS[0]).texts[2]) == ("2 ms ‡", "2 ms")
    for changed in ({"n_threads": 8}, {"gpu": "NVIDIA L4"}, {"processor": "AMD EPYC"}):
        elsewhere = network(1, 0.6, n_embedded=0, seconds_embedding=0.0, **changed)
        assert Costs.of([ROWS[0], elsewhere]).cost(elsewhere).seconds_per_image is None


@given(chosen=st.sets(st.sampled_from(range(8)), min_size=1), order=st.permutations(range(8)))
def test_the_time_of_an_image_is_a_fact_of_the_run_whichever_rows_are_beside_it(
    chosen: set[int], order: list[int]
) -> None:
    some = [SAME_NETWORK[number] for number in order if number in chosen]
    costs = Shown.of(some).costs
    for each in some:
        own, shown = seconds_per_image(each), costs.cost(each)
        if own is not None:
            assert (shown.seconds_per_image, shown.of_others) == (own, False)
        else:
            assert shown.of_others == (shown.seconds_per_image is not None)


@given(chosen=st.sets(st.sampled_from(range(8)), min_size=1), order=st.permutations(range(8)))
def test_a_choice_of_rows_changes_no_cost(chosen: set[int], order: list[int]) -> None:
    """Cached runs show the time of the run of their files that embedded the most images."""
    every = [SAME_NETWORK[number] for number in order]
    some = [SAME_NETWORK[number] for number in sorted(chosen)]
    costs = Shown.of(some, every=every).costs
    expected = [seconds_per_image(each) or 0.004 for each in some]
    assert [costs.cost(each).seconds_per_image for each in some] == expected


def test_tables_say_which_times_other_runs_measured_and_which_include_a_start() -> None:
    cached = network(1, 0.6, n_embedded=0, seconds_embedding=0.0, evaluator="Prototype(metric='cosine')")
    new = network(2, 0.7, seconds_per_episode=0.001)
    text = page(Shown.of([ROWS[0], cached, new]), None, "costs")
    assert text.count("2 ms ‡") == 1
    assert "‡: 1 run took features from the cache; another run of the network" in text
    assert "The time per episode of 2 runs of older releases includes the start of the process." in text
    plain = page(Shown.of([new]), None, "costs")
    assert "‡" not in plain
    assert "older releases" not in plain


@pytest.mark.parametrize("where", ["", "k_shot == 5", "evaluator == 'Ridge()'"])
def test_compare_and_report_take_the_costs_of_all_rows_of_their_files(tmp_path: Path, where: str) -> None:
    results = Results(tmp_path / "rows.jsonl")
    for each in (ROWS[0], network(1, 0.6, n_embedded=0, evaluator="Ridge()", k_shot=5, seconds_embedding=0.0)):
        results.append(each)
    held = Collection.of([results], where)
    costs = Shown.of(held.rows(), held.short_names, held.every).costs
    assert {costs.cost(each).seconds_per_image for each in held.rows()} == {0.002}


def test_pixels_and_vectors_have_neither_parameters_nor_flops() -> None:
    cost = Costs.of([row(seconds_solving=0.6)]).cost(row(seconds_solving=0.6))
    assert cost == RunCost(None, None, 0.0, 0.001, "cpu", 80, with_start=True)
    assert cost.texts == ("", "", "", "1 ms")


def test_every_known_cost_has_a_plot_with_its_front() -> None:
    plots = cost_plots(runs(ROWS))
    assert [plot.title for plot in plots] == [axis.title for axis in AXES]
    for plot in plots:
        assert [place for place, *_ in plot.frontier] == [1, 2, 4]
        assert plot.svg.count('class="front"') == 3
        assert plot.svg.count('class="quiet"') == 1
        assert plot.svg.count('class="step"') == 2 * 2 + 1
    assert plots[2].frontier[0][3] == "100 M"
    assert [plot.title for plot in cost_plots(runs([network(1, 0.5, flops=None)] * 3))] == []


def test_times_of_other_machines_are_left_out_of_a_plot_and_sizes_are_not() -> None:
    mixed = [*ROWS, network(16, 0.9, device="cuda")]
    times, _, flops, _ = cost_plots(runs(mixed))
    assert "1 run of other machines left out" in times.caption
    assert "Linux x86_64 2 cores, 2 threads, cpu" in times.caption
    assert "left out" not in flops.caption
    assert [place for place, *_ in flops.frontier] == [1, 2, 4, 5]


def test_ticks_do_not_overlap_over_any_range() -> None:
    for ratio in (1.6, 2, 5, 30, 1e3, 1e6, 1e10):
        some = [network(n, 0.5 + n / 10, flops=int(10**6 * ratio ** (n / 2))) for n in range(3)]
        flops = next(plot for plot in cost_plots(runs(some)) if plot.title.startswith("FLOPs"))
        assert 2 <= len(re.findall(r'<text class="below"[^>]*>[\d.]+ [kMGT]', flops.svg)) <= 7, ratio


def test_the_report_shows_costs_beside_accuracies_and_names_several_machines() -> None:
    text = page(Shown.of(ROWS), None, "costs")
    assert re.findall(r'class="number cost">([^<]*)<', text) == ["parameters", "FLOPs", "per image", "per episode"]
    assert '<td class="number cost" data-value="6.4e+09">6.4 G</td>' in text
    assert "two for each multiply-add" in text
    assert "machines" not in text
    assert "Times come from 2 machines" in page(Shown.of([*ROWS, network(3, 0.4, n_threads=64)]), None, "costs")
    assert 'class="number cost"' not in page(Shown.of([row()]), None, "none")


def test_the_table_for_a_terminal_fits_and_omits_what_nobody_measured() -> None:
    (ranking,) = rankings(ROWS)
    lines = cost_table(ranking, Costs.of(ROWS), 80).splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert lines[0].split() == ["cost", "accuracy", "parameters", "FLOPs", "per", "image", "per", "episode"]
    assert lines[1].split()[1:] == ["80.0", "8", "M", "6.4", "G", "16", "ms", "16", "ms"]
    assert cost_values(ranking.standings, Costs.of(ROWS))[ROWS[0].run_id]["flops"] == 10**8
    (bare,) = rankings([row()])
    assert cost_table(bare, Costs.of([row()]), 80) == ""
    assert cost_notes([bare], Costs.of([row()])) == []


def test_a_sign_is_explained_only_where_it_stands() -> None:
    notes = cost_notes(rankings(SAME_NETWORK), Costs.of(SAME_NETWORK))
    assert any(note.startswith("‡") for note in notes)
    assert noted(notes, ["4 ms ‡"]) == notes
    assert noted(notes, ["4 ms"]) == [note for note in notes if not note.startswith("‡")]


def test_a_table_of_many_runs_counts_those_that_it_omits() -> None:
    many = [network(n, 0.2 + n / 100) for n in range(1, 31)]
    (ranking,) = rankings(many)
    assert "10 less accurate runs omitted; --json has all." in cost_table(ranking, Costs.of(many), 100)


def test_numbers_are_short() -> None:
    assert [duration(each) for each in (12.34, 0.00035, 0.00002)] == ["12 s", "0.35 ms", "20 µs"]
    assert [scaled(each) for each in (768, 3_371_008, 8.174e9, 3.03e11)] == ["768", "3.37 M", "8.17 G", "303 G"]
