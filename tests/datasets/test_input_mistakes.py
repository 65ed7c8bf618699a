"""Small inputs with one mistake each: the right number with a warning, or one sentence and exit code 1."""

from __future__ import annotations

import unicodedata
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import fewshot
from fewshot.cli import main
from fewshot.datasets._class_names import joined_spellings, means_no_label, similar_names
from fewshot.datasets.image_arrays import ImageArrays
from fewshot.datasets.image_folder_set import ImageFolderSet
from fewshot.datasets.labelled_vectors import labelled_vectors
from fewshot.datasets.manifest import Manifest
from fewshot.datasets.vector_set import VectorSet
from tests.support.bad_files import lying_npz, special_file
from tests.support.command_line import QUICK, fail
from tests.support.folder_trees import write

NFC = "café"
NFD = unicodedata.normalize("NFD", NFC)
NO_LABEL = ["-1", "NaN", "none", "None", "NULL", "n/a", "N/A", "NA", "?", "unlabeled"]
VECTORS = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)


def folder(tmp_path: Path, labels: list[str]):
    return ImageFolderSet(write(tmp_path / "set", list(dict.fromkeys(labels)))).load()


def manifest(tmp_path: Path, labels: list[str], *more: str):
    root = write(tmp_path / "set", [f"f{i}" for i in range(len(labels))], per_folder=1)
    lines = ["path,label" + "".join(f",{m}" for m in more)]
    lines += [f'f{i}/0.png,"{label}"' + (f",{label}" * len(more)) for i, label in enumerate(labels)]
    (root / "list.csv").write_text("\n".join(lines), encoding="utf-8")
    return Manifest(root / "list.csv").load()


def vectors(tmp_path: Path, labels: list[str]):
    np.savez(tmp_path / "v.npz", vectors=VECTORS[: len(labels)], labels=np.array(labels))
    return VectorSet(tmp_path / "v.npz").load()


def in_memory(tmp_path: Path, labels: list[str]):
    return fewshot.labelled_vectors(VECTORS[: len(labels)], np.array(labels))


SOURCES = [folder, manifest, vectors, in_memory]


@pytest.mark.parametrize("source", SOURCES)
def test_two_unicode_forms_of_a_name_are_one_class(tmp_path, source, caplog):
    images = source(tmp_path, [NFC, NFD, NFC, NFD, "dog", "dog"])
    assert images.class_names == (NFC, "dog")
    assert np.bincount(images.labels)[0] == 4
    assert "1 name is written in two Unicode forms (NFC and NFD), such as 'café'; fewshot joins them" in caplog.text


def test_one_form_alone_stays_as_it_is(tmp_path, caplog):
    assert joined_spellings([NFD, NFD, "dog"], "set") == {}
    assert folder(tmp_path, [NFD, "dog"]).class_names == (NFD, "dog")
    assert not caplog.messages


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("names", [("Cat", "cat"), ("polar bear", "Polar  Bear")])
def test_names_that_differ_in_case_or_spaces_are_warned_of(tmp_path, source, names, caplog):
    one, other = names
    images = source(tmp_path, [one, one, other, other, "dog", "dog"])
    assert set(images.class_names) == {one, other, "dog"}
    assert "2 classes differ only in case or spaces, such as" in caplog.text


@pytest.mark.parametrize("source", SOURCES)
def test_names_of_letters_that_look_alike_are_warned_of(tmp_path, source, caplog):
    images = source(tmp_path, ["cat", "c\u0430t", "cat", "c\u0430t", "dog", "dog"])
    assert set(images.class_names) == {"cat", "c\u0430t", "dog"}
    assert "2 classes differ only in letters that look alike in two scripts, such as" in caplog.text


@pytest.mark.parametrize("source", SOURCES)
def test_names_that_differ_only_in_what_separates_words_are_warned_of(tmp_path, source, caplog):
    names = ["polar bear", "polar_bear", "polar-bear", "polar.bear"]
    images = source(tmp_path, [name for name in names for _ in range(2)])
    assert set(images.class_names) == set(names)
    assert "3 pairs of classes differ only in underscores, hyphens, dots or spaces, such as" in caplog.text


