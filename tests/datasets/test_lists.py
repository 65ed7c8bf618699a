"""Benchmarks whose images come with lists: read in the published layout, or refused in one sentence."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest

from fewshot.conformance import check
from fewshot.datasets._shorthand import dataset_spec
from fewshot.datasets.chest_xray import ChestXray
from fewshot.datasets.class_tables import ClassTables
from fewshot.datasets.co_op_split import CoOpSplit
from fewshot.datasets.cub200 import Cub200
from fewshot.datasets.image_folder_set import ImageFolderSet
from fewshot.datasets.meta_album import MetaAlbum
from fewshot.datasets.path_lists import PathLists
from fewshot.plugins.registry import SPLITS
from tests.support import list_layouts as layouts

WRITERS = {
    "CoOpSplit": layouts.coop,
    "PathLists": layouts.vtab,
    "ClassTables": layouts.mini_imagenet,
    "MetaAlbum": layouts.meta_album,
    "Cub200": layouts.cub,
    "ChestXray": layouts.chest,
}


def refusal(dataset) -> str:
    """The sentence that refuses a data set."""
    with pytest.raises(ValueError, match=r".") as caught:
        dataset.load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def counts(images, group="partition") -> dict[str, int]:
    return {name: int(images.mask(f"{group}={name}").sum()) for name in images.image_groups[group].names}


def edit(path: Path, old: str, new: str) -> Path:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", WRITERS)
def test_data_in_the_published_layout_are_recognised_and_obey_the_laws(name, tmp_path):
    place = WRITERS[name](tmp_path / "set")
    spec = dataset_spec(str(place))
    assert spec.name == name
    assert check("dataset", spec.make()) == []


@pytest.mark.parametrize("folder", ["", "images", "jpg", "2750", "101_ObjectCategories", "SUN397", "UCF-101-midframes"])
def test_a_coop_split_finds_its_images_where_coop_puts_them(folder, tmp_path):
    images = CoOpSplit(layouts.coop(tmp_path / "dtd", folder)).load()
    assert images.image_names == [path for some in layouts.COOP.values() for path, _, _ in some]
    assert images.class_names == ("banded", "zigzagged")
    assert images.labels.tolist() == [label for some in layouts.COOP.values() for _, label, _ in some]
    assert counts(images) == {"test": 2, "train": 3, "val": 2}


def test_a_coop_split_takes_another_root(tmp_path):
    file = layouts.coop(tmp_path / "dtd", "elsewhere")
    assert len(CoOpSplit(file, tmp_path / "dtd" / "elsewhere").load()) == 7
    tried = re.escape(f"{tmp_path}/dtd or {tmp_path}/dtd/images or {tmp_path}/dtd/jpg or ")
    assert re.search(
        f"there is no image banded/a 1.jpg in {tried}.*name their folder as root$", refusal(CoOpSplit(file))
    )


def changed(part: str, row: int, entry: object) -> dict[str, list]:
    listed = {name: list(some) for name, some in layouts.COOP.items()}
    listed[part][row] = entry
    return listed


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        (
            changed("val", 0, ["banded/none.jpg", 0, "banded"]),
            "1 of 7 files are missing: banded/none.jpg (val[0]); paths",
        ),
        (
            changed("val", 0, ["banded/a2.jpg", 0, "banded"]),
            "2 of 7 paths are listed more than once: banded/a2.jpg (train",
        ),
        (changed("val", 0, ["../secret.jpg", 0, "banded"]), "1 of 7 paths lead out of"),
        (changed("val", 0, ["banded", 0, "banded"]), "are no files but folders, pipes or devices: banded (val[0])"),
        (changed("val", 0, ["banded/a3.jpg", 1, "banded"]), "val[0]: the label 1 is 'banded', but 'zigzagged' before"),
        (
            changed("val", 0, ["banded/a3.jpg", float("nan"), "banded"]),
            "val[0]: expected [path, label, class name], found",
        ),
        (changed("val", 0, ["banded/a3.jpg", True, "banded"]), "val[0]: expected [path, label, class name], found"),
        (changed("val", 0, ["banded/a3.jpg", -1, "banded"]), "val[0]: expected [path, label, class name], found"),
        (
            changed("val", 0, ["banded/a3.jpg", 0]),
            "val[0]: expected [path, label, class name], found ['banded/a3.jpg', 0]",
        ),
        (changed("val", 0, ["a\0.jpg", 0, "banded"]), "val[0]: expected [path, label, class name]"),
        ({"train": [], "test": []}, "has no lists train, val and test"),
        ({"train": [], "val": [], "test": []}, "lists no images; expected"),
        ([], "expected"),
    ],
)
def test_a_wrong_coop_split_is_refused_in_one_sentence(listed, message, tmp_path):
    file = layouts.coop(tmp_path / "dtd")
    file.write_text(json.dumps(listed), encoding="utf-8")
    assert message in refusal(CoOpSplit(file))


def test_a_coop_split_of_another_kind_of_file_is_refused(tmp_path):
    file = tmp_path / "split_zhou_X.json"
    assert refusal(CoOpSplit(file)).endswith("No such file or directory; give a file split_zhou_*.json")
    file.write_bytes(b'{"train": "B\xe4r"}')
    assert "is not JSON in UTF-8" in refusal(CoOpSplit(file))
    file.write_text("[" * 100_000)
    assert "is not JSON in UTF-8" in refusal(CoOpSplit(file))
    file.unlink()
    assert "there is no list split_zhou_*.json in" in refusal(CoOpSplit(tmp_path))


def test_two_labels_with_one_name_get_their_number(tmp_path):
    listed = {name: [[path, label, "crane"] for path, label, _ in some] for name, some in layouts.COOP.items()}
    assert CoOpSplit(layouts.coop(tmp_path / "x", listed=listed)).load().class_names == ("crane 0", "crane 1")


@pytest.mark.parametrize("again", ["images", "images/train800val200"])
def test_a_task_of_vtab_has_three_partitions_and_numbers_as_classes(again, tmp_path):
    images = PathLists(layouts.vtab(tmp_path / "dtd", again)).load()
    assert (images.name, images.class_names) == ("dtd", ("00", "02", "10"))
    assert images.labels.tolist() == [0, 1, 2, 2, 0, 1, 2, 0, 1]
    assert counts(images) == {"test": 3, "train": 4, "val": 2}
    assert images.image_names[6] == "images/t 6.jpg"


def test_a_task_of_vtab_takes_class_names_from_a_file_and_paths_below_images(tmp_path):
    root = layouts.vtab(tmp_path / "dtd")
    (root / "classnames.txt").write_text("\n".join(f"name {i}" for i in range(11)))
    for name in ("train800.txt", "val200.txt", "test.txt", "train800val200.txt"):
        (root / name).write_text((root / name).read_text().replace("images/", ""))
    assert PathLists(root).load().class_names == ("name 0", "name 2", "name 10")
    (root / "classnames.txt").write_text("one\ntwo\n")
    assert "classnames.txt has 2 class names, but there is a label 10; add the others" in refusal(PathLists(root))


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("train800val200.txt", "5.jpg 2", "5.jpg 0", "but they differ in 2 lines, such as 'images/5.jpg 0'"),
        ("train800val200.txt", "images/5.jpg 2\n", "", "but they differ in 1 lines, such as 'images/5.jpg 2'"),
        ("test.txt", "images/t7.jpg 0", "images/0.jpg 0", "2 of 9 paths are listed more than once: images/0.jpg"),
        ("test.txt", "t7.jpg", "none.jpg", "1 of 9 files are missing: images/none.jpg (test.txt, line 2)"),
        ("test.txt", "images/t7.jpg", "../t7.jpg", "1 of 9 paths lead out of"),
        ("test.txt", "7.jpg 0", "7.jpg nan", "test.txt, line 2: the label must be an integer of at least 0"),
        ("test.txt", "7.jpg 0", "7.jpg -1", "found '-1'"),
        ("test.txt", "7.jpg 0", "7.jpg \u0661", "found '\u0661'"),
        ("test.txt", "7.jpg 0", "7.jpg", "test.txt, line 2: expected two fields (path label), found"),
        ("test.txt", "t7.jpg 0", "\0.jpg 0", "test.txt, line 2 contains a NUL character"),
    ],
)  # fmt: skip
def test_a_wrong_list_of_vtab_is_refused_in_one_sentence(file, old, new, message, tmp_path):
    root = layouts.vtab(tmp_path / "dtd")
    edit(root / file, old, new)
    assert message in refusal(PathLists(root))


def test_missing_empty_and_other_lists_are_refused(tmp_path):
    root = layouts.vtab(tmp_path / "dtd")
    (root / "val200.txt").write_text("\n \n")
    assert refusal(PathLists(root)).endswith("val200.txt is empty; expected lines of two fields (path label)")
    (root / "val200.txt").write_bytes(b"images/B\xe4r.jpg 1\n")
    assert "val200.txt, line 1 is not UTF-8" in refusal(PathLists(root))
    (root / "val200.txt").unlink()
    assert "there is no list" in refusal(PathLists(root))


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("{label}{number:08}.jpg", "images"),
        ("{label}_{number}.JPEG", "images"),
        ("{label}_{number}.JPEG", "images/{label}"),
        ("{label}{number:08}.jpg", "{label}"),
    ],
)
def test_mini_imagenet_in_tables_has_the_split_of_its_tables(name, folder, tmp_path):
    root = layouts.mini_imagenet(tmp_path / "mini", name, folder)
    dataset = ClassTables(root)
    images = dataset.load()
    assert images.class_names == ("n01532829", "n01558993", "n01704323", "n01855672", "n01930112", "n01981276")
    assert counts(images) == {"test": 4, "train": 6, "val": 2}
    split = SPLITS.make(dataset.default_split()).split(images)
    assert (list(split.seen), list(split.validation), list(split.novel)) == (
        ["n01532829", "n01558993", "n01704323"], ["n01855672"], ["n01930112", "n01981276"]
    )  # fmt: skip


def test_tables_with_the_same_classes_have_no_default_split(tmp_path):
    root = layouts.mini_imagenet(tmp_path / "mini")
    assert "ByGroup" in ClassTables(root).default_split()
    for name in ("val", "test"):
        table = root / f"{name}.csv"
        table.write_text(re.sub(r",n\d+", ",n01532829", table.read_text()))
    assert ClassTables(root).default_split() is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("n0185567200000005.jpg,", "none.jpg,", "1 of 12 files are missing: none.jpg (val.csv, line 2)"),
        ("n0185567200000005.jpg,", "n0153282900000005.jpg,", "2 of 12 paths are listed more than once"),
        ("n0185567200000005.jpg,", "../x.jpg,", "1 of 12 paths lead out of"),
        ("n0185567200000005.jpg,", ",", "1 of 12 rows have no file name: ? (val.csv, line 2); fill it in"),
        ("05.jpg,n01855672", "05.jpg,", "1 of 12 rows have no label: n0185567200000005.jpg (val.csv, line 2)"),
        ("filename,label", "file,label", "val.csv has no column 'filename'; expected a first line filename,label"),
    ],
)
def test_a_wrong_table_is_refused_in_one_sentence(old, new, message, tmp_path):
    root = layouts.mini_imagenet(tmp_path / "mini")
    edit(root / "val.csv", old, new)
    assert message in refusal(ClassTables(root))


def test_meta_album_has_its_super_categories(tmp_path):
    images = MetaAlbum(layouts.meta_album(tmp_path / "BRD_Mini")).load()
    assert images.class_names == ("BARN OWL", "HERRING GULL", "TERN")
    group = images.class_groups["superclass"]
    assert [group.names[code] for code in group.codes] == ["owls", "gulls", "gulls"]
    assert images.image_groups == {}


def test_meta_album_without_super_categories_and_with_other_columns(tmp_path):
    root = layouts.meta_album(tmp_path / "PLT", ("NAN", "NAN", "NAN"))
    assert MetaAlbum(root).load().class_groups == {}
    edit(root / "labels.csv", "FILE_NAME,CATEGORY", "picture,kind")
    (root / "info.json").write_text(json.dumps({"image_column_name": "picture", "category_column_name": "kind"}))
    assert len(MetaAlbum(root).load()) == 6


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("labels.csv", "BRD_000003.jpg,", "none.jpg,", "1 of 6 files are missing: none.jpg (labels.csv, line 5)"),
        ("labels.csv", "BRD_000003.jpg,", "BRD_000004.jpg,", "2 of 6 paths are listed more than once"),
        ("labels.csv", "BRD_000003.jpg,BARN OWL", "BRD_000003.jpg,", "1 of 6 rows have no CATEGORY"),
        ("labels.csv", "BRD_000003.jpg,BARN OWL,owls", "BRD_000003.jpg,BARN OWL,gulls",
         "'SUPER_CATEGORY' of the class 'BARN OWL' is 'owls' in labels.csv, line 2, but 'gulls' in labels.csv, line 5"),
        ("info.json", "{", "[", "info.json is not JSON in UTF-8"),
        ("info.json", '"FILE_NAME"', '"FILE"', "labels.csv has no column 'FILE'"),
    ],
)  # fmt: skip
def test_a_wrong_meta_album_is_refused_in_one_sentence(file, old, new, message, tmp_path):
    root = layouts.meta_album(tmp_path / "BRD")
    edit(root / file, old, new)
    assert message in refusal(MetaAlbum(root))


def test_cub_has_the_classes_and_partitions_of_its_lists(tmp_path):
    images = Cub200(layouts.cub(tmp_path / "CUB_200_2011")).load()
    assert (images.class_names, images.labels.tolist()) == (layouts.BIRDS, [0, 0, 1, 1, 2, 2])
    assert counts(images) == {"test": 3, "train": 3}
    folder = ImageFolderSet(tmp_path / "CUB_200_2011").load()
    assert folder.images_digest == images.images_digest


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("images.txt", "_0001_0.jpg", "_none.jpg", "1 of 6 files are missing"),
        ("images.txt", "1 001", "1 ../001", "1 of 6 paths lead out of"),
        ("images.txt", "2 001", "1 001", "images.txt, line 2: '1' is listed a second time; keep one line"),
        ("images.txt", "6 003", "7 003", "images.txt, line 6: the image 7 is not in image_class_labels.txt; get"),
        ("image_class_labels.txt", "6 3", "6 3\n7 3", "image_class_labels.txt: the image 7 is not in images.txt"),
        ("image_class_labels.txt", "6 3", "6 9", "1 of 6 images have an unknown class: 003"),
        ("train_test_split.txt", "6 0", "6 2", "1 of 6 values of is_training_image are not 0 or 1"),
        ("classes.txt", "3 003.Sooty_Albatross", "3", "classes.txt, line 3: expected two fields (class name)"),
    ],
)  # fmt: skip
def test_a_wrong_list_of_cub_is_refused_in_one_sentence(file, old, new, message, tmp_path):
    root = layouts.cub(tmp_path / "CUB_200_2011")
    edit(root / file, old, new)
    assert message in refusal(Cub200(root))


@pytest.mark.parametrize("folders", [("images",), (".",), ("images_001/images", "images_002/images")])
def test_chest_x_rays_with_one_finding_of_cd_fsl_are_kept(folders, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    file = layouts.chest(tmp_path / "ChestX", folders)
    images = ChestXray(file).load()
    assert (images.class_names, images.labels.tolist()) == (("Cardiomegaly", "Mass"), [0, 1, 1])
    assert "left out 4 of 7 images: without a finding, with several, or with one other than Atelectasis" in caplog.text
    more = ChestXray(file, ("Mass", "Hernia", "Pneumonia")).load()
    assert more.class_names == ("Hernia", "Mass", "Pneumonia")
    assert ChestXray(file.parent).load().images_digest == images.images_digest


def test_wrong_chest_x_rays_are_refused_in_one_sentence(tmp_path):
    file = layouts.chest(tmp_path / "ChestX", ("images_001/images", "images_002/images"))
    (tmp_path / "ChestX" / "images_002" / "images" / "00000003_000.png").unlink()
    assert "1 of 3 files are missing: 00000003_000.png (line 5)" in refusal(ChestXray(file))
    assert "has no image whose only finding is one of Edema" in refusal(ChestXray(file, ("Edema",)))
    assert "there is no Data_Entry_2017.csv in" in refusal(ChestXray(tmp_path))
    edit(file, "Finding Labels", "Findings")
    assert "has no column 'Finding Labels'" in refusal(ChestXray(file))
    with pytest.raises(ValueError, match="The 'findings' parameter of ChestXray must be one name of a finding or"):
        ChestXray(file, ())


def test_a_folder_of_two_kinds_is_refused_with_both_specs(tmp_path):
    layouts.cub(layouts.meta_album(tmp_path / "both"))
    with pytest.raises(
        ValueError, match=r"can be read as Cub200\(root='.*both'\) or as MetaAlbum\(root='.*both'\); give"
    ):
        dataset_spec(str(tmp_path / "both"))


def test_a_plain_folder_with_some_of_the_lists_stays_a_folder(tmp_path):
    root = layouts.write_images(tmp_path / "birds", ["gull/1.png", "wren/2.png"])
    (root / "labels.csv").write_text("x")
    (root / "images.txt").write_text("x")
    assert dataset_spec(str(root)).name == "ImageFolderSet"
    assert dataset_spec("list.csv").name == "Manifest"
    assert dataset_spec(str(tmp_path / "split_zhou_None.json")).name == "CoOpSplit"
