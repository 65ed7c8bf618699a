"""A benchmark refuses copies of other counts or pixels, all at once, and runs the others if the user asks."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest

from fewshot import protocols
from fewshot.datasets import _known_sets
from fewshot.datasets._known_sets import known_sets
from fewshot.protocols._places import chosen_sets
from tests.support.benchmark_folders import PIXELS, PROTOTYPE, run_benchmark
from tests.support.command_line import call, fail, succeed

BREAST = {"train": 546, "val": 78, "test": 156}  # images as published
FEW = {"train": 20, "val": 10, "test": 10}
MEDMNIST = ("run", "--benchmark", "medmnist", *PIXELS, *PROTOTYPE, "--dry-run", "--data")


def write(file: Path, counts: dict[str, int], size: int = 28, n_classes: int = 2) -> None:
    """A file of MedMNIST with noise that is brighter in some classes."""
    noise, arrays = np.random.default_rng(0), {}
    for part, number in counts.items():
        labels = np.arange(number) % n_classes
        pixels = 10 * labels[:, None, None] + noise.integers(0, 200, (number, size, size))
        arrays |= {f"{part}_images": pixels.astype(np.uint8), f"{part}_labels": labels[:, None]}
    file.parent.mkdir(exist_ok=True)
    np.savez(file, **arrays)


@pytest.mark.parametrize(
    ("size", "difference"),
    [
        (20, "has images of 20 x 20 pixels instead of 28 x 28; get it from zenodo.org/records/10519652"),
        (64, "has images of 64 x 64 pixels instead of 28 x 28 (the file of that size is called breastmnist_64); "),
    ],
)
def test_medmnist_refuses_images_of_another_size_in_one_sentence(size, difference, tmp_path, caplog):
    write(tmp_path / "breastmnist.npz", BREAST, size)
    sentence = fail(*MEDMNIST, tmp_path, "--set", "breastmnist")
    file = tmp_path / "breastmnist.npz"
    start = f"the set breastmnist of medmnist needs MedMNIST's BreastMNIST, but the copy in {file} "
    assert sentence.startswith(start + difference)
    assert "or run this copy outside the benchmark, so that its rows do not bear the name medmnist@1" in sentence
    assert "another edition" not in sentence
    assert not caplog.messages  # not a warning of its md5 before it


@pytest.mark.parametrize("name", protocols.names())
def test_a_set_is_found_by_each_name_of_its_data_and_bears_one(name):
    benchmark = protocols.benchmark(name)
    for one in benchmark.sets:
        assert chosen_sets(benchmark, [one.name]) == (one,)
        if one.edition is not None:
            of_same_data = tuple(each for each in benchmark.sets if each.edition and each.edition.of == one.edition.of)
            taken = {each.name for each in benchmark.sets}
            for other in {one.edition.of, *known_sets()[one.edition.of].names} - taken:
                assert chosen_sets(benchmark, [other]) == of_same_data


def test_a_task_of_vtab_is_recognised_in_a_folder_of_either_name():
    for one in protocols.benchmark("vtab_1k").sets:
        assert one.edition is not None
        names = known_sets()[one.edition.of].names
        folders = {Path(place.below).parent.name for place in one.places}
        assert {one.name, *folders} - {"pets"} <= set(names)  # many folders of pets are somebody's own


def as_published(monkeypatch: pytest.MonkeyPatch, size: int = 28) -> None:
    """Every file has the md5 of the published BreastMNIST of this size."""
    published = known_sets()["breastmnist"].md5
    assert published is not None
    monkeypatch.setattr(_known_sets, "md5_of", lambda _: published[str(size)])


def test_medmnist_takes_images_of_the_size_in_the_name(tmp_path, caplog, monkeypatch):
    as_published(monkeypatch, 64)
    write(tmp_path / "data/breastmnist_64.npz", BREAST, 64)
    rows = run_benchmark("medmnist", tmp_path / "data", "--set", "breastmnist")["rows"]
    assert {row["protocol"] for row in rows} == {"medmnist@1"}
    assert not [text for text in caplog.messages if "published" in text]


def test_a_benchmark_refuses_a_file_without_the_published_md5_and_the_printed_command_only_warns(tmp_path, caplog):
    write(tmp_path / "breastmnist.npz", BREAST)
    sentence = fail(*MEDMNIST, tmp_path, "--set", "breastmnist")
    file = tmp_path / "breastmnist.npz"
    start = f"the set breastmnist of medmnist needs MedMNIST's BreastMNIST, but the copy in {file} has the md5 "
    assert sentence.startswith(start)
    assert "that of the published file of 28 pixels, so its images or labels may be other ones; get it " in sentence
    assert not caplog.messages
    words = shlex.split(sentence.partition("in its mean over data sets: ")[2])
    succeed(*words[1:], "--dry-run")
    assert sum("has the md5 " in text for text in caplog.messages) == 1


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One right copy among two wrong ones."""
    as_published(monkeypatch)
    write(tmp_path / "data/breastmnist.npz", BREAST)
    write(tmp_path / "data/pneumoniamnist.npz", FEW)
    write(tmp_path / "data/retinamnist.npz", FEW, n_classes=5)
    return tmp_path / "data"


CHOSEN = ("--set", "breastmnist", "--set", "retinamnist", "--set", "pneumoniamnist")


def test_all_wrong_copies_are_named_at_once(root):
    sentence, *lines = call(*MEDMNIST, root, *CHOSEN).stderr.partition("Error: ")[2].splitlines()
    assert sentence == (
        "medmnist cannot use 2 of the 3 data sets that it found; correct them, or run the others with --partial:"
    )
    names = ["pneumoniamnist", "retinamnist"]
    assert [line.partition(" of medmnist needs ")[0] for line in lines] == [f"  {one}: the set {one}" for one in names]
    everything = fail(*MEDMNIST, root, *CHOSEN[2:], "--partial")
    assert everything.startswith("medmnist cannot use 2 of the 2 data sets that it found:\n  pneumoniamnist: ")


def test_partial_goes_on_with_the_right_copies_and_says_why_others_are_left_out(root, caplog):
    answer = run_benchmark("medmnist", root, *CHOSEN, "--partial")
    assert {row["dataset"] for row in answer["rows"]} == {f"ImageArrays(path={str(root / 'breastmnist.npz')!r})"}
    warned = [text for text in caplog.messages if text.startswith("left out ")]
    assert [text.split(": ")[0] for text in warned] == ["left out pneumoniamnist", "left out retinamnist"]
    assert all("has other numbers of images: train 20, val 10, test 10, as published" in text for text in warned)
    [average] = [one for one in answer["averages"] if one["shape"].endswith("5-shot") and "25" not in one["shape"]]
    assert (len(average["sets"]), len(average["missing"])) == (1, 10)


def test_the_folder_that_holds_the_data_sets_is_named_if_it_lies_above_or_below(root):
    write(root / "more/pathmnist.npz", FEW)
    for place in (root / "more", root.parent):
        sentence = fail(*MEDMNIST, place, *CHOSEN).partition("\n")[0]
        assert (
            sentence == f"medmnist lacks 3 of the 3 data sets in {place}; {root} holds 3 of them: give --data {root}:"
        )
    sentence = fail(*MEDMNIST, root, "--set", "pathmnist").partition("\n")[0]
    assert sentence == f"medmnist lacks its data set in {root}; {root / 'more'} holds it: give --data {root / 'more'}:"
