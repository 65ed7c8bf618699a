"""Columns of .parquet files give the same data set as other formats."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tests.support.vector_files import FAMILY, NAMES, PARTITION, PLACES, VALUES, D, N, load, says_the_same

pa = pytest.importorskip("pyarrow", reason="an optional package; the extras parquet and test bring it")
pq = pytest.importorskip("pyarrow.parquet")


def parquet(path, vectors="lists"):
    columns = {"label": pa.array(NAMES[PLACES]), "partition": pa.array(PARTITION).dictionary_encode()}
    columns |= {"group:camera": pa.array(np.arange(N) % 2), "class:family": pa.array(FAMILY[PLACES])}
    if vectors == "lists":
        columns["features"] = pa.array(VALUES.tolist(), pa.list_(pa.float32()))
    elif vectors == "fixed":
        columns["features"] = pa.FixedSizeListArray.from_arrays(pa.array(VALUES.reshape(-1)), D)
    else:
        columns |= {f"f{d}": pa.array(VALUES[:, d]) for d in range(D)}
    pq.write_table(pa.table(columns), path, row_group_size=17)
    return path


@pytest.mark.parametrize("kind", ["lists", "fixed", "columns"])
def test_columns_of_every_kind_give_the_same_data_set_as_other_formats(tmp_path, kind):
    says_the_same(load(parquet(tmp_path / "a.parquet", kind)), tmp_path)


@pytest.mark.parametrize("content", [b"", b"not such a file", b"PAR1 cut"])
def test_files_of_another_kind_are_named(tmp_path, content):
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.parquet cannot be read as \.parquet"):
        load(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"features": [[1.0, 2.0], [3.0]], "label": ["a", "b"]},
            "the vector of row 1 has 1 numbers, but that of row 0",
        ),
        ({"features": [[1.0, 2.0], None], "label": ["a", "b"]}, "the vector of row 1 has 0 numbers, but that of row 0"),
        (
            {"features": [[1.0, 2.0], [None, 1.0]], "label": ["a", "b"]},
            "1 of 2 vectors has numbers that are NaN, .* the first in row 1",
        ),
        ({"features": ["x", "y"], "label": ["a", "b"]}, "'features' must be a column of lists of floats, found string"),
        ({"features": [[1.0], [2.0]], "label": ["a", None]}, "'label' of row 1 is empty; fill it in or leave"),
        ({"features": [[1.0], [2.0]], "label": [[1], [2]]}, "'label' must be strings or numbers, found list"),
        ({"label": ["a", "b"], "n": [1, 2]}, "must contain one array named vectors .* found none among label, n"),
    ],
)
def test_columns_that_do_not_fit_are_named(tmp_path, columns, message):
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=message):
        load(tmp_path / "a.parquet")


def test_without_pyarrow_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    path = parquet(tmp_path / "a.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ValueError, match=r"a.parquet needs the package pyarrow: pip install 'fewshot\[parquet\]'"):
        load(path)


def test_a_changed_bit_is_refused_if_the_pages_have_checksums(tmp_path):
    values = np.random.default_rng(0).normal(size=(6, 7)).astype(np.float32)
    table = pa.table({"vectors": pa.array(list(values)), "labels": ["a", "b"] * 3})
    pq.write_table(table, tmp_path / "a.parquet", write_page_checksum=True, compression=None)
    content = bytearray((tmp_path / "a.parquet").read_bytes())
    content[content.index(values[3].tobytes()) + 3] ^= 1
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.parquet: the column 'vectors' cannot be read: .*CRC"):
        load(tmp_path / "a.parquet")
