"""A CSV file with one line per image: read as intended, or refused in one sentence with the line number."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fewshot.commands._options import dataset_spec
from fewshot.datasets import ArrayImages, image_digest, images_digest
from fewshot.datasets.image_folder_set import ImageFolderSet
from fewshot.datasets.manifest import Manifest
from fewshot.plugins.registry import DATASETS
from tests.support.bad_files import special_file

PIXELS = np.random.default_rng(1).integers(0, 256, size=(8, 6, 5, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eight images, cat/0.png to owl/7.png."""
    root = tmp_path / "set"
    for number, values in enumerate(PIXELS):
        path = root / ("cat" if number < 4 else "owl") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).save(path)
    return root


def manifest(folder: Path, *lines: str, encoding: str = "utf-8") -> Manifest:
    path = folder / "list.csv"
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return Manifest(path)


def refusal(folder: Path, *lines: str) -> str:
    """The one sentence that refuses a manifest, without its path."""
    with pytest.raises(ValueError, match=r".") as caught:
        manifest(folder, *lines).load()
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(str(folder), "FOLDER")


ALL = [f"{'cat' if i < 4 else 'owl'}/{i}.png,{'cat' if i < 4 else 'owl'}" for i in range(8)]


def test_rows_keep_the_order_of_the_lines(folder):
    images = manifest(folder, "path,label", "owl/5.png,owl", "cat/1.png,cat", "owl/4.png,owl").load()
    assert images.name == "list"
    assert images.class_names == ("cat", "owl")
    assert images.labels.tolist() == [1, 0, 1]
    assert all(np.array_equal(np.asarray(images.images[row]), PIXELS[i]) for row, i in enumerate([5, 1, 4]))
    assert images.image_groups == images.class_groups == {}


def test_a_folder_a_manifest_and_an_array_have_the_same_digest(folder):
    listed, in_folder = manifest(folder, "path,label", *ALL).load(), ImageFolderSet(folder).load()
    arrays = ArrayImages(PIXELS)
    assert listed.images_digest == in_folder.images_digest == images_digest(image_digest(arrays[i]) for i in range(8))
    assert np.array_equal(listed.labels, in_folder.labels)
    assert listed.class_names == in_folder.class_names


def test_further_columns_are_groups_of_images_and_of_classes(folder):
    images = manifest(
        folder,
        "label,path,partition,camera,class:family",
        "cat,cat/0.png,train,north,mammal",
        "owl,owl/4.png,test,,bird",
        'cat,"cat/1.png",test,"south, below",mammal',
    ).load()
    assert np.flatnonzero(images.mask("partition=test")).tolist() == [1, 2]
    assert np.flatnonzero(images.mask("camera=south, below")).tolist() == [2]
    assert np.flatnonzero(images.mask("camera=")).tolist() == [1]
    assert set(images.image_groups) == {"partition", "camera"}
    assert images.class_groups["family"].mask("bird").tolist() == [False, True]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_marks_spaces_empty_lines_and_other_letters_are_read(folder, encoding):
    lines = " path , label ", "", 'cat/0.png, "Ünï, 猫"', ",", "cat/1.png , owl"
    lines = [line.replace(', "', ',"') for line in lines]
    images = manifest(folder, *lines, encoding=encoding).load()
    assert images.class_names == ("owl", "Ünï, 猫")


def test_lines_may_end_as_on_windows(folder):
    (folder / "list.csv").write_bytes(b"path,label\r\ncat/0.png,cat\r\nowl/4.png,owl\r\n")
    assert Manifest(folder / "list.csv").load().class_names == ("cat", "owl")


def test_paths_are_relative_to_the_given_root(folder, tmp_path):
    elsewhere = tmp_path / "lists"
    elsewhere.mkdir()
    one = manifest(elsewhere, "path,label", "cat/0.png,cat", f"{folder}/owl/4.png,owl", "cat/../cat/1.png,cat")
    images = Manifest(one.path, folder).load()
    assert [path.name for path in images.images.paths] == ["0.png", "4.png", "1.png"]
    with pytest.raises(ValueError, match=r"1 of 3 paths lead out of .*owl/4.png \(line 3\)"):
        one.load()


@pytest.mark.parametrize("path", ["../secret.png", "cat/../../secret.png", "/etc/hostname", "..", ".", "cat/.."])
def test_no_path_leads_out_of_the_root(folder, path):
    Image.fromarray(PIXELS[0]).save(folder.parent / "secret.png")
    message = f"1 of 2 paths lead out of FOLDER: {path} (line 3); use paths inside it or another root"
    assert message in refusal(folder, "path,label", "cat/0.png,cat", f"{path},cat")


