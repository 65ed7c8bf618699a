"""A run that goes on after stored predictions changed: its number is that of a fresh start, and a warning says why."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fewshot.episodes.shape import EpisodeShape
from fewshot.files.atomic import read_safetensors, write_safetensors
from fewshot.results.files import Results
from fewshot.results.made_here import was_made_here
from fewshot.results.predictions import Predictions
from fewshot.runs.pipeline import run, solve_range
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.runs.workbench import Workbench
from fewshot.work.planning import plan

BENCH = Workbench(progress=False)
SPEC = RunSpec("Glyphs()", "RawPixels(4)", "Prototype()", Sampled(EpisodeShape(5, 1, 5)), "L2()", n_episodes=12)


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-3] ^= 4
    path.write_bytes(content)


def change_answers(path: Path) -> None:
    """As somebody does who also writes the checksum."""
    arrays, about = read_safetensors(path, "predictions")
    arrays["predicted"] = np.zeros_like(arrays["predicted"])
    write_safetensors(path, arrays, about)


def claim_certainty(path: Path) -> None:
    arrays, about = read_safetensors(path, "predictions")
    arrays["confidence"] = np.full_like(arrays["confidence"], 2)
    write_safetensors(path, arrays, about)


def swap_in_another_run(path: Path) -> None:
    other = Results(path.parents[2] / "other.jsonl")
    found = run(replace(SPEC, evaluator="LinearProbe()"), other, BENCH)
    assert found is not None
    shutil.copy(other.parts(found.run_id).files()[0], path)


@pytest.mark.parametrize("change", [flip_a_bit, change_answers, claim_certainty, swap_in_another_run])
def test_more_episodes_after_a_change_give_the_number_of_a_fresh_start(tmp_path, change, caplog):
    fresh = run(replace(SPEC, n_episodes=20), Results(tmp_path / "fresh" / "rows.jsonl"), BENCH)
    results = Results(tmp_path / "rows.jsonl")
    first = run(SPEC, results, BENCH)
    assert first is not None
    assert fresh is not None
    assert was_made_here(first)
    change(results.parts(first.run_id).files()[0])
    more = run(replace(SPEC, n_episodes=20), results, BENCH)
    assert more is not None
    assert "run again" in caplog.text
    assert (more.accuracy, more.measures) == (fresh.accuracy, fresh.measures)
    list(results.predictions(more))


def lose_the_part(path: Path) -> None:
    path.unlink()
    shutil.copy(path.parents[1] / "later", path.with_name("000000012-000000024.safetensors"))


@pytest.mark.parametrize("change", [flip_a_bit, change_answers, claim_certainty, swap_in_another_run, lose_the_part])
@pytest.mark.parametrize("n_asked", [12, 5])
def test_the_same_command_repairs_a_finished_run_and_its_row_stays(tmp_path, change, n_asked, caplog):
    results = Results(tmp_path / "rows.jsonl")
    first = run(SPEC, results, BENCH)
    assert first is not None
    [part] = results.parts(first.run_id).files()
    lines, before = results.path.read_bytes(), Path(shutil.copy(part, part.parents[1] / "later"))
    change(part)
    with pytest.raises(ValueError, match=r"run the same command again|checksum|predictions of fewshot|belongs to"):
        list(results.predictions(first))
    again = run(replace(SPEC, n_episodes=n_asked), results, BENCH)
    assert again == first
    assert f"run {first.run_id} is finished, but " in caplog.text
    assert results.path.read_bytes() == lines
    repaired = Predictions.concatenate(list(results.predictions(first)))
    assert np.array_equal(repaired.predicted, Predictions.load(before)[0].predicted)
    caplog.clear()
    assert run(SPEC, results, BENCH) == first
    assert not caplog.text


def test_a_task_of_a_worker_repairs_a_finished_run(tmp_path):
    results = Results(tmp_path / "rows.jsonl")
    first = run(SPEC, results, BENCH)
    assert first is not None
    assert plan([SPEC], results, BENCH) == []
    flip_a_bit(results.parts(first.run_id).files()[0])
    assert {"solve", "row"} <= {task.kind for task in plan([SPEC], results, BENCH)}
    solve_range(SPEC, results, BENCH, 0, 12)
    list(results.predictions(first))
    assert run(SPEC, results, BENCH) == first


def test_a_row_without_predictions_stays_and_says_how_to_get_them(tmp_path, caplog):
    results = Results(tmp_path / "rows.jsonl")
    first = run(SPEC, results, BENCH)
    assert first is not None
    shutil.rmtree(results.predictions_folder)
    assert run(SPEC, results, BENCH) == first
    assert not caplog.text
    with pytest.raises(ValueError, match=f"delete its row with .*--run {first.run_id}` and run the same command again"):
        list(results.predictions(first))
    assert results.parts(first.run_id).files() == []


def test_a_part_beyond_the_episodes_of_a_row_is_checked_before_it_counts(tmp_path, caplog):
    results = Results(tmp_path / "rows.jsonl")
    first = run(SPEC, results, BENCH)
    assert first is not None
    [part] = results.parts(first.run_id).files()
    shutil.copy(part, part.with_name("000000012-000000024.safetensors"))
    assert sum(map(len, results.predictions(first))) == 12
    more, fresh = (
        run(replace(SPEC, n_episodes=24), at, BENCH) for at in (results, Results(tmp_path / "f" / "r.jsonl"))
    )
    assert "does not hold the episodes 12 to 23 that its name says; its episodes run again" in caplog.text
    assert more is not None
    assert fresh is not None
    assert more.accuracy == fresh.accuracy
