"""Images in .npz files: the same pictures as in a folder, one scale per file, and no trust in headers."""

from __future__ import annotations

import io
import logging
import resource
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fewshot.commands._options import dataset_spec
from fewshot.datasets import image_arrays
from fewshot.datasets.image_arrays import ImageArrays
from fewshot.datasets.image_folder_set import ImageFolderSet
from fewshot.files.npz import NpzFile
from fewshot.files.stored import StoredArray
from fewshot.results.files import Results
from tests.support.command_line import QUICK, fail, succeed

RANDOM = np.random.default_rng(0)
N = 36
COLOUR = RANDOM.integers(0, 256, (N, 10, 12, 3), dtype=np.uint8)
GREY = COLOUR[..., 0]
LABELS = np.arange(N) // 12
NAMES = np.array(["gull", "owl", "wren"])


def saved(path, compressed=False, **arrays):
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return path


def load(tmp_path, **arrays):
    return ImageArrays(saved(tmp_path / "birds.npz", **arrays)).load()


def pixels(images):
    return np.stack([np.asarray(images.images[row]) for row in range(len(images))])


@pytest.mark.parametrize("array", ["images", "val_images"])
def test_an_image_without_a_finite_number_is_named_with_its_file_and_array(array, tmp_path):
    images = GREY.astype(np.float32)
    images[7] = np.nan
    arrays = {array: images, array.replace("images", "labels"): LABELS}
    if array != "images":
        arrays |= {"train_images": GREY, "train_labels": LABELS}
    file = tmp_path / "birds.npz"
    with pytest.raises(
        ValueError, match=rf"^{file}: '{array}': image 7 has no finite number; correct it, or remove it$"
    ):
        load(tmp_path, **arrays)


def test_both_forms_in_one_file_are_refused(tmp_path):
    both = {"images": GREY, "labels": LABELS, "train_images": GREY, "train_labels": LABELS}
    with pytest.raises(ValueError, match=r"birds.npz holds 'images' and 'train_images'; keep one of the two forms: "):
        load(tmp_path, **both)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("images", [COLOUR, GREY, GREY[..., None], np.asfortranarray(GREY)])
def test_they_are_the_pictures_of_a_folder(images, compressed, tmp_path):
    for row, values in enumerate(images):
        folder = tmp_path / "folder" / NAMES[LABELS[row]]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values if values.shape[-1] != 1 else values[..., 0]).save(folder / f"{row:02}.png")
    folder = ImageFolderSet(tmp_path / "folder").load()
    path = saved(tmp_path / "birds.npz", compressed, images=images, labels=LABELS, class_names=NAMES)
    arrays = ImageArrays(path).load()
    assert arrays.images_digest == folder.images_digest
    assert arrays.class_names == folder.class_names
    assert np.array_equal(arrays.labels, folder.labels)
    assert {arrays.images[row].mode for row in range(N)} == {folder.images[row].mode for row in range(N)} == {"RGB"}
    assert np.array_equal(pixels(arrays), pixels(folder))
    assert arrays.name == "birds"


def test_parts_are_partitions_as_in_medmnist(tmp_path):
    parts = {"train": slice(0, 18), "val": slice(18, 24), "test": slice(24, 36)}
    arrays = {f"{part}_images": COLOUR[rows] for part, rows in parts.items()}
    arrays |= {f"{part}_labels": LABELS[rows, None].astype(np.uint8) for part, rows in parts.items()}
    images = load(tmp_path, **arrays)
    assert images.class_names == ("0", "1", "2")
    assert np.array_equal(images.labels, LABELS)
    assert np.array_equal(pixels(images), COLOUR)
    for part, rows in parts.items():
        assert np.flatnonzero(images.mask(f"partition={part}")).tolist() == list(range(N))[rows]


def test_labels_may_be_strings_and_groups_are_kept(tmp_path):
    images = load(tmp_path, images=GREY, labels=NAMES[LABELS], partition=np.arange(N) % 2, **{"group:site": LABELS})
    assert images.class_names == tuple(NAMES)
    assert set(images.image_groups) == {"partition", "site"}
    assert images.mask("partition=1").sum() == N // 2