@pytest.mark.parametrize("name", ["", " "])
def test_an_image_without_a_partition_is_refused(tmp_path, name):
    parts = ["train", name, "test", name]
    root = write(tmp_path / "set", [f"f{i}" for i in range(4)], per_folder=1)
    lines = [f"f{i}/0.png,{'ab'[i % 2]},{part}" for i, part in enumerate(parts)]
    (root / "list.csv").write_text("\n".join(["path,label,partition", *lines]))
    with pytest.raises(ValueError, match=r"list.csv: 2 of 4 images have no partition, the first in line 3; fill in"):
        Manifest(root / "list.csv").load()
    with pytest.raises(ValueError, match=r"2 of 4 images have no partition, the first in row 1"):
        labelled_vectors(VECTORS[:4], [0, 1, 0, 1], image_groups={"partition": np.array(parts)})
    pixels = np.random.default_rng(0).integers(0, 256, (4, 5, 5), dtype=np.uint8)
    np.savez(tmp_path / "i.npz", images=pixels, labels=[0, 1, 0, 1], partition=np.array(parts))
    with pytest.raises(ValueError, match=r"i.npz: 2 of 4 images have no partition, the first in image 1"):
        ImageArrays(tmp_path / "i.npz").load()


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", [name for name in NO_LABEL if "/" not in name])
def test_texts_for_a_missing_label_are_warned_of(tmp_path, source, name, caplog):
    source(tmp_path, [name, name, "dog", "dog"])
    assert f"the class '{name}' (2 images) looks like \"no label\"" in caplog.text


@pytest.mark.parametrize("name", [*NO_LABEL, "", " "])
def test_usual_texts_for_no_label_are_known(name):
    assert means_no_label(name)


def test_other_names_are_not_suspicious():
    assert not any(map(means_no_label, ["Na", "0", "1", "nancy", "no", "-", "nonet"]))
    assert similar_names(["c", "o", "a b", "ab"]) == []
    assert similar_names(["1.5", "1-5", "15", ".", "-", "_", "C", "C-", "unknown bird"]) == []
    assert not any(map(means_no_label, ["unknown bird", "sun", "n", "a", "n b", "unsettled", "<b>", "nan-1"]))


@pytest.mark.parametrize("name", ["unknown", "Unknown", "n_a", "N.A.", "n-a", "<unset>", "no_label", "[none]", "(nan)"])
def test_spellings_of_no_label_are_known(name):
    assert means_no_label(name)


def test_empty_labels_of_vectors_are_warned_of(tmp_path, caplog):
    vectors(tmp_path, ["", "", "dog", "dog"])
    assert "the class '' (2 images) looks like" in caplog.text


def test_several_labels_in_a_field_are_named_instead_of_too_few_images(tmp_path):
    with pytest.raises(ValueError, match="'ant,animal' and 'bee,animal' seem to hold several labels per image"):
        manifest(tmp_path, ["ant,animal", "bee,animal", "rose,plant", "oak,plant"])


def test_lists_of_labels_with_enough_images_are_warned_of(tmp_path, caplog):
    assert len(manifest(tmp_path, ["ant;animal", "bee;animal"] * 3).class_names) == 2
    assert "seem to hold several labels per image (both contain 'animal')" in caplog.text


def test_class_names_with_commas_are_no_lists(tmp_path, caplog):
    manifest(tmp_path, ["tench, Tinca tinca", "crane", "goldfish, Carassius auratus", "wren"] * 2)
    assert not caplog.messages


def test_one_row_in_another_case_is_named_instead_of_too_few_images(tmp_path):
    with pytest.raises(ValueError, match=r"the labels 'Ant' \(1 row\) and 'ant' \(3 rows\) differ only in case or spa"):
        manifest(tmp_path, ["Ant", "ant", "ant", "ant", "bee", "bee"])


def test_the_few_shot_partitions_of_a_manifest_and_of_vectors_are_the_default_split(tmp_path):
    root = write(tmp_path / "set", list("abcdef"))
    rows = [
        f"{c}/{i}.png,{c},{'train' if c < 'c' else 'val' if c == 'c' else 'test'}" for c in "abcdef" for i in (0, 1)
    ]
    (root / "list.csv").write_text("\n".join(["path,label,partition", *rows]))
    rule = "ByGroup(group='partition', novel=('test',), validation=('val',))"
    assert Manifest(root / "list.csv").default_split() == rule
    assert set(Manifest(root / "list.csv").load().class_groups) == {"partition"}
    labels, parts = (np.array([row.split(",")[column] for row in rows]) for column in (1, 2))
    np.savez(tmp_path / "v.npz", vectors=VECTORS, labels=labels, partition=parts)
    assert VectorSet(tmp_path / "v.npz").default_split() == rule
    np.savez(tmp_path / "v.npz", vectors=VECTORS, labels=labels, partition=np.array(["train", "test"] * 6))
    assert VectorSet(tmp_path / "v.npz").default_split() is None
    assert VectorSet(tmp_path / "none.npz").default_split() is None


