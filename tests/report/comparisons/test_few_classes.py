"""With few classes a ranking is for the classes at hand, and every sentence, sign and table says the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fewshot.report.comparisons.matrices import matrices
from fewshot.report.comparisons.pairing import contest
from fewshot.report.comparisons.ranking import ranking, rankings
from fewshot.report.comparisons.unique_names import UniqueNames
from fewshot.report.comparisons.verdicts import verdict
from fewshot.report.rows.shown import Shown
from fewshot.report.tables.ranked import ranked_table
from fewshot.statistics.units import ENOUGH_CLASSES
from tests.support.ranked_runs import ranked_runs
from tests.support.report_rows import row

HEADS = {"Prototype(metric='euclidean')": 0.4, "LinearProbe(C=1.0, max_iter=100)": 0.1, "RidgeProbe()": 0.4}
FEW = (6, 8, 12, ENOUGH_CLASSES - 1)


@pytest.mark.parametrize("n_classes", FEW)
def test_the_sentence_names_the_classes_at_hand_and_says_that_they_are_few(n_classes: int, tmp_path: Path) -> None:
    rows, results = ranked_runs(tmp_path, HEADS, n_classes)
    [of] = rankings(rows, results.predictions)
    assert of.population == "these images"
    assert f" is the best on these {n_classes} classes: " in of.verdict
    assert of.verdict.endswith(f"for these images); {n_classes} classes are too few to speak for new ones.")
    assert of.verdict == ranking(contest(results, rows), UniqueNames.of(Shown.of(rows))).verdict
    assert "other episodes of these same images and classes" in " ".join(ranked_table([of], 100).split())


def test_enough_classes_are_ranked_for_new_ones(tmp_path: Path) -> None:
    rows, results = ranked_runs(tmp_path, HEADS, ENOUGH_CLASSES)
    [of] = rankings(rows, results.predictions)
    assert of.population == "new classes"
    assert "too few" not in of.verdict


@pytest.mark.parametrize("n_classes", [5, 8, ENOUGH_CLASSES])
def test_the_table_shows_the_intervals_of_the_sentence(n_classes: int, tmp_path: Path) -> None:
    rows, results = ranked_runs(tmp_path, HEADS, n_classes)
    [of] = rankings(rows, results.predictions)
    for standing in of.standings[1:]:
        shown = standing.classes if of.population == "new classes" else standing.images
        assert standing.difference == shown
        assert shown is not None
        assert f"[{100 * shown.low:.1f}, {100 * shown.high:.1f}]" in ranked_table([of], 120)


def test_rows_without_predictions_follow_the_same_rule() -> None:
    bounds = {"new_classes_low": 0.1, "new_classes_high": 0.99, "new_classes_unit": "classes"}
    for n_classes, population in ((8, "these images"), (ENOUGH_CLASSES, "new classes")):
        rows = [row(0.9 - k / 10, evaluator=f"A({k})", n_classes=n_classes, **bounds) for k in range(3)]
        [of] = rankings(rows)
        assert of.population == population
        assert [standing.leads for standing in of.standings] == [True, *[population == "new classes"] * 2]


@pytest.mark.parametrize("n_classes", [5, 8, ENOUGH_CLASSES, 40])
@pytest.mark.parametrize("shares", [(0.3, 0.3, 0.5), (0.3, 0.32, 0.33), (0.1, 0.4, 0.4)])
def test_the_matrix_never_contradicts_the_ranking(n_classes: int, shares: tuple[float, ...], tmp_path: Path) -> None:
    rows, results = ranked_runs(tmp_path, dict(zip(HEADS, shares, strict=True)), n_classes)
    [of] = rankings(rows, results.predictions)
    [matrix] = matrices(Shown.of(rows), results)
    leads = {standing.name: standing.leads for standing in of.standings}
    for line in matrix.lines:
        assert leads[line.name] == (not any(cell.style == "worse-2" for cell in line.cells))
    assert all(of.population in caption or "these images" in caption for caption in matrix.caption[:2])


def test_the_verdict_of_a_pair_is_for_the_classes_at_hand(tmp_path: Path) -> None:
    rows, results = ranked_runs(tmp_path, HEADS, 8)
    pair = contest(results, rows).pairs()[0]
    assert verdict(pair, 0.001) == "significant for these images; 8 classes are too few to speak for new ones"
    assert verdict(pair, 0.2).startswith("not significant for these images after correcting for all comparisons")


def test_disjoint_pools_of_images_rank_for_new_images(tmp_path: Path) -> None:
    sampler = "DisjointPools(pools=5, support_from=None, query_from=None)"
    columns = {"sampler": sampler, "new_images_low": 0.5, "new_images_high": 0.9}
    rows, results = ranked_runs(tmp_path, HEADS, 8, **columns)
    [of] = rankings(rows, results.predictions)
    assert of.population == "new images of these classes"
    pairs = contest(results, rows).pairs()
    assert {pair.population for pair in pairs} == {"new images of these classes"}
    means = [(pairs[0].accuracy_a - pairs[0].accuracy_b)[pool::5].mean() for pool in range(5)]
    half = 2.7764451 * np.std(means, ddof=1) / 5**0.5
    assert pairs[0].shown.high - pairs[0].shown.low == pytest.approx(2 * half)
    assert (pairs[0].p_value < 0.05) == (abs(np.mean(means)) > half)
    assert "for new images of these classes); 8 classes are too few" in of.verdict


def test_the_same_run_twice_is_one_line(tmp_path: Path) -> None:
    rows, results = ranked_runs(tmp_path, HEADS)
    [of] = rankings([*rows, rows[0], rows[1]], results.predictions)
    assert len(of.standings) == 3


def test_equal_episodes_have_no_interval_and_the_table_says_why() -> None:
    [of] = rankings([row(2 / 3, 0.0, n_classes=3, n_way=3)])
    assert of.best.interval is None
    text = " ".join(ranked_table([of], 100).split())
    assert "66.7" in text
    assert "[66.7" not in text
    assert "95 % interval" not in of.verdict
    assert of.caveats == ("No interval for these images: every episode has the same accuracy.",)
