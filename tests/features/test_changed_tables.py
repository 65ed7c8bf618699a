"""Features that changed on the disk are computed again, with a warning, for any changed bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot.backbones.raw_pixels import RawPixels
from fewshot.datasets import ArrayImages, LabelledImages
from fewshot.features import files
from fewshot.features.table import feature_table
from fewshot.files.checksums import row_sums

PIXELS = np.random.default_rng(0).integers(0, 256, (70, 6, 6, 3), dtype=np.uint8)
IMAGES = LabelledImages("pictures", ArrayImages(PIXELS), np.arange(70) % 7, tuple("abcdefg"), "digest of pictures")


@pytest.fixture(autouse=True)
def nothing_compared(monkeypatch):
    """As in a fresh process."""
    monkeypatch.setattr(files, "_compared", {})


def table(rows=None):
    return feature_table(
        IMAGES, RawPixels(2).load(), np.arange(70) if rows is None else np.asarray(rows), progress=False
    )


def flipped(path, at, bit):
    content = bytearray(path.read_bytes())
    content[at] ^= bit
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("name", ["values.f32", "sums.u32"])
@pytest.mark.parametrize("bit", [1, 128])
@pytest.mark.parametrize("place", [0.0, 0.37, 0.999])
def test_a_flipped_bit_costs_one_row_and_never_a_number(name, bit, place, caplog):
    first = table()
    right = first.gather(np.arange(70))
    path = first.folder / name
    flipped(path, int(place * path.stat().st_size), bit)
    again = table()
    assert again.gather(np.arange(70)).equal(right)
    assert again.n_embedded == 1
    assert "1 of 70 features" in caplog.text
    assert "computes them again" in caplog.text
    caplog.clear()
    assert table().n_embedded == 0
    assert not caplog.text


def test_only_rows_that_are_asked_for_are_compared(caplog):
    folder = table().folder
    flipped(folder / "values.f32", 0, 1)
    assert table(range(10, 20)).n_embedded == 0
    assert table(range(5)).n_embedded == 1


def test_rows_are_compared_once_while_the_file_stands(monkeypatch):
    table()
    counted = []
    monkeypatch.setattr(files, "row_sums", lambda values: counted.append(len(values)) or row_sums(values))
    monkeypatch.setattr(files, "_compared", {})
    table(range(30))
    table(range(40))
    assert counted == [30, 10]


def test_any_changed_bit_changes_the_sum_of_its_row_and_places_matter():
    random = np.random.default_rng(1)
    rows = random.normal(size=(200, 37)).astype(np.float32)
    sums = row_sums(rows)
    for place, bit in zip(random.integers(0, 37, 32), range(32), strict=True):
        bits = rows.view(np.uint32).copy()
        bits[:, place] ^= np.uint32(1 << bit)
        assert (row_sums(bits.view(np.float32)) != sums).all()
    assert (row_sums(np.roll(rows, 1, axis=1)) != sums).all()
    assert row_sums(np.zeros((3, 5), np.float32)).all()


@given(
    st.sampled_from(["values.f32", "sums.u32", "done", "about.json"]),
    st.lists(st.integers(0, (1 << 20) - 1), min_size=1, max_size=4, unique=True),
)
def test_whatever_bits_of_whatever_file_flip_the_features_are_right(name, bits):
    first = table()
    right = first.gather(np.arange(70))
    for at in bits:
        path = first.folder / name
        flipped(path, at // 8 % path.stat().st_size, 1 << at % 8)
    files._compared.clear()
    assert table().gather(np.arange(70)).equal(right)
