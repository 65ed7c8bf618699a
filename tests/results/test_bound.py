"""Predictions belong to their run and their row: any others are refused by name, or computed again by a run."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save_file

from fewshot.episodes.digest import EpisodesDigest
from fewshot.files.atomic import read_safetensors, write_safetensors
from fewshot.results.files import Results
from fewshot.results.predictions import Predictions, episode_accuracy
from fewshot.results.row import Row
from tests.support.predictions import answered
from tests.support.worlds import labelled, ragged

EPISODES = ragged(labelled(8, 40), 12)
MADE = {"weights_digest": "w", "preprocess_digest": "p", "images_digest": EPISODES.images_digest}


def stored(folder: Path, name: str = "run", seed: int = 0) -> tuple[Results, Row]:
    """A run of twelve episodes in two parts, and its row."""
    results, predictions, digest = Results(folder / "rows.jsonl"), answered(EPISODES, seed), EpisodesDigest()
    digest.add(EPISODES)
    accuracy = float(episode_accuracy(predictions).mean())
    row = Row(name, accuracy=accuracy, n_episodes=12, episodes_digest=digest.value, **MADE)
    results.append(row)
    for part in (predictions[:5], predictions[5:]):
        results.parts(name).write(part, MADE)
    return results, row


def first_part(results: Results, name: str = "run") -> Path:
    return min(results.parts(name).folder.iterdir())


def read(results: Results, row: Row) -> list[Predictions]:
    return list(results.predictions(row))


def test_the_predictions_of_a_row_are_those_that_were_stored(tmp_path):
    results, row = stored(tmp_path)
    whole = Predictions.concatenate(read(results, row))
    assert whole.episodes.digest == EPISODES.digest
    assert np.array_equal(whole.predicted, answered(EPISODES).predicted)


def rewritten(change: Callable[[dict], None]) -> Callable[[Path], None]:
    """Changes the arrays of a part, and writes it as fewshot does, with a right checksum."""

    def write(path: Path) -> None:
        arrays, about = read_safetensors(path, "predictions")
        change(arrays)
        write_safetensors(path, arrays, about)

    return write


def changed(name: str, make: Callable) -> Callable[[Path], None]:
    return rewritten(lambda arrays: arrays.update({name: make(arrays[name])}))


def with_value(value: float) -> Callable:
    return lambda array: np.where(np.arange(len(array)) == 3, value, array).astype(array.dtype)


UNSOUND = {
    "no array 'confidence'": rewritten(lambda arrays: arrays.pop("confidence")),
    "no array 'episodes.query'": rewritten(lambda arrays: arrays.pop("episodes.query")),
    "an unknown array 'more'": rewritten(lambda arrays: arrays.update(more=np.zeros(3))),
    "'confidence' should be float16, but is float64": changed("confidence", lambda a: a.astype(np.float64)),
    "'predicted' should be uint16, but is int64": changed("predicted", lambda a: a.astype(np.int64)),
    "'predicted' should have": changed("predicted", lambda a: a[:-1]),
    "'converged' should have": changed("converged", lambda a: a.reshape(1, -1)),
    "'logits' should have": changed("logits", lambda a: a[1:]),
    "'episodes.support' should have": changed("episodes.support", lambda a: np.append(a, a[:1])),
    "counts in 'episodes.query_count' go down to -1": changed("episodes.query_count", with_value(-1)),
    "'episodes.classes' goes down to -1": changed("episodes.classes", with_value(-1)),
    "it predicts way 99 in an episode of": changed("predicted", with_value(99)),
    r"confidences are not all in \[0, 1\]": changed("confidence", with_value(2)),
    r"confidences are not all in \[0, 1\] ": changed("confidence", with_value(float("nan"))),
    "log-probabilities are not all": changed("log_probability", with_value(0.5)),
    "logits are not all numbers": changed("logits", with_value(float("nan"))),
}


def without_checksum(path: Path) -> None:
    """Writes a part as releases without checksums did."""
    with safe_open(path, framework="numpy") as file:
        arrays, about = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()["fewshot"]  # noqa: SIM118
    save_file(arrays, path, metadata={"fewshot": about.replace(', "run_id": "run"', "")})


@pytest.mark.parametrize("problem", UNSOUND)
@pytest.mark.parametrize("old", [False, True])
def test_arrays_that_are_not_predictions_are_refused_by_name_and_computed_again(tmp_path, problem, old, caplog):
    results, row = stored(tmp_path)
    path = first_part(results)
    UNSOUND[problem](path)
    if old:
        without_checksum(path)
    with pytest.raises(ValueError, match=rf"{path.name} does not hold predictions of fewshot: .*{problem.strip()}"):
        read(results, row)
    with caplog.at_level(logging.WARNING, "fewshot"):
        assert results.parts("run").missing(0, 12, MADE) == [(0, 5)]
    assert "its episodes run again" in caplog.text


def other_answers(arrays: dict) -> None:
    arrays["predicted"] = (1 - np.minimum(arrays["predicted"], 1)).astype(np.uint16)


def other_rows(arrays: dict) -> None:
    arrays["episodes.query"] = arrays["episodes.query"][::-1].copy()


@pytest.mark.parametrize(
    ("change", "problem"),
    [(other_answers, r"their accuracy is 0\.\d+, that of the row"), (other_rows, "they are of other episodes")],
)
@pytest.mark.parametrize("old", [False, True])
def test_sound_predictions_with_other_numbers_than_the_row_are_refused(tmp_path, change, problem, old, caplog):
    results, row = stored(tmp_path)
    rewritten(change)(first_part(results))
    if old:
        without_checksum(first_part(results))
    with pytest.raises(ValueError, match=f"are not those of the row of the run run: {problem}"):
        read(results, row)
    results.drop_changed(row)
    assert "all episodes run again" in caplog.text
    assert results.parts("run").missing(0, 12, MADE) == [(0, 12)]


def test_predictions_of_a_row_that_fit_or_that_are_missing_are_not_dropped(tmp_path):
    results, row = stored(tmp_path)
    results.drop_changed(row)
    assert results.parts("run").missing(0, 12, MADE) == []
    first_part(results).unlink()
    results.drop_changed(row)
    assert results.parts("run").missing(0, 12, MADE) == [(0, 5)]


def test_a_part_of_another_run_is_refused_by_name(tmp_path, caplog):
    results, row = stored(tmp_path)
    stored(tmp_path, "other", seed=1)
    shutil.copy(first_part(results, "other"), first_part(results))
    with pytest.raises(ValueError, match=r"000000005.safetensors belongs to the run other, not to the run run"):
        read(results, row)
    assert results.parts("run").missing(0, 12, MADE) == [(0, 5)]
    assert "belongs to the run other" in caplog.text


def test_a_folder_of_another_run_is_refused_by_name(tmp_path):
    results, row = stored(tmp_path)
    stored(tmp_path, "other", seed=1)
    shutil.rmtree(results.parts("run").folder)
    shutil.copytree(results.parts("other").folder, results.parts("run").folder)
    with pytest.raises(ValueError, match="belongs to the run other"):
        read(results, row)


@pytest.mark.parametrize("name", ["weights_digest", "preprocess_digest", "images_digest"])
def test_a_part_of_other_weights_or_images_than_the_row_is_refused(tmp_path, name):
    results, row = stored(tmp_path)
    with pytest.raises(ValueError, match=f"was made with another {name}"):
        read(results, replace(row, **{name: "another"}))


def test_a_renamed_part_is_refused_by_name(tmp_path):
    results, row = stored(tmp_path)
    first_part(results).rename(results.parts("run").folder / "000000000-000000007.safetensors")
    with pytest.raises(ValueError, match="does not hold the episodes 0 to 6 that its name says"):
        read(results, row)
    assert results.parts("run").missing(0, 12, MADE) == [(0, 5)]


def test_an_extra_part_is_refused_by_name_and_set_aside_by_a_run(tmp_path, caplog):
    results, row = stored(tmp_path)
    extra = results.parts("run").folder / "000000000-000000005 (copy).safetensors"
    shutil.copy(first_part(results), extra)
    with pytest.raises(ValueError, match=r"\(copy\).safetensors is not a part of predictions: .*; remove it"):
        read(results, row)
    assert results.parts("run").missing(0, 12, MADE) == []
    assert "is renamed to" in caplog.text
    assert len(read(results, row)) == 2


def test_predictions_of_an_older_release_are_read_with_one_warning(tmp_path, caplog):
    results, row = stored(tmp_path)
    for path in results.parts("run").folder.iterdir():
        without_checksum(path)
    assert len(read(results, row)) == 2
    assert results.parts("run").missing(0, 12, MADE) == []
    assert caplog.text.count("by an older release, without a checksum") == 1


def test_rows_that_were_copied_without_predictions_say_what_to_copy(tmp_path):
    results, row = stored(tmp_path)
    shutil.rmtree(tmp_path / "rows.predictions")
    with pytest.raises(ValueError, match=r"no predictions of the run run in .*; copy the folder .*rows.predictions of"):
        read(results, row)


CONTENT: list[bytes] = []


@given(st.data())
def test_whatever_bit_of_a_part_flips_no_other_predictions_are_read(tmp_path, data):
    results = Results(tmp_path / "rows.jsonl")
    if not CONTENT:
        _, row = stored(tmp_path)
        CONTENT.append(first_part(results).read_bytes())
    row = results.row("run")
    path, content = first_part(results), bytearray(CONTENT[0])
    for at in data.draw(st.lists(st.integers(0, 8 * len(content) - 1), min_size=1, max_size=3, unique=True)):
        content[at // 8] ^= 1 << at % 8
    path.write_bytes(content)
    try:
        found = read(results, row)
    except ValueError:
        with pytest.raises(ValueError, match=path.name):
            read(results, row)
        return
    assert np.array_equal(found[0].predicted, answered(EPISODES)[:5].predicted)
    assert np.array_equal(found[0].confidence, answered(EPISODES)[:5].confidence)
    assert found[0].episodes.digest == EPISODES[:5].digest


@given(st.binary(max_size=400))
def test_whatever_a_part_holds_is_one_sentence(tmp_path, content):
    folder = Results(tmp_path / "rows.jsonl").parts("run").folder
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "000000000-000000005.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=path.name):
        list(Results(tmp_path / "rows.jsonl").parts("run").read(5))