def test_a_class_without_images_is_left_out(tmp_path):
    images = load(tmp_path, images=GREY, labels=LABELS * 2, class_names=list("abcde"))
    assert images.class_names == ("a", "c", "e")


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32, np.float64])
def test_deeper_pixels_have_one_scale(dtype, tmp_path, caplog):
    top = 1 if np.dtype(dtype).kind == "f" else 65535
    deep = (COLOUR.astype(np.float64) * (top / 255)).round(0 if top > 1 else 9).astype(dtype)
    with caplog.at_level(logging.INFO):
        images = load(tmp_path, images=deep, labels=LABELS)
    assert f"36 {'float' if top == 1 else ''}" in caplog.messages[0]
    assert f"values 0 to {top} become black to white" in caplog.messages[0]
    assert np.abs(pixels(images).astype(int) - COLOUR).max() <= 1


def test_blank_and_broken_images_are_warned_of(tmp_path, caplog):
    images = (GREY / 255).astype(np.float32)
    images[3], images[7, 0, 0] = 0.5, np.nan
    load(tmp_path, images=images, labels=LABELS)
    assert [m.partition("npz: ")[2].partition(";")[0] for m in caplog.messages] == [
        "1 of 36 pictures is blank, such as image 3",
        "1 of 36 pictures is in part NaN or infinite, such as image 7",
    ]
    images[3] = np.inf
    with pytest.raises(ValueError, match="image 3 has no finite number"):
        load(tmp_path, images=images, labels=LABELS)


def test_an_empty_partition_is_skipped_with_a_warning(tmp_path, caplog):
    empty = {"val_images": COLOUR[:0], "val_labels": LABELS[:0]}
    images = load(tmp_path, train_images=COLOUR[::2], train_labels=LABELS[::2], **empty)
    assert images.image_groups["partition"].names == ("train",)
    assert "skipped the partition 'val', which is empty" in caplog.text


def test_many_images_are_compared_with_their_labels_before_any_is_read(tmp_path, monkeypatch):
    path = saved(tmp_path / "birds.npz", True, images=np.zeros((3000, 100, 100), np.uint8), labels=np.zeros(5, int))
    monkeypatch.setattr(NpzFile, "rows", lambda *_: pytest.fail("images were read"))
    with pytest.raises(ValueError, match=r"for each of 3,000 images, found int64 of shape \[5\]"):
        ImageArrays(path).load()


def test_an_image_of_more_pixels_than_a_file_may_have_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(image_arrays, "_MOST_PIXELS", 100)
    with pytest.raises(ValueError, match=r"of shape .*; an image has at most 100 pixels here; save smaller ones"):
        load(tmp_path, images=COLOUR, labels=LABELS)