LABELS = np.arange(12) % 3


def changed(**rows):
    values = VECTORS.copy()
    for row, value in rows.items():
        values[int(row[1:])] = value if isinstance(value, float) else values[value]
    return values


@pytest.mark.parametrize(
    ("values", "messages"),
    [
        (VECTORS, []),
        (np.ones_like(VECTORS), ["all 12 vectors are equal, so no evaluator can tell them apart"]),
        (np.zeros_like(VECTORS), ["all 12 vectors are equal"]),
        (changed(r4=0.0), ["1 vector is zero, such as row 4"]),
        (changed(r4=0.0, r7=-0.0, r9=0.0), ["3 vectors are zero, such as row 4"]),
        (changed(r3=0), ["1 vector is an exact copy of other vectors of the same class, such as rows 0 and 3"]),
        (changed(r4=0), ["1 vector is an exact copy of vectors of another class, such as rows 0 and 4; correct"]),
        (
            changed(r3=0, r4=0, r5=0),
            ["1 vector is an exact copy of other", "2 vectors are exact copies of vectors of an"],
        ),
    ],
)
def test_suspicious_vectors_are_warned_of(tmp_path, values, messages, caplog):
    np.savez(tmp_path / "v.npz", vectors=values, labels=LABELS)
    for load in (
        VectorSet(tmp_path / "v.npz").load,
        VectorSet(tmp_path / "v.npz").load,  # from the cache
        lambda: fewshot.labelled_vectors(values, LABELS),
    ):
        caplog.clear()
        load()
        assert len(caplog.messages) == len(messages)
        assert all(text in message for text, message in zip(messages, caplog.messages, strict=True))
        assert {record.levelname for record in caplog.records} <= {"WARNING"}


def test_one_vector_for_two_class_names_is_warned_of(caplog):
    names, centres = ["gull", "wren", "hawk"], np.eye(3, 4)
    fewshot.labelled_vectors(VECTORS, LABELS, names, class_vectors=centres)
    assert not caplog.messages
    centres[2] = centres[0]
    fewshot.labelled_vectors(VECTORS, LABELS, names, class_vectors=centres)
    assert "2 classes have the same class vector, such as 'gull' and 'hawk'" in caplog.text
    centres[1] = 0
    fewshot.labelled_vectors(VECTORS, LABELS, names, class_vectors=centres)
    assert "the class vector of 'wren' is zero; compute it again" in caplog.text


@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
@pytest.mark.parametrize("name", ["m.csv", "v.npz", "v.safetensors", "v.parquet", "other.json", "split.json"])
def test_only_regular_files_are_read(tmp_path, kind, name):
    path = special_file(tmp_path / name, kind)
    if name == "split.json":
        write(tmp_path / "set", ["a", "b"])
        sentence = fail("run", "--data", tmp_path / "set", *QUICK, "--split", f"FromFile({str(path)!r})")
    else:
        sentence = fail("run", "--data", path, *QUICK)
    assert f"{path}" in sentence
    assert "regular file" in sentence


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("shape", [(10**12, 512), (10**6, 10**6), (8, 3), (-8, -2), (10**30, 1)])
def test_an_npz_that_promises_more_than_it_holds_is_refused(tmp_path, compression, shape):
    path = lying_npz(tmp_path / "v.npz", shape, compression)
    sentence = fail("run", "--data", path, *QUICK)
    assert str(path) in sentence
    assert "vectors" in sentence


def test_labels_whose_header_lies_are_refused(tmp_path):
    path = lying_npz(tmp_path / "v.npz", (10**12,), zipfile.ZIP_DEFLATED, "partition")
    with zipfile.ZipFile(path, "a") as archive, archive.open("vectors.npy", "w") as file:
        np.lib.format.write_array(file, VECTORS[:8])
    assert "its header promises float32 of shape [1000000000000]" in fail("run", "--data", path, *QUICK)


