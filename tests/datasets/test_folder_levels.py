"""Folders that are named by the folder above them, and places one level above, below or beside a data set's folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fewshot.datasets._known_sets import recognised
from fewshot.datasets._levels import sets_inside
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
    with pytest.raises(ValueError, match=rf"give one of them: --data {tmp_path / 'a'}, {tmp_path / 'b'}$"):
        dataset_spec(str(tmp_path))


def test_a_manifest_beside_tables_stays_a_manifest(tmp_path):
    root = layouts.mini_imagenet(tmp_path / "mini")
    (root / "train.csv").write_text("path,label\nimages/a.png,x\n")
    assert dataset_spec(str(root / "train.csv")).name == "Manifest"


def test_folders_of_images_inside_a_data_set_with_lists_stay_a_choice_that_the_log_names(tmp_path, caplog):
    root = layouts.cub(tmp_path / "CUB_200_2011")
    caplog.set_level("INFO")
    for _ in range(2):
        assert dataset_spec(str(root / "images")).name == "ImageFolderSet"
    assert caplog.messages == [
        f"{root / 'images'}: fewshot reads the folders as classes and ignores the lists in {root}, so this is another "
        f"data set of the same name; to read the lists, give --data {root}"
    ]


def test_a_list_of_coop_beside_folders_of_classes_is_named_too(tmp_path, caplog):
    root = tmp_path / "dtd4"
    entries = [[f"{name}/{n}.png", label, name] for label, name in enumerate(("banded", "dotted")) for n in range(2)]
    layouts.write_images(root / "images", [path for path, _, _ in entries])
    layouts.write_text(
        root / "split_zhou_DescribableTextures.json", json.dumps({"train": entries, "val": [], "test": []})
    )
    caplog.set_level("INFO")
    dataset_spec(str(root / "images"))
    assert "ignores the lists in " in "".join(caplog.messages)
    caplog.clear()
    assert dataset_spec(str(root)).name == "CoOpSplit"
    assert dataset_spec(str(layouts.write_images(tmp_path / "birds", ["gull/1.png", "wren/1.png"]))).fields
    assert not caplog.messages


def test_sets_at_two_levels_are_named_together(tmp_path):
    layouts.vtab(tmp_path / "all/near")
    layouts.vtab(tmp_path / "all/more/far")
    layouts.write_images(tmp_path / "all/birds", ["1.png"])
    with pytest.raises(
        ValueError, match=r"--data \S*/more/far, \S*/near; beside them lies 1 other folder, such as \S*/birds$"
    ):
        dataset_spec(str(tmp_path / "all"))


def vtab_in_partitions(root: Path) -> Path:
    """A task of VTAB-1k whose images lie in a folder for each partition, as many copies have them."""
    places = {"train800": "train", "val200": "val", "test": "test"}
    lists = {
        name: [f"images/{part}/{row}.png {row % 2}" for row in range(2 + len(name))] for name, part in places.items()
    }
    for name, lines in lists.items():
        layouts.write_text(root / f"{name}.txt", "\n".join(lines) + "\n")
    return layouts.write_images(root, [line.split()[0] for lines in lists.values() for line in lines])


@pytest.mark.parametrize("inside", ["images", "images/train", "images/test"])
def test_partitions_below_lists_are_never_classes(inside, tmp_path):
    root = vtab_in_partitions(tmp_path / "vtab-1k" / "dtd")
    assert sorted(dataset_spec(str(root)).make().load().image_groups["partition"].names) == ["test", "train", "val"]
    with pytest.raises(ValueError, match=rf"their lists lie above it; give --data {root}$"):
        dataset_spec(str(root / inside))


def test_partitions_without_lists_are_never_classes(tmp_path):
    root = vtab_in_partitions(tmp_path / "dtd")
    for name in root.glob("*.txt"):
        name.unlink()
    for folder in (root, root / "images"):
        with pytest.raises(ValueError, match="without folders of classes, so their classes are unknown; move them to"):
            dataset_spec(str(folder)).make().load()
    as_classes = dataset_spec(f"ImageFolderSet({str(root / 'images')!r}, layout='class')").make().load()
    assert as_classes.class_names == ("test", "train", "val")


def test_the_folder_above_names_all_data_sets_with_lists_and_what_lies_beside_them(tmp_path):
    for name in "abcde":
        layouts.vtab(tmp_path / "top" / "vtab-1k" / name)
    layouts.write_images(tmp_path / "top" / "vtab-1k" / "cifar-fs", ["ant/1.png", "bee/2.png"])
    named = ", ".join(str(tmp_path / "top" / "vtab-1k" / name) for name in "abcd")
    for place in (tmp_path / "top", tmp_path / "top" / "vtab-1k"):
        with pytest.raises(
            ValueError, match="is the folder above data sets that fewshot reads by their lists"
        ) as caught:
            dataset_spec(str(place))
        other = tmp_path / "top" / "vtab-1k" / "cifar-fs"
        assert str(caught.value).endswith(
            f"give one of them: --data {named}, ... (5 in all); beside them lies 1 other folder, such as {other}"
        )


def test_class_folders_of_validation_images_of_imagenet_stay_class_folders(tmp_path):
    names = [f"n{number:08d}/ILSVRC2012_val_{number:08d}.JPEG" for number in (1, 2, 3)]
    layouts.write_images(tmp_path / "val", names)
    assert dataset_spec(str(tmp_path / "val")).name == "ImageFolderSet"


def coop_flowers(root: Path) -> Path:
    """CoOp's copy of Oxford Flowers: images without class folders, and a list beside them."""
    listed = {part: [[f"{part}{n}.png", n % 2, ("rose", "lily")[n % 2]] for n in range(4)] for part in _PARTS}
    layouts.write_text(root / "split_zhou_OxfordFlowers.json", json.dumps(listed))
    layouts.write_images(root / "jpg", [item[0] for items in listed.values() for item in items])
    return root


