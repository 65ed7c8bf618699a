"""Ranges of a feature table: the same bits for any division, moved into the table once, and checked when read."""

from __future__ import annotations

import dataclasses
import os

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fewshot.backbones.random_init import RandomInit
from fewshot.backbones.raw_pixels import RawPixels
from fewshot.datasets import ArrayImages, LabelledImages
from fewshot.features.embedding import Embedder
from fewshot.features.files import FeatureFiles
from fewshot.features.ranges import RangeFiles, embed_range
from fewshot.features.settings import USUAL
from fewshot.features.table import feature_table
from fewshot.features.use import EmbeddingUse
from fewshot.files.locks import Busy

N = 150
USE = EmbeddingUse(3, 90, 2.0, 1.0, 32, True, ("a", "b"), 5, 6, 0.5)


def images(count=N):
    pixels = np.random.default_rng(0).integers(0, 256, (count, 12, 12, 3), dtype=np.uint8)
    return LabelledImages("random", ArrayImages(pixels), np.zeros(count, np.int64), ("one",), f"random {count}")


def table_of(backbone, folder, rows=None):
    return feature_table(images(), backbone, np.arange(N) if rows is None else rows, folder=folder, progress=False)


def embed(backbone, folder, rows):
    return embed_range(images(), backbone, np.asarray(rows), "float32", folder, progress=False)


def ranges_in(folder, backbone):
    return RangeFiles(FeatureFiles.of(images(), backbone, "float32", folder))


@pytest.fixture(scope="module")
def network():
    return RandomInit("test_efficientnet", image_size=32).load()


@pytest.fixture(scope="module")
def whole(network, tmp_path_factory):
    return table_of(network, tmp_path_factory.mktemp("whole")).gather(np.arange(N))


@given(ends=st.lists(st.integers(1, N - 1), max_size=4, unique=True), seed=st.integers(0, 99))
def test_the_bits_do_not_depend_on_the_ranges(ends, seed, network, whole, tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    parts = np.split(np.arange(N), sorted(ends))
    for number in np.random.default_rng(seed).permutation(len(parts)):
        embed(network, folder, parts[number])
    table = table_of(network, folder)
    assert table.n_embedded == N
    assert torch.equal(table.gather(np.arange(N)), whole)
    assert ranges_in(folder, network).paths() == []


def test_a_range_is_embedded_once(tmp_path):
    backbone = RawPixels(4).load()
    assert embed(backbone, tmp_path, range(10, 30)) == 20
    assert embed(backbone, tmp_path, range(10, 30)) == 0
    assert embed(backbone, tmp_path, range(20, 40)) == 10
    assert table_of(backbone, tmp_path, np.arange(5, 45)).n_embedded == 40
    assert embed(backbone, tmp_path, range(5, 45)) == 0


def test_the_seconds_of_ranges_are_those_of_the_table_that_takes_them(tmp_path):
    backbone = RawPixels(4).load()
    embed(backbone, tmp_path, range(10))
    ranges = ranges_in(tmp_path, backbone)
    ranges.write(dataclasses.replace(ranges._read(ranges.paths()[0]), seconds=100.0))
    assert 100 <= table_of(backbone, tmp_path, np.arange(10)).seconds < 101


def test_the_use_of_all_ranges_is_that_of_the_table_that_takes_them(tmp_path, monkeypatch):
    backbone, peaks = RawPixels(4).load(), iter(("300", "200"))
    for name, rows in (("one", range(10)), ("other", range(10, 40))):
        monkeypatch.setattr("fewshot.features.use.this_process", lambda name=name: name)
        costs = {"peak_memory_bytes": next(peaks), "device_joules": "1.5"}
        embed_range(images(), backbone, np.array(rows), "float32", tmp_path, False, USUAL, costs.copy)
    use = table_of(backbone, tmp_path, np.arange(40)).use
    assert (use.n_images, use.n_bytes, use.batch, use.processes) == (40, 40 * 3 * 12 * 12, 64, ("one", "other"))
    assert (use.peak_memory_bytes, use.device_joules) == (300, 3.0)
    assert 0 < use.busy <= use.seconds


def test_rows_that_the_table_holds_already_do_not_count_in_the_use(tmp_path):
    backbone = RawPixels(4).load()
    embed(backbone, tmp_path, range(20))
    ranges = ranges_in(tmp_path, backbone)
    kept = ranges._read(ranges.paths()[0])
    table_of(backbone, tmp_path, np.arange(15))
    ranges.write(dataclasses.replace(kept, rows=kept.rows + 10))
    use = table_of(backbone, tmp_path, np.arange(30)).use
    assert use.n_images == 10
    assert use.n_bytes == kept.use.n_bytes / 2


def test_a_range_without_a_use_leaves_it_unknown(tmp_path):
    backbone = RawPixels(4).load()
    embed(backbone, tmp_path, range(20))
    ranges = ranges_in(tmp_path, backbone)
    ranges.write(dataclasses.replace(ranges._read(ranges.paths()[0]), use=None))
    table = table_of(backbone, tmp_path, np.arange(30))
    assert (table.n_embedded, table.use.n_images) == (30, 0)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*USE.to_json()]), inner),
)


