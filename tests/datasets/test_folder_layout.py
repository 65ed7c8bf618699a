"""Every level of folders is read for what it is: classes, partitions or superclasses, or refused with what to type."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from fewshot.datasets._partitions import PARTS, part_of
from fewshot.datasets.image_folder_set import ImageFolderSet
from fewshot.plugins.registry import DATASETS, SPLITS
from tests.support.command_line import QUICK, call, fail
from tests.support.folder_trees import LAYOUTS, write


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_a_layout_gives_its_classes_or_one_sentence(tmp_path, layout, seed):
    tree = layout(np.random.default_rng(seed))
    dataset = ImageFolderSet(write(tmp_path / "set", [*tree.folders, *tree.ignored]))
    for folder in tree.empty:
        (tmp_path / "set" / folder).mkdir(parents=True)
    if tree.refused:
        with pytest.raises(ValueError, match=tree.refused) as error:
            dataset.load()
        assert "\n" not in str(error.value)
        assert dataset.default_split() is None
        return
    images = dataset.load()
    assert set(images.class_names) == tree.classes
    assert len(images) == 2 * len(tree.folders)
    assert set(images.image_groups["partition"].names if tree.partitions else ()) == tree.partitions
    superclass = images.class_groups.get("superclass")
    names = [] if superclass is None else [superclass.names[code] for code in superclass.codes]
    assert dict(zip(images.class_names, names, strict=bool(names))) == tree.superclass
    rule = dataset.default_split()
    assert (rule is not None) == bool(tree.split)
    if rule is not None:
        split = SPLITS.make(rule).split(images)
        assert {part: set(getattr(split, part)) for part in tree.split} == tree.split


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_the_command_line_never_shows_a_traceback(tmp_path, layout, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tree = layout(np.random.default_rng(9))
    write(tmp_path / "set", tree.folders, per_folder=3)
    command = ("run", "--data", "set", *QUICK, "--evaluator", "Prototype", "--way", "2", "--query", "1")
    if tree.refused:
        assert tree.refused in fail(*command)
    else:
        assert call(*command).exit_code == 0


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("train", "seen"), ("Training", "seen"), ("base", "seen"), ("meta-train", "seen"), ("train2017", "seen"),
        ("images_background", "seen"), ("VAL", "validation"), ("valid", "validation"), ("val2017", "validation"),
        ("validation", "validation"), ("test", "novel"), ("Testing", "novel"), ("novel", "novel"),
        ("train800", "seen"), ("val200", "validation"), ("train80", None),
        ("images_evaluation", "novel"), ("unlabeled", "unlabeled"), ("trains", None), ("cat", None), ("2017", None),
    ],
)  # fmt: skip
def test_usual_names_of_partitions_are_known(name, part):
    assert part_of(name) == part
    assert part is None or part in PARTS


def test_a_layout_can_be_given(tmp_path):
    root = write(tmp_path / "set", ["a/x", "a/y", "b/x"])
    assert ImageFolderSet(root, "class").load().class_names == ("a", "b")
    both = ImageFolderSet(root, "superclass/class").load()
    assert both.class_names == ("a/x", "a/y", "b/x")
    assert both.class_groups["superclass"].names == ("a", "b")
    parts = ImageFolderSet(root, "partition/class").load()
    assert (parts.class_names, parts.image_groups["partition"].names) == (("x", "y"), ("a", "b"))
    clips = ImageFolderSet(root, "class/video").load()
    assert (clips.class_names, clips.image_groups["video"].names) == (("a", "b"), ("x", "y"))
    assert DATASETS.canonical(ImageFolderSet(root)) == f"ImageFolderSet(root={str(root)!r})"


@pytest.mark.parametrize("layout", ["", "superclass", "class/class", "class/superclass", "class//x", "a=b/class", 3])
def test_a_wrong_layout_is_refused(layout):
    with pytest.raises(ValueError, match="The 'layout' parameter of ImageFolderSet must be the meaning of each level"):
        ImageFolderSet(Path("set"), layout)


def test_a_layout_deeper_than_the_folders_is_refused(tmp_path):
    root = write(tmp_path / "set", ["a/x", "b"])
    with pytest.raises(
        ValueError, match=r"superclass/class needs at least 2 folders above each image, but b/0.png has"
    ):
        ImageFolderSet(root, "superclass/class").load()


def test_superclasses_are_reported_and_a_given_layout_is_not(tmp_path, caplog):
    root = write(tmp_path / "set", ["a/x", "a/y", "b/z"])
    ImageFolderSet(root).load()
    assert caplog.messages == [
        f"{root}: fewshot reads the levels of folders as superclass/class: 3 classes in 2 superclasses; type --data "
        f"\"ImageFolderSet('{root}', layout='class')\" if the first folders are the classes"
    ]
    caplog.clear()
    ImageFolderSet(root, "superclass/class").load()
    assert not caplog.messages


def test_the_few_shot_layout_is_reported_and_used(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    root = write(Path("set"), ["train/a", "train/b", "val/c", "test/d", "test/e"], per_folder=4)
    with caplog.at_level(logging.INFO):
        ImageFolderSet(root).load()
    parts = "the default split: 2 novel (test), 2 seen (train), 1 validation (val) classes"
    assert caplog.messages == [f"set: the partitions hold different classes, so they are {parts}"]
    shown = call("split", "show", "--data", "set").output
    assert "novel: 2 classes, 8 images" in shown
    assert "seen: 2 classes, 8 images" in shown
    result = call("run", "--data", "set", *QUICK, "--evaluator", "Prototype", "--query", "all")
    assert result.exit_code == 0
    assert "partition=test" not in result.output


def test_without_a_test_partition_the_validation_classes_are_novel(tmp_path):
    root = write(tmp_path / "set", ["train/a", "train/b", "val/c", "val/d"])
    assert ImageFolderSet(root).default_split() == "ByGroup(group='partition', novel=('val',), validation=())"


def test_classes_in_one_partition_only_are_counted(tmp_path, caplog):
    root = write(tmp_path / "set", ["train/a", "train/b", "test/a"])
    assert ImageFolderSet(root).default_split() is None
    ImageFolderSet(root).load()
    assert "1 of 2 classes are in one partition only, so the partitions do not split the classes" in caplog.text


def test_images_without_labels_are_skipped_and_counted(tmp_path, caplog):
    for place, folder in enumerate(("unlabeled", "unlabelled/images")):
        root = write(tmp_path / str(place), ["train/a", "train/b", folder])
        assert ImageFolderSet(root).load().class_names == ("a", "b")
    assert [message.split(": ")[1] for message in caplog.messages] == [
        "skipped 2 images without labels, such as unlabeled/0.png",
        "skipped 2 images without labels, such as unlabelled/images/0.png",
    ]


def test_folders_beside_a_class_folder_are_one_class_with_a_warning(tmp_path, caplog):
    root = write(tmp_path / "set", ["animals/cat", "animals/dog", "plane"])
    assert ImageFolderSet(root).load().class_names == ("animals", "plane")
    assert (
        "all folders in 'animals' belong to the class 'animals', because 'plane' beside it holds images" in caplog.text
    )


def test_a_new_class_in_a_partition_changes_the_default_split(tmp_path):
    root = write(tmp_path / "set", ["train/a", "train/b", "test/c"])
    assert ImageFolderSet(root).default_split() is not None
    write(root, ["test/a"])
    assert ImageFolderSet(root).default_split() is None


@pytest.mark.parametrize(
    ("folders", "first"),
    [
        (["mon/fox", "mon/owl", "tue/fox", "tue/owl"], "layout='partition/class'"),
        (["fox/video_1", "fox/video_2", "owl/video_1"], "layout='class/video'"),
        (["fox/day", "fox/night", "owl/day"], "layout='superclass/class'"),
        (["a/one/x", "a/one/y", "a/two/x", "b/one/x"], "give one of its folders, such as --data {root}/a, "),
    ],
)
def test_the_likely_reading_of_two_levels_comes_first(folders, first, tmp_path):
    root = write(tmp_path / "set", folders)
    with pytest.raises(ValueError, match="can be classes or parts of classes") as error:
        ImageFolderSet(root).load()
    text = str(error.value)
    at = text.index(first.format(root=root))
    assert at == min(text.find(word) for word in (first.format(root=root), "layout=") if word in text)
