"""`fewshot look`: the images of any data set as they are read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.command_line import call, fail, misuse, succeed
from tests.support.deep_pictures import deep_png
from tests.support.pictures import write_pictures


@pytest.fixture(autouse=True)
def birds(tmp_path, monkeypatch):
    """Three classes of 4, 5 and 9 pictures of 12 x 10 pixels."""
    monkeypatch.chdir(tmp_path)
    write_pictures(Path("birds"), [4, 5, 9])


def looked(*args):
    return json.loads(succeed("look", "--json", "--data", *args))


def test_classes_sizes_and_values_are_shown():
    text = succeed("look", "--data", "birds")
    assert "data: birds, read by ImageFolderSet(root='birds')" in text
    assert "images: 18 images, 3 classes" in text
    assert "images per class: 4 (class0) to 9, median 5" in text
    assert "pixels: 12 x 10\n" in text
    assert "modes: RGB 18" in text
    assert "in 18 8-bit pictures" in text
    assert "exact copies within a class: 0" in text


def test_everything_that_looks_wrong_is_named():
    Image.new("RGB", (30, 20), "red").save("birds/class0/red.png")
    shutil.copy("birds/class1/1.png", "birds/class1/copy.png")
    shutil.copy("birds/class1/2.png", "birds/class2/stray.png")
    Path("birds/class2/notes.txt").write_text("x")
    seen = looked("birds")
    assert seen["signs"] == {"blank": 1}
    assert seen["copies"] == {"within a class": 1, "across classes": 1}
    assert seen["examples"]["blank"] == ["class0/red.png"]
    assert seen["examples"]["across classes"] == ["class1/2.png = class2/stray.png"]
    assert seen["sizes"] == [[12, 10], [30, 20], 2]
    assert any("1 file that is not an image" in message for message in seen["warnings"])
    text = succeed("look", "--data", "birds")
    assert "blank: 1 picture, such as class0/red.png" in text
    assert "pixels: 12 x 10 to 30 x 20, 2 sizes" in text


def test_the_scale_of_deep_pictures_is_shown():
    values = np.random.default_rng(0).integers(0, 4096, (5, 5))
    values[0, :2] = 0, 4095
    Path("birds/class0/deep.png").write_bytes(deep_png(values))
    text = succeed("look", "--data", "birds")
    assert "values: 0 to 4095 in 1 unsigned 16-bit picture, 0 to 4095 become black to white" in text
    seen = looked("birds")
    assert seen["scales"] == {"unsigned 16-bit": "0 to 4095"}
    assert seen["kinds"] == {"8-bit": 18, "unsigned 16-bit": 1}


@pytest.mark.parametrize("data", ["Icons", "Glyphs", "Partitioned(ImageFolderSet('birds'), test=1, validation=1)"])
def test_other_sources_are_looked_at_too(data):
    seen = looked(data)
    assert seen["n_images"] >= 18
    assert seen["per_class"][0] > 0
    assert set(seen["kinds"]) == {"8-bit"}


def test_partitions_are_counted():
    for part in ("train", "test"):
        shutil.copytree("birds", f"parted/{part}")
    text = succeed("look", "--data", "parted")
    assert "partition: test 18, train 18" in text
    assert "exact copies within a class: 18, such as " in text


def test_arrays_and_manifests_are_looked_at():
    images = np.random.default_rng(0).integers(0, 256, (12, 6, 8), dtype=np.uint8)
    np.savez("a.npz", images=images, labels=np.arange(12) % 3)
    assert looked("a.npz")["sizes"] == [[8, 6], [8, 6], 1]
    lines = [f"birds/class{label}/{number}.png,{label}" for label in range(3) for number in range(4)]
    Path("list.csv").write_text("\n".join(["path,label", *lines]))
    assert looked("list.csv")["per_class"] == [4, 4, 4]


def test_vectors_have_no_pictures():
    np.savez("v.npz", vectors=np.eye(6, dtype=np.float32), labels=np.arange(6) % 2, partition=np.arange(6) % 2)
    assert "vectors: 6 vectors of 6 numbers, 2 classes\npartition: 0 3, 1 3" in succeed("look", "--data", "v.npz")
    assert looked("v.npz")["dim"] == 6
    assert "v holds vectors" in fail("look", "--data", "v.npz", "--out", "sheet.png")


def test_the_contact_sheet_has_a_row_per_class_and_is_bounded():
    succeed("look", "--data", "birds", "--out", "sheet.png", "--per-class", "5")
    with Image.open("sheet.png") as sheet:
        assert sheet.size == (120 + 5 * 68, 3 * 68 + 4)
        pixels = np.asarray(sheet.convert("RGB")).astype(int)
    with Image.open("birds/class1/0.png") as first:
        assert np.array_equal(pixels[72 : 72 + 10, 120 : 120 + 12], np.asarray(first))
    assert (pixels[20:60, 120 + 4 * 68 :] == 232).all()  # the first class has four pictures
    succeed("look", "--data", "Icons", "--out", "icons.png", "--most-classes", "200", "--per-class", "50")
    with Image.open("icons.png") as sheet:
        assert sheet.size[0] * sheet.size[1] < 60_000_000


def test_a_dry_run_writes_nothing_and_other_files_are_refused():
    assert "would read ImageFolderSet(root='birds')" in succeed(
        "look", "--data", "birds", "--out", "s.png", "--dry-run"
    )
    assert not Path("s.png").exists()
    assert "--out writes a .png file; got 's.jpg'" in misuse("look", "--data", "birds", "--out", "s.jpg")


def test_an_unreadable_picture_is_named():
    Path("birds/class0/broken.png").write_bytes(b"GIF")
    result = call("look", "--data", "birds")
    assert result.exit_code == 1
    assert "1 of 19 images cannot be read: birds/class0/broken.png: not an image" in result.stderr
