"""Vectors by row: the same from memory and from a file, in any order and dtype, without reading past the end."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fewshot.files import vectors
from fewshot.files.vectors import HeldVectors, StoredVectors, vectors_digest

VALUES = np.random.default_rng(0).normal(size=(50, 3))
ORDERS = [[], [7], [49, 0, 7, 7, 8, 9, 3], list(range(50)), [[3, 4], [4, 1]]]


def stored(tmp_path, values=VALUES, offset=5):
    path = tmp_path / "values"
    path.write_bytes(b"x" * offset + values.tobytes())
    return StoredVectors(path, offset, values.dtype, values.shape)


@pytest.mark.parametrize("block_bytes", [1, 100, 1 << 20])
@pytest.mark.parametrize("rows", ORDERS)
@pytest.mark.parametrize("dtype", ["<f4", "<f8", ">f8", "<f2"])
def test_rows_come_in_the_requested_order(tmp_path, monkeypatch, block_bytes, rows, dtype):
    monkeypatch.setattr(vectors, "_BLOCK_BYTES", block_bytes)
    values, wanted = VALUES.astype(dtype), np.array(rows, dtype=np.int64)
    for some in (HeldVectors(values), stored(tmp_path, values)):
        gathered = some.gather(wanted)
        assert gathered.dtype == np.float32
        assert np.array_equal(gathered, values[wanted].astype(np.float32))
        gathered[...] = 0  # a copy
        assert (len(some), some.dim) == (50, 3)
    assert np.array_equal(values, VALUES.astype(dtype))


def test_bfloat16_is_read_exactly(tmp_path):
    halves = torch.randn(20, 4, generator=torch.Generator().manual_seed(0)).bfloat16()
    (tmp_path / "halves").write_bytes(halves.view(torch.uint8).numpy().tobytes())
    halved = StoredVectors(tmp_path / "halves", 0, np.dtype("<u2"), (20, 4), bfloat16=True)
    assert np.array_equal(halved.gather(np.arange(20)), halves.float().numpy())


def test_a_file_shortened_during_a_run_is_an_error_not_the_end_of_the_process(tmp_path):
    kept = stored(tmp_path)
    (tmp_path / "values").write_bytes(b"short")
    with pytest.raises(OSError, match="values ends before row 49: another program shortened it"):
        kept.gather(np.arange(50))


def test_replacing_the_file_changes_nothing(tmp_path):
    kept = stored(tmp_path)
    (tmp_path / "values").rename(tmp_path / "old")
    stored(tmp_path, -VALUES)
    assert np.array_equal(kept.gather(np.arange(50)), VALUES.astype(np.float32))


def test_the_digest_depends_only_on_the_numbers_as_float32(tmp_path, monkeypatch):
    whole = vectors_digest(HeldVectors(VALUES), "here")
    monkeypatch.setattr(vectors, "_BLOCK_BYTES", 100)
    assert vectors_digest(stored(tmp_path), "here") == whole
    assert vectors_digest(HeldVectors(VALUES.astype(np.float32)), "here") == whole
    assert vectors_digest(HeldVectors(VALUES.reshape(3, 50)), "here") != whole
    assert vectors_digest(HeldVectors(VALUES[::-1]), "here") != whole


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
def test_numbers_that_are_not_finite_are_counted_and_the_first_is_named(monkeypatch, value):
    monkeypatch.setattr(vectors, "_BLOCK_BYTES", 100)
    values = VALUES.copy()
    values[[31, 44], 1] = value
    with pytest.raises(
        ValueError,
        match=r"here: 2 of 50 vectors have numbers that are NaN, infinite or too large .* the first in row 31;",
    ):
        vectors_digest(HeldVectors(values), "here")