def test_empty_class_names_are_one_sentence(tmp_path):
    np.savez(tmp_path / "v.npz", vectors=VECTORS, labels=LABELS.astype(str), class_names=np.array([], dtype=str))
    assert "class_names is empty; list the name of each class" in fail("run", "--data", tmp_path / "v.npz", *QUICK)


@pytest.mark.parametrize("labels", [LABELS, np.array(["dog"] * 12)])
def test_empty_class_names_beside_any_labels_are_one_sentence(tmp_path, labels):
    np.savez(tmp_path / "v.npz", vectors=VECTORS, labels=labels, class_names=np.array([], dtype=str))
    with pytest.raises(ValueError, match="class_names is empty"):
        VectorSet(tmp_path / "v.npz").load()


def test_strings_that_are_not_utf8_are_shown(tmp_path):
    np.savez(tmp_path / "v.npz", vectors=VECTORS, labels=np.array(["Bär".encode("latin-1"), b"dog"] * 6))
    assert r"the text b'B\xe4r' is not UTF-8" in fail("run", "--data", tmp_path / "v.npz", *QUICK)


def test_two_columns_of_one_name_are_one_sentence(tmp_path):
    pa = pytest.importorskip("pyarrow", reason="an optional package; the extras parquet and test bring it")
    import pyarrow.parquet as pq

    columns = [pa.array(VECTORS.tolist()), pa.array(LABELS), pa.array(LABELS)]
    pq.write_table(pa.Table.from_arrays(columns, names=["vectors", "label", "label"]), tmp_path / "v.parquet")
    assert "has two columns named 'label'; give each a name" in fail("run", "--data", tmp_path / "v.parquet", *QUICK)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", "it is a file of records; write a CSV file"), ("a.txt", "it is a text file; write a CSV"),
        ("a.npy", "it is one array without labels; save vectors and labels"), ("a.pt", "it is a file of PyTorch; save"),
        ("a.h5", "it is a file of arrays (HDF5 or MATLAB); save"), ("a.zip", "it is an archive; unpack it and"),
        ("a.tar.gz", "it is an archive; unpack"), ("a.PNG", "it is one image; give the folder with one folder of"),
        ("a.xyz", "it is a file of an unknown type; give a folder"), ("noend", "it is a file of an unknown type"),
    ],
)  # fmt: skip
def test_an_existing_file_of_another_kind_is_named_with_what_to_give(tmp_path, name, text):
    (tmp_path / name).write_bytes(b"x")
    assert fail("run", "--data", tmp_path / name, *QUICK).startswith(f"--data cannot read {tmp_path / name}: {text}")


def test_a_class_folder_with_a_latin_name_is_named(tmp_path):
    root = write(tmp_path / "set", ["a", "b"])
    try:
        (root / "b").rename(bytes(root).decode() + "/B\udce4r")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    result = CliRunner().invoke(main, ["run", "--data", str(root), *QUICK])
    assert result.exit_code == 1
    assert r"the name of the folder 'set/B\xe4r' is not UTF-8 (perhaps Latin-1); rename it" in result.stderr


@pytest.mark.parametrize("seed", range(20))
def test_a_random_manifest_is_read_or_refused_in_one_sentence(tmp_path, seed):
    rng = np.random.default_rng(seed)
    root = write(tmp_path / "set", ["p"], per_folder=9)
    labels = rng.choice(["ant", "Ant", "ant,animal", "", "NaN", "a|b", "b", NFC, NFD, "\0", "x" * 500], size=9)
    header = str(rng.choice(["path,label", "path,label,partition", "path;label", "label,path", "path,label,label"]))
    fields = [[f"p/{i}.png", f'"{label}"', rng.choice(["train", "test"])] for i, label in enumerate(labels)]
    lines = [",".join(map(str, row[: header.count(",") + 1])) for row in fields]
    (root / "m.csv").write_text("\n".join([header, *lines]), encoding=str(rng.choice(["utf-8", "utf-16", "utf-8-sig"])))
    result = CliRunner().invoke(main, ["run", "--data", str(root / "m.csv"), *QUICK, "--evaluator", "Prototype"])
    assert result.exit_code in (0, 1)
    assert isinstance(result.exception, SystemExit | None)
    if result.exit_code:
        assert result.stderr.splitlines()[-1].startswith("Error: ")


