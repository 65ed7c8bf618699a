"""Feature tables: every row once, the same bits whoever asks, and nothing half-written whatever happens."""

from __future__ import annotations

import dataclasses
import errno
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from filelock import FileLock
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from fewshot.backbones import Backbone
from fewshot.backbones.random_init import RandomInit
from fewshot.backbones.raw_pixels import RawPixels
from fewshot.datasets import ArrayImages, LabelledImages
from fewshot.features.embedding import BATCH, canonical_batches, keep_freed_memory
from fewshot.features.table import FeatureTable, feature_table
from tests.support.checkout import ROOT
from tests.support.random_pixels import pixels_through, random_images


def table_of(rows: list[int] | NDArray[np.int64], backbone: Backbone, folder: Path, count: int = 200) -> FeatureTable:
    return feature_table(random_images(count), backbone, np.asarray(rows), folder=folder, progress=False)


class Counting(nn.Module):
    """Flattened pixels; notes the shapes of its batches."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[tuple[int, ...]] = []

    def __deepcopy__(self, _: object) -> Counting:
        return self

    def forward(self, inputs: Tensor) -> Tensor:
        self.shapes.append(tuple(inputs.shape))
        return inputs.flatten(1)


@pytest.fixture(scope="module")
def convolutional() -> Backbone:
    return RandomInit("test_efficientnet", image_size=32).load()


# What is computed


def test_features_are_those_of_the_backbone(convolutional: Backbone, tmp_path: Path) -> None:
    images = random_images(70)
    table = table_of(np.arange(70), convolutional, tmp_path, 70)
    inputs = torch.stack([convolutional.preprocess(images.images[row]) for row in range(70)])
    torch.testing.assert_close(table.gather(np.arange(70)), convolutional.embed(inputs), rtol=1e-3, atol=1e-4)
    assert table.vectors.shape == (70, convolutional.dim)
    assert table.n_embedded == 70
    assert table.seconds > 0


@pytest.mark.parametrize("name", ["test_efficientnet", "test_vit", "test_resnet"])
def test_the_bits_of_a_row_do_not_depend_on_what_else_is_asked_for(name: str, tmp_path: Path) -> None:
    backbone = RandomInit(name, image_size=32).load()
    generator = np.random.default_rng(1)
    whole = table_of(np.arange(110), backbone, tmp_path / "whole").gather(np.arange(110))
    for part in range(4):
        rows = np.sort(generator.choice(110, size=int(generator.integers(1, 60)), replace=False))
        table = table_of(rows, backbone, tmp_path / str(part))
        assert torch.equal(table.gather(rows), whole[rows]), rows


def test_the_bits_of_a_row_do_not_depend_on_resuming(convolutional: Backbone, tmp_path: Path) -> None:
    whole = table_of(np.arange(200), convolutional, tmp_path / "whole").gather(np.arange(200))
    counts = [
        table_of(rows, convolutional, tmp_path / "parts").n_embedded
        for rows in (np.arange(0, 200, 7), np.arange(30, 90), np.arange(200), np.arange(200))
    ]
    assert sum(counts) == 200
    assert counts[-1] == 0
    parts = table_of(np.arange(200), convolutional, tmp_path / "parts")
    assert torch.equal(parts.gather(np.arange(200)), whole)


def test_every_row_stands_once_at_its_own_slot() -> None:
    generator = np.random.default_rng(2)
    for size in (1, 63, 64, 65, 500):
        rows = np.sort(generator.choice(1000, size=size, replace=False))
        batches = canonical_batches(rows)
        assert batches.shape[1] == BATCH
        assert np.array_equal(np.sort(batches[batches >= 0]), rows)
        slots = np.broadcast_to(np.arange(BATCH), batches.shape)
        assert (batches[batches >= 0] % BATCH == slots[batches >= 0]).all()
        assert len(batches) == np.bincount(rows % BATCH).max()
    assert len(canonical_batches(np.arange(640))) == 10


def test_batches_are_always_of_one_shape(tmp_path: Path) -> None:
    network = Counting()
    table_of([3, 64, 130], pixels_through(network), tmp_path)
    checks = {(1, 3, 4, 4), (2, 3, 4, 4)}  # of an image alone and behind another (features/independence.py)
    assert set(network.shapes) - checks == {(BATCH, 3, 4, 4)}


def test_only_missing_rows_are_embedded(tmp_path: Path) -> None:
    backbone = pixels_through(Counting())
    assert table_of([1, 2, 3], backbone, tmp_path).n_embedded == 3
    assert table_of([2, 3, 4, 199], backbone, tmp_path).n_embedded == 2
    table = table_of([1, 199], backbone, tmp_path)
    assert table.n_embedded == 0
    assert np.flatnonzero(table.done).tolist() == [1, 2, 3, 4, 199]


def test_the_given_backbone_is_left_as_it_was(convolutional: Backbone, tmp_path: Path) -> None:
    strides = [p.stride() for p in convolutional.network.parameters()]
    table_of([1, 2], convolutional, tmp_path)
    assert [p.stride() for p in convolutional.network.parameters()] == strides


class Viewing(nn.Module):
    """Calls `view` on its activations, which channels_last does not allow."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        out: Tensor = self.conv(inputs)
        return out.view(len(out), -1)


