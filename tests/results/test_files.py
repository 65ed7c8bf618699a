"""Rows and predictions survive kills, torn lines and old releases."""

from __future__ import annotations

import json
import logging
import multiprocessing
import resource
import weakref
from dataclasses import fields, replace
from pathlib import Path

import fewshot.benchmarks
import numpy as np
import pytest

from fewshot.episodes.episodes import Episodes
from fewshot.results.columns import Cost, Digests, Honesty, Provenance, RunName, Score, SpecColumns, Training
from fewshot.results.files import Results
from fewshot.results.predictions import Predictions, episode_accuracy
from fewshot.results.resources import Resources
from fewshot.results.row import Row
from tests.support.checkout import RELEASE_0_1


@pytest.fixture
def results(tmp_path):
    return Results(tmp_path / "new folder" / "rows.jsonl")


ROW = Row(run_id="a1", accuracy=0.5, n_episodes=10, dataset="Icons(domain='mono')", k_shot=None)


def test_a_row_comes_back_as_it_was(results):
    results.append(ROW)
    assert results.rows() == [ROW]


def test_nan_is_written_as_null_and_the_line_is_strict_json(results):
    line = replace(ROW, accuracy_low=float("nan")).to_json()
    assert json.loads(line, parse_constant=lambda name: pytest.fail(name))["accuracy_low"] is None


def test_the_last_row_of_a_run_counts(results):
    for row in (ROW, replace(ROW, run_id="b"), replace(ROW, n_episodes=20)):
        results.append(row)
    assert [(r.run_id, r.n_episodes) for r in results.rows()] == [("a1", 20), ("b", 10)]


