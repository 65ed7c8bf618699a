"""`report --markdown` and `compare` have the means of benchmarks and the costs of their runs, like the report."""

from __future__ import annotations

import json
import random
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot import protocols
from fewshot.report import page
from fewshot.report.comparisons.benchmark_ranking import rankings_on_sets
from fewshot.report.rows.benchmark_means import averages, set_runs
from fewshot.report.rows.costs import TITLES
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.wording import with_interval
from fewshot.report.tables.benchmark_table import benchmark_table
from fewshot.report.tables.markdown_report import markdown_report
from fewshot.results.files import Results
from tests.support.benchmark_rows import SETS, set_row
from tests.support.command_line import succeed
from tests.support.report_rows import EVIL

HEADS = {"Prototype()": 0.8, "NearestNeighbour()": 0.7, "RidgeProbe()": 0.9}
COSTS = {"n_params": 3_371_008, "flops": 767_815_104, "seconds_embedding": 2.0, "n_embedded": 1000}
SINGLE = {"n_episodes": 1, "accuracy_reason": "one episode has no spread", "draws": "0.8"}


def one_episode_rows(folder: Path, sets: tuple[str, ...] = SETS) -> Results:
    """A row of one episode for each head and set, with its costs: an episode takes 1 to 10 ms, set by set."""
    results = Results(folder / "runs.jsonl")
    for place, name in enumerate(sets, 1):
        for evaluator, accuracy in HEADS.items():
            own = {"seconds_solving": place / 1000, "backbone": "Timm(name='net')", "evaluator": evaluator}
            results.append(set_row(name, accuracy - place / 100, None, **COSTS | SINGLE | own))
    return results


def test_markdown_begins_with_the_means_and_every_table_has_costs(tmp_path: Path) -> None:
    results = one_episode_rows(tmp_path)
    shown = Shown.of(results.rows())
    text = markdown_report(shown, rankings_on_sets(results.rows(), None, results.predictions))
    first, *tables = [line for line in text.splitlines() if line.startswith("**")]
    assert first == "**meta\\_album@1, 5-way 5-shot, mean of 10 sets, net**".replace("\\_", "_")
    assert len(tables) == len(SETS)
    headings = [line for line in text.splitlines() if line.startswith("| method") or line.startswith("| backbone")]
    with_costs = [line for line in headings if all(title in line for title in TITLES)]
    assert len(with_costs) == 1 + len(SETS)
    assert "| 1 ms to 10 ms" in text
    assert "3.37 M" in text
    assert "ridge" in text.lower()
    assert text == json.loads(succeed("report", results.path, "--markdown", "--json"))["markdown"]


def test_markdown_of_rows_of_no_benchmark_has_no_means(tmp_path: Path) -> None:
    results = Results(tmp_path / "runs.jsonl")
    results.append(set_row(SETS[0], 0.8, protocol="quick@1", benchmark_set=""))
    assert "mean of" not in succeed("report", results.path, "--markdown")


def test_names_of_rows_from_anybody_are_escaped(tmp_path: Path) -> None:
    results = Results(tmp_path / "runs.jsonl")
    for name, accuracy in product(SETS[:2], (0.8, 0.7)):
        own = {"backbone": f"Timm(name='{EVIL}')", "evaluator": f"Head{accuracy}('a | *b* {EVIL}')"}
        results.append(set_row(name, accuracy, **own))
    text = markdown_report(Shown.of(results.rows()), rankings_on_sets(results.rows(), None, None))
    assert "mean of 2 of 10 sets" in text
    assert "<script" not in text
    assert "<img" not in text
    assert "a | " not in text


@pytest.mark.parametrize("sets", [SETS, SETS[:3]], ids=["tested", "untested"])
def test_compare_shows_the_costs_of_rows_with_one_episode(sets: tuple[str, ...], tmp_path: Path) -> None:
    results = one_episode_rows(tmp_path, sets)
    text = succeed("compare", results.path)
    assert all(title in text for title in TITLES)
    assert f"1 ms to {len(sets)} ms" in text
    assert "Per episode: time to solve one" in " ".join(text.split()) or "per episode: time to solve" in text
    assert "each run has 1 episode, and a comparison needs 2 or more" in " ".join(text.split())
    [values] = json.loads(succeed("compare", results.path, "--json"))["benchmarks"]
    assert len(values["costs"]) == len(HEADS) * len(sets)
    assert {cost["n_params"] for cost in values["costs"].values()} == {3_371_008}


def test_the_report_shows_the_costs_beside_the_means(tmp_path: Path) -> None:
    results = one_episode_rows(tmp_path)
    shown = Shown.of(results.rows())
    [one] = rankings_on_sets(results.rows(), None, results.predictions)
    table = benchmark_table(one, shown.costs)
    assert table.costs == TITLES
    assert {(line.costs[3].text, line.costs[3].value) for line in table.lines} == {("1 ms to 10 ms", 0.01)}
    html = page(shown, results, "mine").partition('id="answer"')[0]
    assert "1 ms to 10 ms" in html


@given(value=st.floats(0, 1), half=st.floats(0, 0.5))
def test_no_interval_of_an_accuracy_reaches_beyond_what_it_can_be(value: float, half: float) -> None:
    bounds = max(0.0, value - half), min(1.0, value + half)
    text = with_interval(value, bounds)
    if "±" in text:
        mean, size = map(float, text.split(" ± "))
        assert mean - size > -1e-9
        assert mean + size < 100 + 1e-9
    else:
        low, high = map(float, text.partition("[")[2].rstrip("]").split(", "))
        assert 0 <= low <= high <= 100


def test_a_mean_near_one_has_its_interval_cut_at_one() -> None:
    rows = [set_row(name, 0.98 + 0.01 * (place % 2), 0.2) for place, name in enumerate(SETS)]
    [one] = averages(rows, lambda _: None)
    assert one.bounds is not None
    assert one.bounds[1] == 1.0
    assert one.half_width is not None
    assert one.value + one.half_width > 1
    assert one.text.endswith(", 100.0]")


@given(st.randoms(use_true_random=False))
def test_means_stand_in_the_order_of_the_benchmark(shuffled: random.Random) -> None:
    benchmark = protocols.benchmark("coop@fewshot")
    shapes = list(benchmark.shapes)
    rows = [
        set_row(one.name, 0.5, protocol=benchmark.protocol, n_way=s.n_way, k_shot=s.k_shot, n_query=s.n_query)
        for one in benchmark.sets[:3]
        for s in shapes
    ]
    shuffled.shuffle(rows)
    runs = set_runs(rows)
    assert [one.shape for one in runs] == shapes
    assert all(list(one.rows) == [each.name for each in benchmark.sets[:3]] for one in runs)