def test_a_network_that_views_its_activations_works_too(tmp_path: Path) -> None:
    backbone = dataclasses.replace(pixels_through(Viewing()), dim=20)
    assert table_of([1, 2], backbone, tmp_path).gather(np.array([1, 2])).shape == (2, 20)


def test_bfloat16_is_another_table_of_float32_values(convolutional: Backbone, tmp_path: Path) -> None:
    images, rows = random_images(), np.arange(10)
    wide = feature_table(images, convolutional, rows, progress=False)
    narrow = feature_table(images, convolutional, rows, dtype="bfloat16", progress=False)
    assert narrow.key != wide.key
    a, b = wide.gather(rows), narrow.gather(rows)
    assert a.dtype == b.dtype == torch.float32
    assert not torch.equal(a, b)
    assert float((a - b).norm() / a.norm()) < 0.05
    with pytest.raises(ValueError, match="computed in float32 or bfloat16; got dtype='float16'"):
        feature_table(images, convolutional, rows, dtype="float16", progress=False)


def test_keeping_freed_memory_never_fails() -> None:
    assert keep_freed_memory() in (True, False)


# The key


def test_everything_that_changes_a_feature_changes_the_key(tmp_path: Path, own_home: Path) -> None:
    base, images = RawPixels(4).load(), random_images()
    backbones = [
        base,
        dataclasses.replace(base, weights_digest="other"),
        dataclasses.replace(base, preprocess_digest="other"),
        dataclasses.replace(base, name="other"),
    ]
    tables = [feature_table(images, b, np.array([0]), progress=False) for b in backbones]
    tables.append(
        feature_table(dataclasses.replace(images, images_digest="other"), base, np.array([0]), progress=False)
    )
    assert len({table.key for table in tables}) == 5
    assert all(table.folder == own_home / "features" / table.key[:32] for table in tables)
    about = json.loads((tables[0].folder / "about.json").read_text())
    assert about["images"] == images.images_digest
    assert about["backbone"] == "pixels"


# Gathering


def test_gather_gives_a_copy_in_the_shape_of_the_rows(tmp_path: Path) -> None:
    table = table_of([1, 2, 5], RawPixels(4).load(), tmp_path)
    rows = np.array([[1, 5], [2, 1]], dtype=np.int32)
    features = table.gather(rows)
    assert features.shape == (2, 2, 48)
    assert torch.equal(features[0, 0], features[1, 1])
    features.zero_()
    assert bool((table.gather(rows) > 0).any())


