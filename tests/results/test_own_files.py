"""Rows in the files of several processes are read with the results file, and moved there without a loss."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest

from fewshot.results.collections import Collection, StoredRun
from fewshot.results.copies import delete_runs, move_results
from fewshot.results.files import Results
from tests.support.stored_runs import two_heads


@pytest.fixture
def rows(tmp_path):
    """The rows of some runs, in a file of their own."""
    return two_heads(tmp_path / "source.jsonl").rows()


def own(path, name):
    return Results(path, own=name)


def test_all_readers_see_the_rows_of_all_processes(rows, tmp_path):
    path = tmp_path / "rows.jsonl"
    Results(path).append(rows[0])
    for number, row in enumerate(rows[1:]):
        own(path, f"host-{number}").append(row)
    assert Results(path).rows() == rows
    assert [Results(path).row(row.run_id) for row in rows] == rows
    assert Collection.of([Results(path)]).rows() == rows


def test_gathering_keeps_every_line_in_the_order_that_is_asked_for(rows, tmp_path):
    path = tmp_path / "rows.jsonl"
    for number, row in enumerate(rows):
        own(path, f"host-{number % 2}").append(row)
    order = [row.run_id for row in reversed(rows)]
    Results(path).gather(order)
    assert [row.run_id for row in Results(path).rows()] == order
    assert not path.with_suffix(".rows").exists()
    Results(path).gather()
    assert len(path.read_text().splitlines()) == len(rows)


def test_several_that_gather_at_once_move_each_line_once(rows, tmp_path):
    path = tmp_path / "rows.jsonl"
    for number, row in enumerate(rows * 10):
        own(path, f"host-{number}").append(row)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: Results(path).gather(), range(8)))
    assert len(path.read_text().splitlines()) == 10 * len(rows)
    assert Results(path).places == [path]


def test_a_kill_between_the_steps_of_gathering_changes_nothing(rows, tmp_path):
    path = tmp_path / "rows.jsonl"
    for row in rows:
        own(path, "host").append(row)
        Results(path).append(row)  # gathered, but the own file is still there
    assert Results(path).rows() == rows
    assert Results(path).disagreements == ()


def test_the_row_with_more_episodes_counts_then_the_latest(rows, tmp_path):
    path = tmp_path / "rows.jsonl"
    less, more = rows[0], dataclasses.replace(rows[0], n_episodes=rows[0].n_episodes + 1)
    own(path, "a").append(more)
    own(path, "b").append(less)
    assert Results(path).row(less.run_id) == more
    assert Results(path).rows() == [more]


def test_a_failure_ends_with_a_later_success_in_any_file(rows, tmp_path):
    path = tmp_path / "rows.jsonl"
    early, late = "2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"
    failure = dataclasses.replace(rows[0], status="failed", error="no", finished=early)
    success = dataclasses.replace(rows[0], finished=late)
    own(path, "z").append(failure)
    own(path, "a").append(success)
    assert Results(path).rows() == [success]
    own(path, "y").append(dataclasses.replace(failure, finished="2026-01-03T00:00:00+00:00"))
    assert sorted(row.status for row in Results(path).rows()) == ["failed", "ok"]


def test_two_accuracies_in_two_files_are_a_disagreement(rows, tmp_path):
    path = tmp_path / "rows.jsonl"
    own(path, "a").append(rows[0])
    own(path, "b").append(dataclasses.replace(rows[0], accuracy=rows[0].accuracy - 0.01, accuracy_low=0.1))
    (found,) = Results(path).disagreements
    assert found.run_id == rows[0].run_id


def test_runs_of_other_processes_are_deleted_and_moved_too(rows, tmp_path):
    path = tmp_path / "rows.jsonl"
    for row in rows:
        own(path, "host").append(row)
    delete_runs(Results(path), [StoredRun(rows[0], Results(path))])
    assert Results(path).rows() == rows[1:]
    own(path, "host").append(rows[0])
    move_results(Results(path), tmp_path / "moved.jsonl")
    assert Results(tmp_path / "moved.jsonl").rows() == [*rows[1:], rows[0]]


FAILED = {"status": "failed", "error": "no disk"}


@pytest.mark.parametrize("names", [("", ""), ("", "b"), ("a", ""), ("a", "b"), ("a", "a")])
def test_a_failure_is_written_once_by_whichever_process_until_something_else_happens(rows, tmp_path, names):
    results, again = (own(tmp_path / "rows.jsonl", name) for name in names)
    failures = [
        dataclasses.replace(rows[0], **FAILED, finished=f"2026-01-0{day}T00:00:00+00:00", commit=f"{day}")
        for day in (1, 2, 5)
    ]
    results.append(failures[0])
    again.append(failures[1])
    assert list(again.lines()) == [failures[0].to_json().encode() + b"\n"]
    Results(results.path).gather()
    again.append(failures[1])
    assert Results(results.path).rows() == failures[:1]
    others = ({"error": "no memory"}, {"benchmark_set": "dtd"}, {"seed": 7}, {"error": "b\udcfcro"})
    for number, other in enumerate(others, 2):
        for _ in range(2):
            again.append(dataclasses.replace(failures[1], **other))
        assert len(list(again.lines())) == number
    again.append(dataclasses.replace(rows[0], finished="2026-01-04T00:00:00+00:00"))
    again.append(failures[2])
    again.append(failures[2])
    assert len(list(again.lines())) == len(others) + 3


def test_of_processes_that_fail_at_once_one_writes_the_failure(rows, tmp_path):
    path, failure = tmp_path / "rows.jsonl", dataclasses.replace(rows[0], **FAILED)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: own(path, f"host-{number}").append(failure), range(8)))
    assert list(Results(path).lines()) == [failure.to_json().encode() + b"\n"]