@pytest.mark.parametrize("room", [0, 1, 300])
def test_a_row_for_which_there_is_no_room_leaves_no_part_behind(results, room):
    results.append(ROW)
    before, limits = results.path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + room, limits[1]))
    try:
        with pytest.raises(OSError, match=r"cannot append to .*: File too large; free space or set another file"):
            results.append(replace(ROW, run_id="b"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert results.path.read_bytes() == before


@pytest.mark.parametrize(
    "torn",
    [b'{"run_id": "x", "acc', b"\xff\xfe", b"[1, 2]", b'{"accuracy": 1}', b'{"run_id": "x", "n_episodes": "many"}'],
)
def test_an_unreadable_line_is_reported_and_its_neighbours_survive(results, torn, caplog):
    results.append(ROW)
    with open(results.path, "ab") as file:
        file.write(torn)
    results.append(replace(ROW, run_id="b"))
    with caplog.at_level(logging.WARNING, "fewshot"):
        assert [row.run_id for row in results.rows()] == ["a1", "b"]
    assert "skipped line 2, which is unreadable" in caplog.text


def test_rows_of_an_older_or_newer_release_are_read(results):
    results.path.parent.mkdir()
    results.path.write_text('{"run_id": "old", "accuracy": 1}\n{"run_id": "new", "column_of_tomorrow": 3}\n')
    assert [(row.run_id, row.accuracy, row.status) for row in results.rows()] == [("old", 1, "ok"), ("new", None, "ok")]


def _append_many(path, name):
    for i in range(50):
        Results(path).append(Row(run_id=f"{name}{i}", error="x" * 5000))


def test_processes_that_append_at_once_leave_whole_lines(results):
    workers = [multiprocessing.get_context("fork").Process(target=_append_many, args=(results.path, n)) for n in "ab"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results.rows()) == 100


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"cannot create the folder .*file: .*; make it writable"):
        Results(tmp_path / "file" / "rows.jsonl").append(ROW)


def predictions(start, stop, seed=0):
    """Two-way episodes with 3 and 2 queries, whatever range they are asked for in."""
    n = stop - start
    ints = lambda values: np.tile(np.array(values, np.int32), n)  # noqa: E731
    episodes = Episodes(
        np.arange(start, stop),
        ints([2]),
        ints([0, 1]),
        ints([1, 1]),
        ints([3, 2]),
        ints([0, 5]),
        ints([1, 2, 3, 6, 7]),
        "images",
    )
    random = np.random.default_rng(seed)
    predicted = np.concatenate([np.random.default_rng(i).integers(0, 2, 5) for i in range(start, stop)]).astype(
        np.uint16
    )
    return Predictions(
        episodes,
        predicted,
        random.random(5 * n).astype(np.float16),
        -random.random(5 * n).astype(np.float16),
        np.ones(n, bool),
        np.repeat(predicted, 2).astype(np.float16),
    )


MADE = {"weights_digest": "w", "images_digest": "images"}


def test_parts_name_what_is_missing(results):
    parts = results.parts("run")
    assert parts.missing(0, 10, MADE) == [(0, 10)]
    parts.write(predictions(2, 4), MADE)
    parts.write(predictions(6, 8), MADE)
    assert parts.missing(0, 10, MADE) == [(0, 2), (4, 6), (8, 10)]
    assert parts.missing(3, 7, MADE) == [(4, 6)]
    assert parts.missing(2, 4, MADE) == []


def test_parts_are_read_in_order_without_their_overlaps(results):
    parts = results.parts("run")
    for start, stop in ((0, 4), (2, 6), (3, 5), (6, 9)):
        parts.write(predictions(start, stop), MADE)
    found = Predictions.concatenate(list(parts.read(8)))
    assert found.episodes.index.tolist() == list(range(8))
    assert np.array_equal(found.predicted, predictions(0, 8).predicted)
    assert np.array_equal(found.logits, predictions(0, 8).logits)


def test_a_part_that_its_reader_let_go_of_is_gone_before_the_next_is_read(results, monkeypatch):
    parts, load, earlier = results.parts("run"), Predictions.load, []
    for start in (0, 3, 6):
        parts.write(predictions(start, start + 3), MADE)

    def watched(path):
        assert [ref() for ref in earlier] == [None] * len(earlier)
        found = load(path)
        earlier.append(weakref.ref(found[0]))
        return found

    monkeypatch.setattr(Predictions, "load", staticmethod(watched))
    assert [int(part.episodes.index[0]) for part in parts.read(9)] == [0, 3, 6]
    assert len(earlier) == 3


def test_reading_beyond_what_is_stored_is_an_error(results):
    parts = results.parts("run")
    parts.write(predictions(0, 3), MADE)
    with pytest.raises(ValueError, match="up to episode 3, but 5 are needed"):
        list(parts.read(5))


@pytest.mark.parametrize("harm", ["other weights", "truncated", "foreign"])
def test_parts_of_other_weights_and_damaged_parts_run_again(results, harm, caplog):
    parts = results.parts("run")
    parts.write(predictions(0, 3), MADE | ({"weights_digest": "other"} if harm == "other weights" else {}))
    (path,) = parts.folder.glob("*.safetensors")
    if harm == "truncated":
        path.write_bytes(path.read_bytes()[:-7])
    elif harm == "foreign":
        path.write_bytes(b"not safetensors")
    with caplog.at_level(logging.WARNING, "fewshot"):
        assert parts.missing(0, 3, MADE) == [(0, 3)]
    assert "run again" in caplog.text
    assert not path.exists()


def test_predictions_round_trip_and_slice(tmp_path):
    whole = predictions(0, 6)
    whole.save(tmp_path / "p.safetensors", MADE)
    found, about = Predictions.load(tmp_path / "p.safetensors")
    assert about["weights_digest"] == "w"
    assert found.episodes.digest == whole.episodes.digest
    for name in ("predicted", "confidence", "log_probability", "converged", "logits"):
        assert np.array_equal(getattr(found, name), getattr(whole, name))
    assert np.array_equal(whole[2:4].predicted, whole.predicted[10:20])


def test_the_accuracy_of_an_episode_is_its_share_of_right_answers():
    found = predictions(0, 20)
    by_hand = [(found.predicted[5 * e : 5 * e + 5] == [0, 0, 0, 1, 1]).mean() for e in range(20)]
    assert episode_accuracy(found).tolist() == by_hand


def test_a_failure_stands_beside_an_earlier_result_and_goes_with_a_later_one(results):
    failed = replace(ROW, run_id="of another name", status="failed", error="no disk", accuracy=None)
    results.append(ROW)
    results.append(failed)
    assert results.rows() == [ROW, failed]
    assert results.row("of another name") is None
    results.append(replace(ROW, n_episodes=20))
    assert results.rows() == [replace(ROW, n_episodes=20)]


def test_what_parts_cost_adds_up(results):
    parts = results.parts("run")
    parts.write(predictions(0, 2), MADE | {"seconds_solving": "1.5", "n_embedded": "7"})
    parts.write(predictions(2, 4), MADE | {"seconds_solving": "0.25"})
    costs = parts.costs()
    assert (costs.cost("seconds_solving"), costs.cost("n_embedded")) == (1.75, 7)


def test_text_that_is_no_unicode_is_written_and_read(results):
    results.append(replace(ROW, error="cannot read b\udcfcro/größe \u2028 \x00 小.png\nline two"))
    results.append(replace(ROW, run_id="b"))
    found = results.rows()
    assert [row.run_id for row in found] == ["a1", "b"]
    assert found[0].error == "cannot read b?ro/größe \u2028 \x00 小.png\nline two"


def test_a_line_of_many_megabytes_is_read(results):
    results.append(replace(ROW, error="x" * 5_000_000))
    results.append(replace(ROW, run_id="b"))
    assert [len(row.error) for row in results.rows()] == [5_000_000, 0]


def test_json_without_end_is_one_bad_line(results, caplog):
    results.append(ROW)
    with open(results.path, "ab") as file:
        file.write(b"[" * 200_000 + b"\n")
    with caplog.at_level(logging.WARNING, "fewshot"):
        assert results.rows() == [ROW]
    assert "skipped line 2, which is unreadable" in caplog.text


def test_windows_line_ends_and_empty_lines_are_read(results):
    results.path.parent.mkdir()
    results.path.write_bytes(f"\r\n{ROW.to_json()}\r\n\n  \n{replace(ROW, run_id='b').to_json()}".encode())
    results.append(replace(ROW, run_id="c"))
    assert [row.run_id for row in results.rows()] == ["a1", "b", "c"]


def test_an_absent_and_an_empty_file_hold_no_rows(results):
    assert results.rows() == []
    results.path.parent.mkdir()
    results.path.touch()
    assert results.rows() == []
    results.append(ROW)
    assert results.path.read_bytes().count(b"\n") == 1


def test_a_folder_in_the_place_of_the_file_is_named(results):
    results.path.mkdir(parents=True)
    with pytest.raises(ValueError, match=r"cannot read the results file .*rows.jsonl: it is a folder"):
        results.rows()
    with pytest.raises(ValueError, match=r"rows.jsonl: it is a folder, not a regular file; give the path of a file"):
        results.append(ROW)


def test_a_disk_that_is_full_leaves_one_bad_line_at_most_and_says_what_to_do(results, monkeypatch):
    results.append(ROW)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fewshot.results.files.os.fsync", full)
    with pytest.raises(OSError, match=r"No space left on device; free space or set another file"):
        results.append(replace(ROW, run_id="b"))
    monkeypatch.undo()
    results.append(replace(ROW, run_id="c"))
    assert {"a1", "c"} <= {row.run_id for row in results.rows()}


def test_a_row_of_a_later_schema_is_skipped_because_it_may_mean_something_else(results, caplog):
    results.append(replace(ROW, schema=99))
    results.append(replace(ROW, run_id="b"))
    assert [row.run_id for row in results.rows()] == ["b"]
    assert "skipped line 1, which is unreadable (column schema should be 1, or update fewshot" in caplog.text


def test_of_failures_of_one_request_the_last_counts(results):
    for error in ("first", "second"):
        results.append(replace(ROW, status="failed", error=error))
    results.append(replace(ROW, run_id="b", seed=1, status="failed", error="other"))
    assert [row.error for row in results.rows()] == ["second", "other"]


def test_a_part_that_another_process_removed_is_missing(results, monkeypatch):
    parts = results.parts("run")
    parts.write(predictions(0, 3), MADE)
    ranges = parts._ranges
    monkeypatch.setattr(type(parts), "_ranges", property(lambda _: ranges))
    next(iter(ranges)).unlink()
    assert parts.missing(0, 3, MADE) == [(0, 3)]


def test_rows_of_the_first_release_are_read():
    rows = Results(RELEASE_0_1).rows()
    assert [row.run_id for row in rows] == ["442203eb889fa66d", "66dfa6457966d65b", "96ee04c78a8c1bae"]
    assert rows[0].accuracy == pytest.approx(0.6231555555555556)
    assert rows[0].population == "these images"


COMMITTED = [
    line
    for folder in (fewshot.benchmarks.FOLDER / "results", Path(__file__).parent / "rows")
    for path in sorted(folder.glob("*.jsonl"))
    for line in path.read_text(encoding="utf-8").splitlines()
    if "run_id" in json.loads(line)
]


def test_committed_rows_are_written_as_they_were_read():
    """The columns of a line keep their order and their values, and the others take their defaults."""
    assert len(COMMITTED) > 1000
    blank = json.loads(Row("").to_json())
    for line in COMMITTED:
        written = Row.from_json(line).to_json()
        assert Row.from_json(written).to_json() == written
        read, kept = json.loads(line), json.loads(written)
        assert list(kept) == list(blank)
        assert json.dumps({name: kept[name] for name in kept if name in read}) == json.dumps(read)
        assert {name: value for name, value in kept.items() if name not in read}.items() <= blank.items()


def test_the_columns_of_a_row_are_those_of_its_groups_in_order():
    groups = (RunName, SpecColumns, Score, Honesty, Training, Cost, Digests, Provenance, Resources)
    assert [f.name for group in groups for f in fields(group)] == [f.name for f in fields(Row)]
    row = Row.of(RunName("a", protocol="p@1"), Cost(dim=3), Score(accuracy=0.5, n_episodes=7))
    assert row == Row("a", protocol="p@1", dim=3, accuracy=0.5, n_episodes=7)
    assert Row.of(row, Score(accuracy=0.6)) == replace(row, accuracy=0.6, n_episodes=0)