def test_rows_that_are_not_there_are_told(tmp_path: Path) -> None:
    backbone = RawPixels(4).load()
    table = table_of([1, 2, 5], backbone, tmp_path)
    with pytest.raises(ValueError, match=r"2 of 3 rows are not embedded in .* \(first: 3\)"):
        table.gather(np.array([1, 3, 4]))
    with pytest.raises(ValueError, match=r"rows of the table must be in \[0, 200\), found -1 to 4"):
        table.gather(np.array([-1, 4]))
    with pytest.raises(ValueError, match=r"rows of random must be in \[0, 200\), found 0 to 200"):
        table_of([0, 200], backbone, tmp_path)
    for rows in ([2, 1], [1, 1]):
        with pytest.raises(ValueError, match="rows must be sorted and unique"):
            table_of(rows, backbone, tmp_path)


# What goes wrong


class Broken(nn.Module):
    """NaN for images that begin with a bright pixel."""

    def forward(self, inputs: Tensor) -> Tensor:
        features = inputs.flatten(1)
        return torch.where(features[:, :1] > 0.9, torch.nan, features)


def test_nan_features_name_backbone_and_row_and_mark_nothing(tmp_path: Path) -> None:
    pixels = np.full((100, 4, 4), 10, dtype=np.uint8)
    pixels[[40, 70]] = 255
    images = LabelledImages("bright", ArrayImages(pixels), np.zeros(100, np.int64), ("one",), "bright")
    backbone = pixels_through(Broken(), "broken")
    with pytest.raises(ValueError, match=r"broken gives NaN or infinite features, first for image row 40 of bright"):
        feature_table(images, backbone, np.arange(100), folder=tmp_path, progress=False)
    [done] = tmp_path.glob("*/done")
    assert not any(done.read_bytes())
    assert feature_table(images, backbone, np.arange(40), folder=tmp_path, progress=False).n_embedded == 40


def test_a_network_of_another_dimension_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"should give \[64, 7\] features, but gave \[64, 48\]"):
        table_of([0], dataclasses.replace(RawPixels(4).load(), dim=7), tmp_path)


def test_a_network_in_training_mode_is_refused(tmp_path: Path) -> None:
    backbone = pixels_through(nn.Flatten())
    backbone.network.train()
    with pytest.raises(RuntimeError, match="training mode"):
        table_of([0], backbone, tmp_path)


class Unreadable:
    def __init__(self, broken: int) -> None:
        self.broken = broken

    def __len__(self) -> int:
        return 200

    def __getitem__(self, row: int, /) -> Image.Image:
        if row == self.broken:
            raise ValueError("torn.png: truncated")
        return Image.new("RGB", (8, 8))


@pytest.mark.parametrize("broken", [0, 137])
def test_an_image_that_cannot_be_read_is_named(broken: int, tmp_path: Path) -> None:
    images = LabelledImages("torn", Unreadable(broken), np.zeros(200, np.int64), ("one",), "torn")
    with pytest.raises(ValueError, match=f"image row {broken} of torn cannot be read: torn.png: truncated"):
        feature_table(images, RawPixels(4).load(), np.arange(200), folder=tmp_path, progress=False)


def test_preprocessing_to_different_sizes_is_told(tmp_path: Path) -> None:
    sizes: Iterator[int] = iter([4, 4, 5] * 200)
    backbone = dataclasses.replace(RawPixels(4).load(), preprocess=lambda _: torch.zeros(3, 4, next(sizes)))
    with pytest.raises(ValueError, match=r"should give \[3, 4, 4\] for every image, but gave \[3, 4, 5\]"):
        table_of(np.arange(5), backbone, tmp_path)


def test_a_full_disk_is_one_sentence_and_a_resume_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = RawPixels(4).load()

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match=r"cannot write features to .*: No space left on device; free some space"):
            table_of(np.arange(100), backbone, tmp_path)
    assert table_of(np.arange(100), backbone, tmp_path).n_embedded == 100