@given(JSON)
def test_a_use_is_read_whole_or_not_at_all(values):
    assert EmbeddingUse.from_json(USE.to_json()) == USE
    assert EmbeddingUse.from_json(values) is None
    for name in USE.to_json():
        use = EmbeddingUse.from_json(USE.to_json() | {name: values})
        assert use is None or isinstance(getattr(use, name), tuple if name == "processes" else int | float)


def test_counting_stored_rows_changes_no_file(tmp_path):
    backbone = RawPixels(4).load()
    table_of(backbone, tmp_path, np.arange(5))
    embed(backbone, tmp_path, range(10, 20))
    ranges = ranges_in(tmp_path, backbone)
    (ranges.folder / f"{20:012d}-{30:012d}-{'0' * 16}.safetensors").write_bytes(b"torn")
    before = [path.read_bytes() for path in ranges.paths()]
    assert ranges.n_stored(np.arange(30)) == 15
    assert [path.read_bytes() for path in ranges.paths()] == before


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "other"])
def test_a_damaged_range_is_computed_again(damage, tmp_path, caplog):
    backbone = RawPixels(4).load()
    embed(backbone, tmp_path, range(N))
    (path,) = ranges_in(tmp_path, backbone).paths()
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    if damage == "other":
        os.replace(foreign_range(tmp_path), path)
    else:
        path.write_bytes({"flip": bytes(content), "cut": content[:-100], "empty": b""}[damage])
    table = table_of(backbone, tmp_path)
    assert "computes its features again" in caplog.text
    assert torch.equal(table.gather(np.arange(N)), table_of(backbone, tmp_path / "new").gather(np.arange(N)))


def foreign_range(tmp_path):
    """A whole range of another network."""
    other = dataclasses.replace(RawPixels(4).load(), weights_digest="other")
    embed(other, tmp_path / "other", range(N))
    return ranges_in(tmp_path / "other", other).paths()[0]


def test_an_interruption_keeps_the_finished_batches(tmp_path, monkeypatch):
    backbone, original = RawPixels(4).load(), Embedder.features

    def interrupted(self, rows):
        for number, batch in enumerate(original(self, rows)):
            if number == 1:
                raise KeyboardInterrupt
            yield batch

    monkeypatch.setattr(Embedder, "features", interrupted)
    with pytest.raises(KeyboardInterrupt):
        embed(backbone, tmp_path, range(N))
    monkeypatch.setattr(Embedder, "features", original)
    assert embed(backbone, tmp_path, range(N)) == N - 64


def test_a_range_needs_no_lock_of_the_table(tmp_path):
    backbone = RawPixels(4).load()
    with FeatureFiles.of(images(), backbone, "float32", tmp_path).locked():
        assert embed(backbone, tmp_path, range(10)) == 10


def test_a_table_that_another_process_fills_is_busy_for_those_who_do_not_wait(tmp_path):
    backbone = RawPixels(4).load()
    with (
        FeatureFiles.of(images(), backbone, "float32", tmp_path).locked(),
        pytest.raises(Busy, match="computes the feat"),
    ):
        feature_table(images(), backbone, np.arange(9), folder=tmp_path, progress=False, wait=False)
