"""Folders that are named by the folder above them, and places one level above, below or beside a data set's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from fewshot.datasets._known_sets import recognised
from fewshot.datasets._published_classes import published_split
from fewshot.datasets._shorthand import dataset_spec
from fewshot.plugins.folder_names import telling_name
from tests.support import list_layouts as layouts


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/x/y/dtd/images", "dtd"),
        ("/x/y/CUB_200_2011/images", "CUB_200_2011"),
        ("/x/dtd/Images/train", "dtd"),
        ("/x/y/birds", "birds"),
        ("birds/data", "birds"),
        ("data", "data"),
        ("/data", "data"),
        ("/data/images", "images"),
        ("/x/images/data/train", "train"),
        (str(Path.home() / "data"), "data"),
    ],
)
def test_a_folder_with_a_generic_name_is_named_after_the_one_above(path, name):
    assert telling_name(path) == name


def test_a_known_set_in_a_folder_of_images_is_recognised(tmp_path):
    classes = published_split("meta_dataset_dtd").classes
    root = layouts.write_images(tmp_path / "dtd/images", [f"{one}/{n}.png" for n, one in enumerate(classes)])
    spec = dataset_spec(str(root))
    images = spec.make().load()
    known = recognised(images)
    assert (images.name, spec.short_name) == ("dtd", "dtd")
    assert known is not None
    assert known.title == "Describable Textures (DTD)"


@pytest.mark.parametrize("file", ["labels.csv", "info.json"])
def test_a_list_of_a_data_set_says_which_folder_to_give(file, tmp_path):
    root = layouts.meta_album(tmp_path / "BRD_Mini")
    with pytest.raises(
        ValueError, match="is one of the lists of a data set that fewshot reads by its folder"
    ) as caught:
        dataset_spec(str(root / file))
    assert str(caught.value).endswith(f"give --data {root}")


@pytest.mark.parametrize(
    "write", [layouts.meta_album, layouts.vtab, layouts.mini_imagenet], ids=lambda one: one.__name__
)
def test_a_folder_above_or_below_says_which_one_to_give(write, tmp_path):
    root = write(tmp_path / "top" / "inside")
    with pytest.raises(ValueError, match=rf"reads by its lists; give --data {root}$"):
        dataset_spec(str(tmp_path / "top"))
    with pytest.raises(ValueError, match=rf"their lists lie above it; give --data {root}$"):
        dataset_spec(str(root / "images"))


def test_several_data_sets_below_a_folder_are_counted(tmp_path):
    for name in ("b", "a"):
        layouts.vtab(tmp_path / name)
    with pytest.raises(ValueError, match=rf"give --data {tmp_path / 'a'} \(there are 2 such folders\)$"):
        dataset_spec(str(tmp_path))


def test_a_manifest_beside_tables_stays_a_manifest(tmp_path):
    root = layouts.mini_imagenet(tmp_path / "mini")
    (root / "train.csv").write_text("path,label\nimages/a.png,x\n")
    assert dataset_spec(str(root / "train.csv")).name == "Manifest"


def test_folders_of_images_inside_a_data_set_with_lists_stay_a_choice(tmp_path):
    root = layouts.cub(tmp_path / "CUB_200_2011")
    assert dataset_spec(str(root / "images")).name == "ImageFolderSet"
