"""Arrays of .npz files: one changed bit is never read as another number, and no header is believed."""

from __future__ import annotations

import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot.files import npz
from fewshot.files.npz import NpzFile
from fewshot.files.stored import StoredArray

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (7, 40, 50), dtype=np.uint8)
ARRAYS = {"images": IMAGES, "labels": np.arange(7) % 2, "class_names": np.array(["gull", "wren"])}


def saved(path, compressed, **arrays):
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return path


def content(path):
    """Everything that a reader takes from the file: the rows of the images, and the other arrays."""
    file = NpzFile.opened(path, "images")
    rows = file.rows("images", file.header("images")[0])
    whole = np.concatenate(list(rows.blocks(3))) if isinstance(rows, StoredArray) else np.asarray(rows)
    return {"images": whole} | {name: file.array(name) for name in file.members if name != "images"}


def same(one, other):
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and np.array_equal(one[name], other[name]) for name in one
    )


@pytest.fixture(scope="module", params=[False, True], ids=["stored", "compressed"])
def whole(request, tmp_path_factory):
    return saved(tmp_path_factory.mktemp("whole") / "birds.npz", request.param, **ARRAYS)


@given(data=st.data())
def test_a_file_with_one_changed_bit_is_refused_or_has_the_same_content(whole, data):
    damaged = bytearray(whole.read_bytes())
    place = data.draw(st.integers(0, len(damaged) - 1))
    damaged[place] ^= 1 << data.draw(st.integers(0, 7))
    path = whole.with_name("damaged.npz")
    path.write_bytes(damaged)
    with suppress(ValueError):
        assert same(content(path), ARRAYS)


@pytest.mark.parametrize("name", sorted(ARRAYS))
@pytest.mark.parametrize("place", [0, 0.3, 0.7])
@pytest.mark.parametrize("compressed", [False, True])
def test_a_changed_bit_of_any_array_is_refused(tmp_path, name, place, compressed):
    path = saved(tmp_path / "birds.npz", compressed, **ARRAYS)
    member = NpzFile.opened(path, "images").members[name]
    start = member.header_offset + 30 + len(member.filename) + 20  # 20: numpy's extra field of large sizes
    damaged = bytearray(path.read_bytes())
    damaged[start + int(place * (member.compress_size - 1))] ^= 4
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match=r"birds\.npz"):
        content(path)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("compressed", [False, True])
def test_a_large_array_is_read_by_rows_and_its_bits_are_compared(tmp_path, monkeypatch, order, compressed):
    monkeypatch.setattr(npz, "_HELD_BYTES", 10)
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "home"))
    path = saved(tmp_path / "birds.npz", compressed, **ARRAYS | {"images": np.asarray(IMAGES, order=order)})
    assert same(content(path), ARRAYS)
    rows = NpzFile.opened(path, "images").rows("images", IMAGES.shape)
    assert isinstance(rows, StoredArray) == (order == "C")
    assert np.array_equal(rows[2:5], IMAGES[2:5])
    assert not list((tmp_path / "home").iterdir() if (tmp_path / "home").exists() else ())  # no file stays behind
    if not compressed and order == "C":
        path.write_bytes(path.read_bytes().replace(IMAGES[3].tobytes(), IMAGES[3].tobytes()[:-1] + b"\0"))
        with pytest.raises(ValueError, match=r"birds\.npz is damaged: the checksum .* copy the file again"):
            content(path)


def test_an_array_that_needs_more_than_the_disk_has_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(npz, "_HELD_BYTES", 10)
    monkeypatch.setattr(npz.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 5}))
    path = saved(tmp_path / "birds.npz", True, **ARRAYS)
    with pytest.raises(ValueError, match=r"unpacked, it takes 14,128 bytes, more than is free in .*; free space"):
        NpzFile.opened(path, "images").rows("images", IMAGES.shape)


def test_strings_without_end_are_refused_before_they_are_read(tmp_path):
    path = saved(tmp_path / "birds.npz", True, labels=np.array(["a" * 20_000, "b"]))
    with pytest.raises(ValueError, match=r"'labels' cannot be read: each of its strings takes 80,000 bytes; shorten"):
        NpzFile.opened(path, "vectors").array("labels")


def test_a_read_that_is_no_whole_pass_compares_nothing(tmp_path):
    path = saved(tmp_path / "birds.npz", False, **ARRAYS)
    rows = NpzFile.opened(path, "images").rows("images", IMAGES.shape)
    assert np.array_equal(rows.take(np.array([0, 1, 4])), IMAGES[[0, 1, 4]])
    assert len(rows[3:3]) == 0


@pytest.mark.parametrize("compressed", [False, True], ids=["stored", "compressed"])
def test_a_name_that_swallows_the_arrays_is_a_short_sentence(compressed, tmp_path):
    path = saved(tmp_path / "birds.npz", compressed, **ARRAYS)
    whole = bytearray(path.read_bytes())
    whole[26:28] = (60_000).to_bytes(2, "little")  # the length of the first name, beside the array
    path.write_bytes(whole)
    with pytest.raises(ValueError, match=r"birds\.npz cannot be read as \.npz: .*; write it with np\.savez") as raised:
        NpzFile.opened(path, "images")
    assert len(str(raised.value)) < 1000


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 99])
def test_a_compression_that_numpy_does_not_write_is_refused_before_it_is_decoded(method, tmp_path):
    path = saved(tmp_path / "birds.npz", True, **ARRAYS)
    whole = bytearray(path.read_bytes())
    at = whole.index(b"PK\x01\x02")
    whole[at + 10 : at + 12] = method.to_bytes(2, "little")
    path.write_bytes(whole)
    with pytest.raises(ValueError, match=rf"its arrays are compressed by the method {method}; write it with np\.savez"):
        NpzFile.opened(path, "images")