@pytest.mark.parametrize("seed", range(20))
def test_random_vectors_are_read_or_refused_in_one_sentence(tmp_path, seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 30))
    kinds = [VECTORS, np.ones((n, 3)), rng.normal(size=(n, 2)), np.empty((0, 3)), 1e39 * np.ones((n, 2))]
    values = kinds[seed % 5]
    labels = [rng.integers(-1, 3, len(values)), rng.choice(["a", "A", "", "nan"], len(values)), np.zeros(n)][seed % 3]
    more = [{}, {"class_names": np.array(["a", "b", "c"])}, {"class_names": np.array([])}, {"partition": labels}][
        seed % 4
    ]
    np.savez(tmp_path / "v.npz", vectors=values, labels=labels, **more)
    result = CliRunner().invoke(
        main, ["run", "--data", str(tmp_path / "v.npz"), "--episodes", "3", "--evaluator", "Prototype"]
    )
    assert result.exit_code in (0, 1)
    assert isinstance(result.exception, SystemExit | None)
    if result.exit_code:
        assert result.stderr.splitlines()[-1].startswith("Error: ")


SOME = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


@pytest.mark.parametrize(
    ("one", "other", "how"),
    [
        ("1", "1.0", "the writing of a number"),
        ("7", "07", "the writing of a number"),
        ("cat", "cat\u200b", "invisible characters"),
        ("cat", "\u202ecat\u202c", "invisible characters"),
        ("cat", "c\x01at", "invisible characters"),
        ("cat", " cat", "case or spaces"),
        ("cat", "c\u0430t", "letters that look alike in two scripts"),
        ("Polar bear", "polar be\u0430r", "letters that look alike in two scripts"),
        ("\u039f1", "O1", "letters that look alike in two scripts"),
    ],
)
def test_two_writings_of_one_name_are_warned_of(one, other, how, caplog):
    labelled_vectors(SOME, [0, 0, 1, 1], class_names=[one, other])
    assert f"2 classes differ only in {how}, such as {one!r} and {other!r}" in caplog.text


@pytest.mark.parametrize("name", [" cat", "cat ", "cat\u200b", "\ufeffcat", "\u202ecat", "c\x07at", "\u2066cat\u2069"])
def test_a_name_with_invisible_characters_is_warned_of(name, caplog):
    labelled_vectors(SOME, [0, 0, 1, 1], class_names=[name, "dog"])
    assert f"1 class has invisible characters in or around the name, such as {name!r}" in caplog.text


@pytest.mark.parametrize("name", ["cat", "sea lion", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "1.5", "été"])
def test_usual_names_are_not_warned_of(name, caplog):
    labelled_vectors(SOME, [0, 0, 1, 1], class_names=[name, "dog"])
    assert not caplog.messages


@pytest.mark.parametrize("name", ["undefined", "Undefined", "nil", "nan", "<NaN>", "null"])
def test_more_texts_mean_no_label(name, caplog):
    labelled_vectors(SOME, [0, 0, 1, 1], class_names=[name, "dog"])
    assert 'looks like "no label"' in caplog.text


def test_names_of_images_in_an_array_file_are_checked_too(tmp_path, caplog):
    images = np.random.default_rng(0).integers(0, 256, (4, 5, 5), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=images, labels=np.array(["1", "1", "1.0", "1.0"]))
    ImageArrays(tmp_path / "a.npz").load()
    assert "2 classes differ only in the writing of a number, such as '1' and '1.0'" in caplog.text


def test_a_nul_in_a_manifest_is_refused_by_its_line(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"path,label\na.png,cat\nb.png,cat\0\n")
    with pytest.raises(ValueError, match=r"a\.csv, line 3 contains a NUL character; remove it"):
        Manifest(tmp_path / "a.csv").load()


def test_blank_pictures_of_two_classes_are_not_called_wrongly_labelled(tmp_path, caplog):
    np.savez(tmp_path / "a.npz", images=np.zeros((4, 5, 5), np.uint8), labels=np.arange(4) % 2)
    ImageArrays(tmp_path / "a.npz").load()
    for place in range(4):
        path = tmp_path / "folder" / "ab"[place % 2] / f"{place}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((5, 5, 4), (255, 255, 255, 0), np.uint8)).save(path)
    ImageFolderSet(tmp_path / "folder").load()
    assert "4 of 4 pictures are blank" in caplog.text
    assert "label of each pair is wrong" not in caplog.text
