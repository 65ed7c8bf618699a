"""Runs of several results files as one, and the runs that meet a condition."""

from __future__ import annotations

import pytest

from fewshot.results.collections import Collection, meeting, runs_of
from fewshot.results.files import Results
from tests.support.report_rows import row
from tests.support.stored_runs import PROBE, PROTOTYPE, stored_run, two_heads


def test_a_run_in_two_files_is_one_run(tmp_path):
    first, second = two_heads(tmp_path / "a.jsonl"), two_heads(tmp_path / "b.jsonl")
    assert Collection.of([first, second]).rows() == first.rows()


def test_the_row_with_more_episodes_stays_whatever_the_order(tmp_path):
    few, many = Results(tmp_path / "few.jsonl"), Results(tmp_path / "many.jsonl")
    stored_run(few, n=4, run_id="a" * 16)
    long = stored_run(many, n=8, run_id="a" * 16)
    for files in ([few, many], [many, few]):
        (run,) = runs_of(files)
        assert (run.row, run.results) == (long, many)


def test_of_equal_rows_the_one_with_predictions_stays(tmp_path):
    bare, whole = Results(tmp_path / "bare.jsonl"), Results(tmp_path / "whole.jsonl")
    bare.append(stored_run(whole))
    for files in ([bare, whole], [whole, bare]):
        together = Collection.of(files)
        assert together.parts(together.rows()[0].run_id).files()
        assert sum(len(part) for part in together.predictions(together.rows()[0])) == 4


@pytest.mark.parametrize(
    ("change", "words"),
    [({"accuracy": 0.6}, "60.000 % on the same episodes in"), ({"episodes_digest": "other"}, "on other episodes in")],
)
def test_two_numbers_for_one_run_name_both_files(tmp_path, change, words):
    files = [Results(tmp_path / "a.jsonl"), Results(tmp_path / "b.jsonl")]
    same = {"run_id": "a" * 16, "accuracy": 0.8, "episodes_digest": "same"}
    for results, columns in zip(files, ({}, change), strict=True):
        results.append(row(**same | columns))
    with pytest.raises(ValueError, match=r"run aaaaaaaaaaaaaaaa has 80\.000 % in .*a\.jsonl and .*b\.jsonl") as error:
        runs_of(files)
    assert words in str(error.value)
    assert [runs_of(files, prefer)[0].results for prefer in ("first", "last")] == files


@pytest.mark.parametrize(
    ("columns", "change", "words"),
    [
        (
            {"weights_digest": "11" * 32},
            {"weights_digest": "22" * 32},
            "the weights digest 1111.*and the weights digest 2",
        ),
        (
            {"images_digest": "11" * 32},
            {"images_digest": "22" * 32},
            "the images digest 1111.*and the images digest 22",
        ),
        ({}, {"accuracy_low": 0.7}, r"accuracy_low 0\.794 in .*a\.jsonl and accuracy_low 0\.7 in .*b\.jsonl"),
        ({"measures": {"macro_f1": 0.6}}, {"measures": {"macro_f1": 0.7}}, r"macro_f1 0\.6 in .* and macro_f1 0\.7 in"),
        ({"weights_digest": "11" * 32}, {"weights_digest": "22" * 32, "n_episodes": 900}, "the weights digest"),
    ],
)
def test_rows_of_one_run_and_one_accuracy_may_still_differ(tmp_path, columns, change, words):
    files = [Results(tmp_path / "a.jsonl"), Results(tmp_path / "b.jsonl")]
    for results, more in zip(files, ({}, change), strict=True):
        results.append(row(0.8, run_id="a" * 16, **columns | more))
    with pytest.raises(ValueError, match=words):
        runs_of(files)
    assert [runs_of(files, prefer)[0].results for prefer in ("first", "last")] == files


def test_a_column_that_an_older_release_lacks_is_no_conflict(tmp_path):
    files = [Results(tmp_path / "a.jsonl"), Results(tmp_path / "b.jsonl")]
    files[0].append(row(0.8, run_id="a" * 16))
    files[1].append(row(0.8, run_id="a" * 16, weights_digest="11" * 32, measures={"macro_f1": 0.7}))
    assert len(runs_of(files)) == 1


def test_the_order_of_a_sum_is_no_conflict(tmp_path):
    files = [Results(tmp_path / "a.jsonl"), Results(tmp_path / "b.jsonl")]
    for results, accuracy in zip(files, (0.3, 0.1 + 0.2), strict=True):
        results.append(row(accuracy, run_id="a" * 16))
    assert len(runs_of(files)) == 1


def test_a_failure_disappears_if_another_file_has_the_result(tmp_path):
    failed, done = Results(tmp_path / "failed.jsonl"), Results(tmp_path / "done.jsonl")
    failed.append(row(None, None, status="failed", error="out of memory", run_id="b" * 16))
    assert [run.row.status for run in runs_of([failed])] == ["failed"]
    done.append(row(0.5))
    assert [run.row.status for run in runs_of([failed, done])] == ["ok"]


def test_a_condition_chooses_runs(tmp_path):
    results = two_heads(tmp_path / "a.jsonl")
    chosen = Collection.of([results], "k_shot == 5 and evaluator ~ probe").rows()
    assert [(one.k_shot, one.evaluator) for one in chosen] == [(5, PROBE)]
    assert len(Collection.of([results], f"evaluator = {PROTOTYPE}").rows()) == 2


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ("kshot = 5", "a row has no column 'kshot' .did you mean 'k_shot'..; it has: run_id, .*evaluator"),
        ("k_shot = 7", "no run meets 'k_shot = 7'; k_shot is 1, 5"),
        ("error ~ memory", "no run meets 'error ~ memory'; error is empty"),
        ("k_shot = 1, accuracy = 5", r"no run meets .*; accuracy is 0\.[0-9]+, 0\.[0-9]+"),
        ("k_shot = 1, run_id ~ zz", "no run meets 'k_shot = 1, run_id ~ zz'; run_id is "),
    ],
)
def test_a_condition_that_chooses_nothing_says_what_there_is(tmp_path, where, sentence):
    with pytest.raises(ValueError, match=sentence):
        Collection.of([two_heads(tmp_path / "a.jsonl")], where)


def test_parts_that_only_meet_different_runs_say_so():
    with pytest.raises(ValueError, match=r"no run meets .*; each part alone is met by some"):
        meeting("k_shot = 1, n_way = 5", [row(k_shot=1, n_way=10), row(k_shot=5, n_way=5)])


def test_a_collection_is_read_only(tmp_path):
    together = Collection.of([two_heads(tmp_path / "a.jsonl")])
    with pytest.raises(TypeError, match="read-only"):
        together.append(row())