def test_a_folder_whose_name_begins_alike_is_outside(folder):
    other = folder.parent / "set2"
    other.mkdir()
    Image.fromarray(PIXELS[0]).save(other / "x.png")
    assert "lead out" in refusal(folder, "path,label", "../set2/x.png,cat")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "FOLDER/list.csv is empty; expected a header with the columns path and label"),
        (["path,label"], "FOLDER/list.csv has nothing below its first line 'path,label'; add one line per entry"),
        (["file,label", "a,b"], "FOLDER/list.csv has no column 'path'; expected a first line such as path,label"),
        (["path;label", "a;b"], "seems to be separated by semicolons: its first line is 'path;label'"),
        (["path,Label", "a,b"], "has no column 'label'"),
        (["path,label,path", "a,b,c"], "FOLDER/list.csv has two columns 'path'; name every column once"),
        (["path,label,kind,class:kind", "a,b,c,d"], "has two columns 'kind'"),
        (["path,label,", "a,b,c"], "has a column ''; the name of a group cannot be empty or contain '='"),
        (["path,label,a=b", "a,b,c"], "has a column 'a=b'"),
        (["path,label", "cat/0.png,cat,x"], "line 2: expected 2 fields (path, label), found 3; put fields with"),
        (["path,label", "cat/0.png"], "line 2: expected 2 fields (path, label), found 1"),
        (["path,label", 'cat/0.png,"cat"x'], "line 2: ',' expected after '\"'; write a quote inside quotes twice"),
        (["path,label", 'cat/0.png,"cat', "x"], "line 3: unexpected end of data"),
        (["path,label", "cat/0.png,cat", "cat/1.png,"], "1 of 2 rows have no label: cat/1.png (line 3); fill it in"),
        (["path,label", ",cat", "cat/1.png,cat"], "1 of 2 rows have no path: cat (line 2); fill it in"),
        (
            ["path,label", "cat/0.png,cat", "cat/1.png,cat", "./cat//0.png,owl"],
            "2 of 3 paths are listed more than once: cat/0.png (line 2), ./cat//0.png (line 4); keep one line",
        ),
        (
            ["path,label,class:kind", "cat/0.png,cat,mammal", "owl/4.png,owl,bird", "cat/1.png,cat,bird"],
            "'class:kind' of the class 'cat' is 'mammal' in line 2, but 'bird' in line 4; give each class one value",
        ),
    ],
)
def test_a_mistake_is_one_sentence_with_its_line(folder, lines, message):
    assert message in refusal(folder, *lines)


def test_an_empty_file_is_reported(folder):
    (folder / "list.csv").write_bytes(b"")
    with pytest.raises(ValueError, match=r"list.csv is empty"):
        Manifest(folder / "list.csv").load()


def test_missing_files_are_counted_and_the_first_five_named(folder):
    message = refusal(folder, "path,label", *ALL, *(f"gone/{i}.png,cat" for i in range(7)))
    assert message == (
        "FOLDER/list.csv: 7 of 15 files are missing: gone/0.png (line 10), gone/1.png (line 11), gone/2.png (line 12), "
        "gone/3.png (line 13), gone/4.png (line 14) and 2 more; paths are relative to FOLDER"
    )


def test_files_that_are_not_images_are_named_with_their_line(folder):
    (folder / "notes.txt").write_text("x")
    (folder / "cat" / "0.png").write_bytes(b"")
    message = refusal(folder, "path,label", *ALL, "notes.txt,owl")
    assert re.match("2 of 9 images cannot be read: line 2: FOLDER/cat/0.png: .*; line 10: FOLDER/notes.txt: ", message)


@pytest.mark.parametrize(
    ("label", "encoding", "likely"),
    [("Bär", "latin-1", "Latin-1"), ("Bär – “x”", "cp1252", "Windows-1252"), ("Bär", "utf-16", "UTF-16")],
)
def test_another_encoding_is_reported_with_its_likely_name(folder, label, encoding, likely):
    line, why = 1 if encoding == "utf-16" else 2, r"\(perhaps " + likely + r"\): .*; save the file as UTF-8$"
    with pytest.raises(ValueError, match=rf"list.csv, line {line} is not UTF-8 {why}"):
        manifest(folder, "path,label", f"cat/0.png,{label}", encoding=encoding).load()


def test_a_missing_manifest_and_a_folder_are_reported(folder):
    with pytest.raises(ValueError, match=r"there is no manifest .*none.csv; give a CSV file with the columns path and"):
        Manifest(folder / "none.csv").load()
    with pytest.raises(ValueError, match=r"cannot read the manifest .*: it is a folder, not a regular file"):
        Manifest(folder).load()


def test_a_field_without_end_is_one_sentence(folder):
    assert "line 2: field larger than field limit" in refusal(folder, "path,label", "x" * 200_000 + ",cat")


def test_a_path_with_a_zero_byte_is_refused_by_its_line(folder):
    assert "line 2 contains a NUL character" in refusal(folder, "path,label", "cat/\0.png,cat")


def test_copies_are_reported_with_their_lines(folder, caplog):
    (folder / "cat" / "copy.png").write_bytes((folder / "cat" / "0.png").read_bytes())
    manifest(folder, "path,label", *ALL, "cat/copy.png,cat").load()
    assert "1 exact copy of other images of the same class, such as line 2 and line 10" in caplog.text


def test_a_csv_file_on_the_command_line_is_a_manifest(folder):
    path = manifest(folder, "path,label", *ALL).path
    assert dataset_spec(str(path)) == DATASETS.spec(Manifest(path))
    assert dataset_spec("none.csv").text == "Manifest(path='none.csv', root=None)"
    assert dataset_spec(f"Manifest({str(path)!r})") == dataset_spec(str(path))


def test_the_identity_is_the_content_of_the_file(folder, tmp_path):
    path = manifest(folder, "path,label", *ALL).path
    other = tmp_path / "other.csv"
    os.link(path, other)
    assert DATASETS.spec(f"Manifest({str(path)!r})").identity == DATASETS.spec(f"Manifest({str(other)!r})").identity


@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
def test_a_special_file_in_a_manifest_is_not_called_missing(kind, tmp_path):
    special_file(tmp_path / "a.png", kind)
    (tmp_path / "birds.csv").write_text("path,label\na.png,gull\n")
    message = r"1 of 1 paths are no files but folders, pipes or devices: a.png \(line 2\)"
    with pytest.raises(ValueError, match=message):
        Manifest(tmp_path / "birds.csv").load()
