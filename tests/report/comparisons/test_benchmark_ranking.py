"""Benchmarks are ranked by their mean over data sets: all of them or, under another name, those that are there."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import pytest

from fewshot.report import page
from fewshot.report.comparisons.benchmark_ranking import OTHER_SETS, BenchmarkRanking, benchmark_rankings_of
from fewshot.report.comparisons.ranking import rankings_of
from fewshot.report.rows.shown import Shown
from fewshot.report.tables.benchmark_table import benchmark_table
from fewshot.results.files import Results
from fewshot.statistics.interval import THESE_IMAGES
from tests.support.benchmark_rows import SETS, benchmark_rows, set_row

HEADS = {"Prototype()": 0.2, "NearestNeighbour()": 0.2, "LinearSVM()": 0.4}


def ranked(results: Results, with_predictions: bool = True) -> list[BenchmarkRanking]:
    shown, predictions = Shown.of(results.rows()), results.predictions if with_predictions else None
    return benchmark_rankings_of(shown, rankings_of(shown, predictions), predictions)


def test_the_mean_of_all_sets_is_ranked_by_paired_episodes(tmp_path: Path) -> None:
    results = benchmark_rows(tmp_path, HEADS)
    [one] = ranked(results)
    assert one.ranking.task == "meta_album@1, 5-way 5-shot, mean of 10 sets, raw pixels 32"
    assert one.ranking.population == THESE_IMAGES
    for standing, runs in zip(one.ranking.standings, one.runs, strict=True):
        own = [row.accuracy for row in results.rows() if row.evaluator == next(iter(runs.rows.values())).evaluator]
        assert standing.accuracy == pytest.approx(fmean(value for value in own if value is not None))
    best, equal, worst = one.ranking.standings
    assert (best.leads, equal.leads, worst.leads) == (True, True, False)
    assert worst.name == "LinearSVM"
    assert "is equal to it throughout" in one.ranking.verdict


def test_without_predictions_the_sets_are_the_sample(tmp_path: Path) -> None:
    [one] = ranked(benchmark_rows(tmp_path, HEADS), with_predictions=False)
    assert one.ranking.population == OTHER_SETS
    assert not one.ranking.standings[-1].leads
    assert one.ranking.of_accuracies == THESE_IMAGES
    assert [standing.interval for standing in one.ranking.standings] == [each[0].bounds for each in one.averages]


def test_a_mean_over_fewer_sets_is_ranked_apart_and_not_called_the_benchmarks(tmp_path: Path) -> None:
    results = benchmark_rows(tmp_path, {"Prototype()": 0.2})
    for name in SETS[:7]:
        results.append(set_row(name, 0.9, evaluator="LinearSVM()"))
    whole, part = ranked(results)
    assert whole.missing == ()
    assert part.missing == SETS[7:]
    assert part.ranking.task.endswith("mean of 7 of 10 sets")
    named = f"{SETS[7]}, {SETS[8]} and {SETS[9]} are missing."
    assert part.ranking.verdict.endswith(f"This is not the number of meta_album: {named}")
    assert "not the number" not in whole.ranking.verdict


def test_contenders_on_other_copies_of_a_set_do_not_compete(tmp_path: Path) -> None:
    results = benchmark_rows(tmp_path, {"Prototype()": 0.2})
    for name in SETS:
        other = {"images_digest": "ef" * 32} if name == SETS[0] else {}
        results.append(set_row(name, 0.9, evaluator="LinearSVM()", **other))
    assert [len(one.runs) for one in ranked(results)] == [1, 1]


def test_an_oracle_is_shown_and_never_best(tmp_path: Path) -> None:
    results = benchmark_rows(tmp_path, {"Prototype()": 0.2})
    for name in SETS:
        results.append(set_row(name, 0.95, evaluator="LinearSVM()", selection="test episodes (oracle)"))
    [one] = ranked(results)
    assert one.ranking.best.name == "Prototype"
    assert not one.ranking.standings[1].leads


def test_single_sets_suites_and_other_versions_have_no_mean(tmp_path: Path) -> None:
    results = Results(tmp_path / "runs.jsonl")
    results.append(set_row(SETS[0], 0.8))
    for name in SETS:
        results.append(set_row(name, 0.8, protocol="meta_album@0", evaluator="LinearSVM()"))
        results.append(set_row(name, 0.8, protocol="quick@1", benchmark_set="", evaluator="RidgeProbe()"))
    assert ranked(results, with_predictions=False) == []


def test_the_report_begins_with_the_means_and_names_the_missing_sets(tmp_path: Path) -> None:
    results = benchmark_rows(tmp_path, HEADS, SETS[1:])
    html = page(Shown.of(results.rows()), results, "mine")
    assert html.index('id="benchmarks"') < html.index('id="answer"')
    assert "mean of 9 of 10 sets" in html
    assert f"Missing: {SETS[0]}." in html
    assert "Each of the 9 sets" in html


@pytest.mark.parametrize("n_sets", [2, 4, 5])
def test_fewer_than_five_sets_do_not_speak_for_other_sets(tmp_path: Path, n_sets: int) -> None:
    [one] = ranked(benchmark_rows(tmp_path, HEADS, sets=SETS[:n_sets]), with_predictions=False)
    tested = n_sets >= 5
    assert bool(one.ranking.group) == tested
    assert (f"not tested: {n_sets} sets are too few to speak for other data sets." in one.ranking.verdict) != tested
    assert all((standing.difference is None) != tested for standing in one.ranking.standings[1:])
    caption = benchmark_table(one).caption
    assert ("≈" in caption) == tested
    assert (OTHER_SETS in caption) == tested
