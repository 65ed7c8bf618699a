"""Rankings: the order, the group of the best, and their sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fewshot.benchmarks import FOLDER

from fewshot.report import page
from fewshot.report.comparisons.pairing import contest
from fewshot.report.comparisons.ranking import rankings
from fewshot.report.rows.intervals import meaning
from fewshot.report.rows.shown import Shown
from fewshot.report.tables.ranked import ranked_table, table_cells
from fewshot.results.files import Results
from fewshot.results.row import Row
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
    assert "L2 + RidgeProbe is equal to it throughout" in ranking.verdict


@pytest.mark.parametrize(
    ("accuracies", "text"),
    [
        ((0.8, 0.8), "L2 + A leads with 80.0 %, and L2 + B is equal to it on average."),
        ((0.8, 0.8, 0.8), "L2 + A leads with 80.0 %, and L2 + B and 1 other are equal to it on average."),
        (
            (0.8, 0.8, 0.799),
            "leads with 80.0 %, and L2 + B is equal to it on average, but L2 + C may be as good: it is",
        ),
        ((0.8, 0.799), "L2 + A leads with 80.0 %, but L2 + B may be as good: it is 0.1 points behind"),
    ],
)
def test_runs_with_the_accuracy_of_the_best_are_equal_and_not_behind(accuracies: Sequence[float], text: str) -> None:
    [ranking] = rankings([row(value, evaluator=f"{name}()") for value, name in zip(accuracies, "ABC", strict=False)])
    assert text in ranking.verdict
    assert "0.0 points" not in ranking.verdict


def test_a_run_with_the_same_answers_is_equal_throughout(tmp_path: Path) -> None:
    rows, results = ranked_runs(tmp_path, {"Prototype()": 0.3, "LinearProbe(C=1.0)": 0.5})
    best, other = rows
    for part in results.predictions(best):
        results.parts("e" * 16).write(part, {})
    same = replace(best, run_id="e" * 16, evaluator="RidgeProbe()")
    [ranking] = rankings([best, same, other], results.predictions)
    assert "is equal to it throughout" in ranking.verdict


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


@pytest.mark.parametrize("path", sorted((FOLDER / "results").glob("*.jsonl")), ids=lambda path: path.stem)
def test_committed_runs_have_names_of_their_own(path: Path) -> None:
    for ranking in rankings(Results(path).rows()):
        names = [standing.name for standing in ranking.standings]
        assert len(set(names)) == len(names)
        assert ranking.best.leads
        assert ranking.verdict.endswith(".")


def test_every_number_of_shots_has_its_ranking() -> None:
    found = rankings([row(0.5, k_shot=1), row(0.8, k_shot=5), row(0.6, k_shot=1, evaluator="A()")])
    assert [len(ranking.standings) for ranking in found] == [2, 1]
    assert "1 shot" in found[0].task
    assert "5 shots" in found[1].task


def single(accuracy: float, **columns: object) -> Row:
    """A row of a benchmark that has one episode per set."""
    values = {"n_episodes": 1, "accuracy_reason": "one episode has no spread", "n_classes": 47, "protocol": "vtab_1k@1"}
    reason = {"new_classes_reason": "every episode holds every one of the classes"}
    return row(accuracy, None, **values | reason | columns)


@pytest.mark.parametrize("n_runs", [2, 3])
def test_runs_of_one_episode_have_no_test_and_claim_none(n_runs: int) -> None:
    rows = [single(0.485 - 0.1 * run, evaluator=f"Head{run}()") for run in range(n_runs)]
    [ranking] = rankings(rows)
    assert "has the highest accuracy on these 47 classes, 48.5 %; whether the difference" in ranking.verdict
    assert ranking.verdict.endswith("not tested: there is one episode.")
    assert ranking.group == ()
    texts = [ranking.verdict, *ranking.caveats, ranked_table([ranking], 120), table_cells(ranking)[2]]
    assert not any(
        word in text for text in texts for word in ("may be as good", "95 %", "*", "un more episodes", "NaN")
    )
    assert not any("as good" in text or "95 %" in text or "≈" in text for text in [page(Shown.of(rows), None, "one")])


def test_an_oracle_of_one_episode_is_still_an_oracle() -> None:
    rows = [single(0.5, evaluator="A()"), single(0.4, evaluator="B()"), single(0.9, selection="test episodes (oracle)")]
    [ranking] = rankings(rows)
    assert [one.reason.startswith("an oracle") for one in ranking.standings].count(True) == 1
    assert ranking.verdict.endswith("not tested: there is one episode.")


@pytest.mark.parametrize(("protocol", "advised"), [("", True), ("vtab_1k@1", False)])
def test_more_episodes_are_advised_only_where_no_protocol_fixes_them(protocol: str, advised: bool) -> None:
    rows = [single(0.5 + 0.1 * run, evaluator=f"Head{run}()", protocol=protocol) for run in range(2)]
    [ranking] = rankings(rows)
    for texts in (ranking.caveats, meaning(rows)):
        assert any("Run more episodes." in text for text in texts) == advised