_PARTS = ("train", "val", "test")


@pytest.mark.parametrize("folder", ["oxford_flowers", "flowers_of_coop"])
def test_a_folder_with_a_list_of_coop_is_read_by_it_and_named_after_the_data(folder, tmp_path):
    root = coop_flowers(tmp_path / folder)
    by_folder, by_list = (dataset_spec(str(place)) for place in (root, root / "split_zhou_OxfordFlowers.json"))
    assert by_folder.name == by_list.name == "CoOpSplit"
    assert by_folder.short_name == by_list.short_name == folder
    images = by_folder.make().load()
    assert (images.name, images.class_names) == ("oxford_flowers", ("rose", "lily"))
    assert images.images_digest == by_list.make().load().images_digest
    with pytest.raises(ValueError, match=rf"their lists lie above it; give --data {root}$"):
        dataset_spec(str(root / "jpg"))


def test_class_folders_beside_a_list_of_coop_do_not_hide_it(tmp_path):
    file = layouts.coop(tmp_path / "dtd")
    images = dataset_spec(str(file.parent)).make().load()
    assert sorted(images.image_groups["partition"].names) == ["test", "train", "val"]
    layouts.write_text(file.parent / "split_zhou_Other.json", file.read_text())
    with pytest.raises(ValueError, match=r"there are 2 lists \(split_zhou_DescribableTextures.json, split_zhou_Other"):
        dataset_spec(str(file.parent)).make().load()


def test_the_data_sets_inside_the_folder_of_a_benchmark_are_found(tmp_path):
    layouts.coop(tmp_path / "coop" / "dtd")
    layouts.write_images(tmp_path / "cifar", ["apple/0.png", "bear/0.png"])
    np.savez(tmp_path / "breastmnist.npz", train_images=np.zeros((4, 8, 8), np.uint8), train_labels=np.zeros(4, int))
    layouts.write_text(tmp_path / "notes.txt", "none")
    assert [path.relative_to(tmp_path).as_posix() for path in sets_inside(tmp_path)] == [
        "breastmnist.npz",
        "cifar",
        "coop/dtd",
    ]
