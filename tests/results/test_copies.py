"""Rows and predictions move together, and nothing is lost where a copy, a deletion or a move stops half-way."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from fewshot.results.collections import Collection
from fewshot.results.copies import copy_runs, delete_runs, move_results
from fewshot.results.files import Results
from fewshot.results.short_names import ShortNames
from tests.support.report_rows import row
from tests.support.stored_runs import content, stored_run, two_heads

NAMES = ShortNames({"RawPixels(image_size=32)": "pixels"})


def whole(results: Results) -> None:
    """Every row has the predictions that give its number."""
    for one in results.rows():
        assert sum(len(part) for part in results.predictions(one)) == one.n_episodes


def copy(files: list[Results], target: Path, where: str = "") -> Results:
    together = Collection.of(files, where)
    copy_runs(together.runs, Results(target), together.short_names)
    return Results(target)


def test_a_copy_holds_rows_predictions_and_names(tmp_path):
    source = two_heads(tmp_path / "a.jsonl")
    NAMES.write(source.names_path)
    target = copy([source], tmp_path / "new" / "b.jsonl")
    assert target.path.read_bytes() == source.path.read_bytes()
    assert content(target.predictions_folder) == content(source.predictions_folder)
    assert target.short_names == NAMES
    whole(target)


def test_a_merge_takes_each_run_with_the_predictions_of_its_file(tmp_path):
    first, second = Results(tmp_path / "a.jsonl"), Results(tmp_path / "b.jsonl")
    stored_run(first, n=4, run_id="a" * 16)
    stored_run(second, n=8, run_id="a" * 16)
    stored_run(second, n=4, k_shot=5)
    target = copy([first, second], tmp_path / "c.jsonl")
    assert [one.n_episodes for one in target.rows()] == [8, 4]
    whole(target)


RULE = "Selection(on='{}', grid=(('C', (0.1, 1.0)),), n_episodes=4, seed=7)"


@pytest.mark.parametrize(("on", "tried"), [("validation", {"classes": "validation", "seed": 7}), ("oracle", {})])
def test_the_trials_of_a_choice_move_with_its_run(tmp_path, on, tried):
    source = Results(tmp_path / "a.jsonl")
    rule = RULE.format(on).replace(", seed=7", "" if on == "oracle" else ", seed=7")
    stored_run(source, evaluator="LinearProbe(C=1.0)", selection_rule=rule)
    stored_run(source, evaluator="Prototype()", k_shot=5)
    own = [stored_run(source.trials, evaluator=f"LinearProbe(C={c})", wrong=c / 4, **tried) for c in (0.1, 1.0)]
    stored_run(source.trials, evaluator="LinearProbe(C=0.1)", k_shot=5, **tried)
    stored_run(source.trials, evaluator="Prototype()", **tried)
    target = copy([source], tmp_path / "b.jsonl", "selection_rule != ''")
    assert target.trials.rows() == own
    whole(target.trials)
    assert not copy([source], tmp_path / "c.jsonl", "selection_rule == ''").trials.path.exists()


def test_columns_of_another_release_are_kept(tmp_path):
    source = Results(tmp_path / "a.jsonl")
    source.path.write_text(json.dumps(json.loads(row().to_json()) | {"column_of_tomorrow": 3}) + "\n")
    assert copy([source], tmp_path / "b.jsonl").path.read_bytes() == source.path.read_bytes()


def test_a_last_line_without_an_end_is_copied(tmp_path):
    source = two_heads(tmp_path / "a.jsonl")
    source.path.write_bytes(source.path.read_bytes().removesuffix(b"\n"))
    assert copy([source], tmp_path / "b.jsonl").rows() == source.rows()


@pytest.mark.parametrize("taken", ["b.jsonl", "b.predictions", "b.names.json", "b.trials"])
def test_nothing_is_overwritten(tmp_path, taken):
    source = two_heads(tmp_path / "a.jsonl")
    (tmp_path / taken).write_text("mine")
    before = content(tmp_path)
    with pytest.raises(ValueError, match=f"{taken} exists; choose another"):
        copy([source], tmp_path / "b.jsonl")
    NAMES.write(source.names_path)
    source.trials.path.parent.mkdir()
    with pytest.raises(ValueError, match=f"{taken} exists; choose another"):
        move_results(source, tmp_path / "b.jsonl")
    source.names_path.unlink()
    assert content(tmp_path) == before


def test_predictions_that_are_not_those_of_the_row_are_never_copied(tmp_path):
    source = Results(tmp_path / "a.jsonl")
    one = stored_run(source, wrong=0.2)
    source.parts(one.run_id).remove()
    other = Results(tmp_path / "other.jsonl")
    (part,) = other.parts(stored_run(other, wrong=0.6).run_id).files()
    os.replace(part, source.parts(one.run_id).folder / part.name)
    with pytest.raises(ValueError, match=one.run_id):
        copy([source], tmp_path / "b.jsonl")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith((".", "b"))]


def full_disk(monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
    """After so many files, every sync to the disk fails."""
    left = iter([True] * writes)

    def fsync(file: int) -> None:
        if not next(left, False):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)


@pytest.mark.parametrize("writes", range(6))
def test_a_full_disk_leaves_no_half_copy(tmp_path, monkeypatch, writes):
    source = two_heads(tmp_path / "a.jsonl")
    NAMES.write(source.names_path)
    before = content(tmp_path)
    full_disk(monkeypatch, writes)  # four parts, the names, the rows
    with pytest.raises(OSError, match="No space left on device"):
        copy([source], tmp_path / "b.jsonl")
    assert content(tmp_path) == before
    monkeypatch.undo()
    whole(copy([source], tmp_path / "b.jsonl"))


def test_delete_takes_lines_and_predictions_of_its_runs_only(tmp_path):
    results = two_heads(tmp_path / "a.jsonl")
    results.path.write_bytes(results.path.read_bytes() + b"not a row\n")
    lines = results.path.read_bytes().splitlines(keepends=True)
    delete_runs(results, Collection.of([results], "k_shot = 1").runs)
    assert results.path.read_bytes() == b"".join(lines[2:])
    assert {path.name for path in results.predictions_folder.iterdir()} == {one.run_id for one in results.rows()}
    whole(results)


def test_delete_takes_earlier_lines_and_failed_attempts_too(tmp_path):
    results = Results(tmp_path / "a.jsonl")
    results.append(row(None, None, status="failed", error="out of memory"))
    results.append(row(0.5, n_episodes=10, run_id="a" * 16))
    results.append(row(0.5, n_episodes=20, run_id="a" * 16))
    delete_runs(results, Collection.of([results]).runs)
    assert results.path.read_bytes() == b""


def test_deleting_a_failure_keeps_the_result_of_its_run(tmp_path):
    results = Results(tmp_path / "a.jsonl")
    done = stored_run(results)
    results.append(row(None, None, status="failed", error="out of memory"))
    delete_runs(results, Collection.of([results], "status = failed").runs)
    assert results.rows() == [done]
    whole(results)


def test_delete_loses_nothing_on_a_full_disk(tmp_path, monkeypatch):
    results = two_heads(tmp_path / "a.jsonl")
    before, runs = content(tmp_path), Collection.of([results], "k_shot = 1").runs
    full_disk(monkeypatch, 0)
    with pytest.raises(OSError, match="No space left on device"):
        delete_runs(results, runs)
    assert content(tmp_path) == before


def test_a_move_takes_everything_along(tmp_path):
    results = two_heads(tmp_path / "a.jsonl")
    NAMES.write(results.names_path)
    stored_run(results.trials)
    before = {name.replace("a.", "b.", 1): held for name, held in content(tmp_path).items()}
    move_results(results, tmp_path / "b.jsonl")
    assert content(tmp_path) == before


@pytest.mark.parametrize("done", range(4))
def test_a_second_call_finishes_a_move_that_was_killed(tmp_path, monkeypatch, done):
    results, real = two_heads(tmp_path / "a.jsonl"), os.replace
    NAMES.write(results.names_path)
    stored_run(results.trials)
    left = iter([True] * done)

    def killed(old: Path, new: Path) -> None:
        if not next(left, False):
            raise KeyboardInterrupt
        real(old, new)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        move_results(results, tmp_path / "b.jsonl")
    monkeypatch.undo()
    move_results(results, tmp_path / "b.jsonl")
    whole(Results(tmp_path / "b.jsonl"))
    whole(Results(tmp_path / "b.jsonl").trials)
    assert Results(tmp_path / "b.jsonl").short_names == NAMES


def test_a_move_to_another_disk_says_how_to_copy(tmp_path, monkeypatch):
    results = two_heads(tmp_path / "a.jsonl")

    def other_disk(old: Path, new: Path) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "replace", other_disk)
    with pytest.raises(OSError, match="Invalid cross-device link; copy with `fewshot results merge --out`"):
        move_results(results, tmp_path / "b.jsonl")
