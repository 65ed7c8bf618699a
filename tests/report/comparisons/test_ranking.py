"""Rankings: the order, the group of the best, and their sentences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fewshot.report.comparisons.pairing import contest
from fewshot.report.comparisons.ranking import rankings
from tests.support.ranked_runs import ranked_runs
from tests.support.report_rows import row

HEADS = {"Prototype(metric='euclidean')": 0.4, "LinearProbe(C=1.0, max_iter=100)": 0.1, "RidgeProbe()": 0.4}


def test_the_best_stands_first_and_alone_if_all_others_are_worse(tmp_path: Path) -> None:
    rows, results = ranked_runs(tmp_path, HEADS)
    [ranking] = rankings(rows, results.predictions)
    assert [standing.leads for standing in ranking.standings] == [True, False, False]
    assert "LinearProbe" in ranking.best.name
    assert ranking.population == "new classes"
    assert "LinearProbe" in ranking.verdict
    assert " is the best: " in ranking.verdict
    assert "points above the next" in ranking.verdict
    assert "for new classes)." in ranking.verdict


def test_the_differences_are_those_of_the_pairs(tmp_path: Path) -> None:
    rows, results = ranked_runs(tmp_path, HEADS)
    [ranking] = rankings(rows, results.predictions)
    of_pairs = {(pair.a.run_id, pair.b.run_id): pair.comparison for pair in contest(results, rows).pairs()}
    for standing in ranking.standings[1:]:
        wanted = of_pairs[ranking.best.row.run_id, standing.row.run_id].turned()
        assert standing.images is not None
        assert standing.classes is not None
        assert standing.images == pytest.approx(wanted.these_images) or standing.images == wanted.these_images
        assert (standing.classes.low, standing.classes.high) == pytest.approx(
            (wanted.new_classes.low, wanted.new_classes.high)
        )
        assert standing.p_adjusted <= 2 * wanted.p_classes * 1.0001


def test_runs_that_may_be_as_good_form_a_group(tmp_path: Path) -> None:
    rows, results = ranked_runs(tmp_path, {"Prototype()": 0.3, "RidgeProbe()": 0.3, "LinearProbe(C=1.0)": 0.5})
    [ranking] = rankings(rows, results.predictions)
    assert [standing.leads for standing in ranking.standings] == [True, True, False]
    assert "leads with" in ranking.verdict
    assert "may be as good" in ranking.verdict


def test_too_few_classes_give_a_group_for_these_images(tmp_path: Path) -> None:
    rows, results = ranked_runs(tmp_path, HEADS, n_classes=5)
    [ranking] = rankings(rows, results.predictions)
    assert ranking.population == "these images"
    assert ranking.caveats == ("No test for new classes: every episode holds all classes.",)
    assert [standing.leads for standing in ranking.standings] == [True, False, False]


def test_without_predictions_runs_are_compared_without_pairing() -> None:
    rows = [row(0.9, evaluator="LinearProbe(C=1.0)"), row(0.8, evaluator="Prototype()"), row(0.899, evaluator="A()")]
    [ranking] = rankings(rows)
    assert [standing.accuracy for standing in ranking.standings] == [0.9, 0.899, 0.8]
    assert [standing.leads for standing in ranking.standings] == [True, True, False]
    assert "3 runs of 3 compared without pairing" in ranking.caveats[-1]


def test_damaged_predictions_of_one_run_are_a_reason(tmp_path: Path) -> None:
    rows, results = ranked_runs(tmp_path, HEADS)
    [part] = results.parts(rows[0].run_id).folder.glob("*.safetensors")
    part.write_bytes(b"no predictions")
    [ranking] = rankings(rows, results.predictions)
    reasons = {standing.row.run_id: standing.reason for standing in ranking.standings}
    assert reasons[rows[0].run_id].startswith("compared without pairing: ")
    assert not reasons[rows[1].run_id]


def test_a_lucky_run_of_few_episodes_is_not_called_the_best(tmp_path: Path) -> None:
    long = [row(0.8, 0.01, evaluator="A()"), row(0.7, 0.01, evaluator="B()")]
    [ranking] = rankings([*long, row(0.85, 0.3, evaluator="C()", n_episodes=20)])
    assert ranking.best.row is long[0]
    assert "ahead" in ranking.verdict


def test_an_oracle_is_never_in_the_group() -> None:
    fair = row(0.8, evaluator="A()")
    oracle = row(0.9, evaluator="B()", selection="test episodes (oracle)")
    [ranking] = rankings([fair, oracle])
    assert ranking.best.row is fair
    assert [standing.leads for standing in ranking.standings] == [True, False]
    assert "oracle" in ranking.standings[1].reason
    assert rankings([oracle])[0].best.row is oracle


def test_a_single_run_and_failed_runs_have_sentences() -> None:
    [ranking] = rankings([row(0.8, evaluator="A()"), row(None, None, evaluator="B()", status="failed", error="no")])
    assert "reaches 80.0 %" in ranking.verdict
    assert rankings([]) == []


def test_names_are_different_for_all_runs() -> None:
    one = row(0.8, dtype="float32", evaluator="A()")
    rows = [one, replace(one, run_id="b" * 16), row(0.7, backbone="Packaged(name='x', image_size=64)", evaluator="A()")]
    names = [standing.name for standing in rankings(rows)[0].standings]
    assert len(set(names)) == 3


def test_every_number_of_shots_has_its_ranking() -> None:
    found = rankings([row(0.5, k_shot=1), row(0.8, k_shot=5), row(0.6, k_shot=1, evaluator="A()")])
    assert [len(ranking.standings) for ranking in found] == [2, 1]
    assert "1 shot" in found[0].task
    assert "5 shots" in found[1].task