def test_copies_across_classes_are_told(tmp_path, caplog):
    images = COLOUR.copy()
    images[20] = images[2]
    load(tmp_path, images=images, labels=LABELS)
    [message] = caplog.messages
    assert "1 exact copy of images of ANOTHER class, such as image 2 and image 20" in message


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"labels": np.eye(3)[LABELS]}, r"has 3 labels per image \(multi-label or one-hot\), but an image has one"),
        ({"labels": LABELS[:5]}, "must be one integer or string for each of 36 images, found int64 of shape"),
        ({"labels": LABELS / 2}, "must be one integer or string for each of 36 images, found float64"),
        ({"labels": np.array([None] * N, object)}, "'labels' cannot be read: it holds Python objects"),
        ({"images": np.array([None] * N, object)}, "'images' cannot be read: it holds Python objects"),
        ({"images": COLOUR.astype(np.complex64)}, "'images' is complex64 .*images must be numbers"),
        ({"images": COLOUR[0]}, "but has|images must|for each of 10 images"),
        ({"images": np.moveaxis(COLOUR, 3, 1)}, r"move the colours to the end with np.moveaxis\(images, 1, -1\)"),
        ({"images": np.zeros((N, 9, 9, 9), np.uint8)}, "1 or 3 colours in the last axis; volumes are not read"),
        ({"images": np.zeros((N, 9, 9, 9, 1), np.uint8)}, "volumes are not read"),
        (
            {"images": np.zeros((0, 9, 9), np.uint8), "labels": []},
            r"holds no images: found 'images' of shape \[0, 9, 9",
        ),
        ({"images": np.zeros((9, 0, 9), np.uint8), "labels": []}, "images must have the shape"),
        ({"class_names": NAMES[:2]}, "labels places in it; the labels are 0 to 2, class_names has the shape"),
        ({"group:site": [1, 2]}, r"'group:site' must have the shape \[36\], found \[2\]"),
    ],
)
def test_what_does_not_fit_is_one_sentence(arrays, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        load(tmp_path, **({"images": COLOUR, "labels": LABELS} | arrays))


def test_missing_labels_and_files_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"birds.npz holds no array 'labels'; it holds images"):
        load(tmp_path, images=COLOUR)
    with pytest.raises(ValueError, match=r"birds.npz holds no array 'train_labels'"):
        load(tmp_path, train_images=COLOUR)
    with pytest.raises(ValueError, match=r"holds no array images and no train_images, but vectors"):
        load(tmp_path, vectors=COLOUR)
    with pytest.raises(ValueError, match=r"there is no file .*none.npz"):
        ImageArrays(tmp_path / "none.npz").load()
    (tmp_path / "text.npz").write_text("text")
    with pytest.raises(ValueError, match=r"text.npz cannot be read as .npz"):
        ImageArrays(tmp_path / "text.npz").load()


def lying(path, shape, compression, claimed=None):
    """An .npz file whose images have a header of another shape, and an entry of another size."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    labels = io.BytesIO()
    np.save(labels, np.zeros(2, np.int64))
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("images.npy", header.getvalue() + bytes(100))
        archive.writestr("labels.npy", labels.getvalue())
    if claimed is not None:
        content = bytearray(path.read_bytes())
        directory = content.index(b"PK\x01\x02")
        content[directory + 24 : directory + 28] = struct.pack("<I", claimed)
        path.write_bytes(content)
    return path


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("claimed", [None, 4_000_000_000])
def test_a_lying_header_costs_no_memory(compression, claimed, tmp_path):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    path = lying(tmp_path / "birds.npz", (1_000_000, 1000, 1000), compression, claimed)
    with pytest.raises(ValueError, match=r"'images' cannot be read: .* bytes"):
        ImageArrays(path).load()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10  # kilobytes


def test_a_negative_shape_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"'images' cannot be read"):
        ImageArrays(lying(tmp_path / "birds.npz", (-1, -100, 1), zipfile.ZIP_STORED)).load()


def test_the_command_line_takes_images_and_vectors_by_content(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved("birds.npz", images=COLOUR, labels=LABELS)
    saved("medical.npz", train_images=COLOUR, train_labels=LABELS)
    saved("features.npz", vectors=COLOUR.reshape(N, -1) / 255, labels=LABELS)
    kinds = [str(dataset_spec(name)).partition("(")[0] for name in ("birds.npz", "medical.npz", "features.npz")]
    assert kinds == ["ImageArrays", "ImageArrays", "VectorSet"]
    succeed("run", "--data", "birds.npz", "--evaluator", "Prototype", *QUICK)
    [row] = Results(Path("results/runs.jsonl")).rows()
    assert (row.status, row.dataset) == ("ok", "ImageArrays(path='birds.npz')")
    saved("many.npz", images=COLOUR, labels=np.eye(3, dtype=int)[LABELS])
    assert "multi-label" in fail("run", "--data", "many.npz", "--evaluator", "Prototype", *QUICK)


def test_images_of_an_uncompressed_file_are_not_held(tmp_path):
    images = load(tmp_path, images=COLOUR, labels=LABELS)
    assert all(isinstance(array, StoredArray) for array in images.images.arrays)