def test_writes_in_parts_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, content, offset: whole(file, content[:1000], offset))
    backbone, rows = RawPixels(8).load(), np.arange(100)
    table = table_of(rows, backbone, tmp_path)
    images = random_images().images
    expected = torch.stack([backbone.preprocess(images[row]).flatten() for row in range(100)])
    assert torch.equal(table.gather(rows), expected)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"cannot create the folder .*file.features.*; make it writable"):
        table_of([0], RawPixels(4).load(), tmp_path / "file" / "features")


@pytest.mark.parametrize("name", ["about.json", "values.f32", "done"])
@pytest.mark.parametrize("damage", ["torn", "absent", "longer"])
def test_a_damaged_table_is_made_anew_and_told(
    name: str, damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    backbone, rows = RawPixels(4).load(), np.arange(70)
    before = table_of(rows, backbone, tmp_path)
    expected = before.gather(rows)
    path = before.folder / name
    if damage == "absent":
        path.unlink()
    else:
        content = path.read_bytes()
        # A new file: the old one stays mapped.
        path.unlink()
        path.write_bytes(content[:-5] if damage == "torn" else content + b"\0\0")
    with caplog.at_level(logging.WARNING, "fewshot"):
        after = table_of(rows, backbone, tmp_path)
    assert after.n_embedded == 70
    assert torch.equal(after.gather(rows), expected)
    assert torch.equal(before.gather(rows), expected), "a table that is open stays readable"
    assert "are damaged" in caplog.text
    assert sorted(p.name for p in tmp_path.iterdir()) == [before.folder.name, f"{before.folder.name}.lock"]


# Processes

SLOW = f"""
import dataclasses, sys, time
from pathlib import Path
import numpy as np
from fewshot.features import files as feature_files
from fewshot.backbones.raw_pixels import RawPixels
from {__name__} import table_of
feature_files.SYNC_SECONDS = 0
backbone = RawPixels(4).load()
def slow(image, real=backbone.preprocess):
    time.sleep(float(sys.argv[2]))
    return real(image)
table_of(np.arange(1000), dataclasses.replace(backbone, preprocess=slow), Path(sys.argv[1]), 1000)
"""


def start_slow(folder: Path, seconds: float) -> subprocess.Popen[bytes]:
    """A process that embeds 1000 images; returns when some are marked done."""
    process = subprocess.Popen([sys.executable, "-c", SLOW, str(folder), str(seconds)], cwd=ROOT)
    for _ in range(1200):
        if any(any(path.read_bytes()) for path in folder.glob("*/done")):
            return process
        assert process.poll() is None, "the process ended before it could be met"
        time.sleep(0.05)
    process.kill()
    raise AssertionError("the process marked nothing as done")


def expected_pixels(count: int) -> Tensor:
    backbone, images = RawPixels(4).load(), random_images(count).images
    return torch.stack([backbone.preprocess(images[row]).flatten() for row in range(count)])


def test_a_kill_at_any_time_leaves_nothing_half_done(tmp_path: Path) -> None:
    process = start_slow(tmp_path, 0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    [done] = tmp_path.glob("*/done")
    n_done = sum(done.read_bytes())
    assert 0 < n_done < 1000
    table = table_of(np.arange(1000), RawPixels(4).load(), tmp_path, 1000)
    assert table.n_embedded == 1000 - n_done
    assert torch.equal(table.gather(np.arange(1000)), expected_pixels(1000))


def test_a_second_process_waits_and_finds_the_rows_done(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    process = start_slow(tmp_path, 0.002)
    try:
        with caplog.at_level(logging.WARNING, "fewshot"):
            table = table_of(np.arange(1000), RawPixels(4).load(), tmp_path, 1000)
    finally:
        assert process.wait() == 0
    assert table.n_embedded == 0
    assert "computes the features" in caplog.text
    assert torch.equal(table.gather(np.arange(1000)), expected_pixels(1000))


def test_finished_rows_are_read_without_the_lock(tmp_path: Path) -> None:
    backbone = RawPixels(4).load()
    table = table_of(np.arange(10), backbone, tmp_path)
    with FileLock(f"{table.folder}.lock"):
        assert table_of(np.arange(10), backbone, tmp_path).n_embedded == 0
