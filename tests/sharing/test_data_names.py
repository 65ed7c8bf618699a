"""The name of a folder is no part of a run id: a row and what lies beside it give the same one."""

from __future__ import annotations

from pathlib import Path

import pytest

from fewshot.results.collections import Collection
from fewshot.sharing.about import About
from fewshot.sharing.data_names import is_chosen, name_problems, named_as
from fewshot.sharing.designs import SharedDesign
from fewshot.sharing.images import AtHand
from fewshot.sharing.submit import submit
from fewshot.sharing.verify import verify
from tests.support.report_rows import row
from tests.support.submissions import birds, first_row, own_home, runs

BIRDS = SharedDesign("birds", ("a", "b"), (0, 1))
FOLDERS = {
    "ImageFolderSet(root='birds')": "",
    "ImageFolderSet(root='images')": "",  # it says nothing
    "ImageFolderSet(root='imagenet')": "imagenet",
    "Partitioned(images=ImageFolderSet(root='imagenet'))": "imagenet",
    "TorchvisionSet(name='CIFAR100')": "",  # its run id holds this name
    "ImageArrays(path='imagenet.npz')": "",
}


@pytest.mark.parametrize("dataset", FOLDERS)
def test_the_name_of_a_folder_is_that_beside_the_row(dataset):
    problems = name_problems(row(dataset=dataset), BIRDS)
    wanted = FOLDERS[dataset]
    assert problems == (
        [f"dataset calls its images {wanted!r} in the row, but runs.json calls them 'birds'"] * bool(wanted)
    )
    assert name_problems(row(dataset=dataset), SharedDesign()) == []


def test_a_row_takes_the_name_of_its_images():
    assert named_as(row(dataset="ImageFolderSet(root='link')"), "birds").dataset == "ImageFolderSet(root='birds')"
    for dataset, name in (("ImageFolderSet(root='a')", ""), ("ImageFolderSet(root='a')", "b/c"), ("Digits()", "b")):
        assert named_as(row(dataset=dataset), name).dataset == dataset


def test_only_files_and_folders_have_a_name_that_somebody_chose():
    assert is_chosen(row(dataset="ImageFolderSet(root='a')"))
    assert not is_chosen(row(dataset="Digits()"))


def test_a_submission_of_a_linked_folder_holds_under_the_name_of_its_images(tmp_path: Path):
    with own_home(tmp_path):
        birds(tmp_path)
        place = tmp_path / "place"
        place.mkdir()
        (place / "gulls").symlink_to(tmp_path / "birds")
        (place / "birds").symlink_to(tmp_path / "birds")
        results = runs(place, ("Prototype()",))
        text = results.path.read_text(encoding="utf-8").replace("/birds'", "/gulls'")
        results.path.write_text(text, encoding="utf-8")
        submit(Collection.of([results]), tmp_path / "out", About("A"), AtHand((birds(tmp_path),), own=True))
        assert first_row(tmp_path / "out").dataset.startswith("ImageFolderSet(root='birds'")
        assert verify(tmp_path / "out").problems == ()
