"""Arrays from the columns of a .parquet file. Needs the extra "parquet"."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.datasets._vector_files import VECTORS, ArrayFile
from fewshot.datasets.labelled_vectors import VectorArrays
from fewshot.files.npz import check_unique
from fewshot.files.vectors import HeldVectors, Vectors

_log = logging.getLogger("fewshot")
_ROWS = 16384  # unpacked at once


class Parquet(ArrayFile):
    """A .parquet file with one row per vector. The vectors are a column of lists of equal length; without a column of
    one of the known names, they are all columns of floats, in order. They are kept in memory once."""

    def __init__(self, path: Path) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise ValueError(
                f"{path} needs the package pyarrow: pip install 'fewshot[parquet]', or save the vectors as .npz"
            ) from error
        try:
            self._file = pyarrow.parquet.ParquetFile(path, page_checksum_verification=True)
        except (pyarrow.ArrowException, OSError) as error:
            raise ValueError(f"{path} cannot be read as .parquet: {error}") from error
        self._types, self._failures = pyarrow.types, (pyarrow.ArrowException, OSError)
        self._schema = self._file.schema_arrow
        names = list(self._schema.names)
        check_unique(path, names, "columns")
        self._numbers = [] if set(VECTORS) & set(names) else [n for n in names if self._is_float(n)]
        listed = [name for name in names if name not in self._numbers]
        super().__init__(path, listed + ["vectors"] * bool(self._numbers))

    def _is_float(self, name: str) -> bool:
        return bool(self._types.is_floating(self._schema.field(name).type)) and ":" not in name

    def shape(self, name: str) -> tuple[int, ...]:
        return (self._file.metadata.num_rows,)

    def contents(self, log: logging.Logger = _log) -> VectorArrays:
        kinds = (self._types.is_binary, self._types.is_large_binary, self._types.is_struct)
        encoded = [one.name for one in self._schema if any(check(one.type) for check in kinds)]
        if encoded and not {*VECTORS, "vectors"} & set(self.names):
            spec = f"HuggingFaceSet(path={str(self.path)!r}, image={encoded[0]!r})"
            raise ValueError(f'{self.path} has no vectors; if {encoded[0]!r} holds images, type --data "{spec}"')
        return super().contents(log)

    def array(self, name: str) -> NDArray[Any]:
        try:
            column = self._file.read([name])[name]
        except self._failures as error:
            raise ValueError(f"{self.path}: the column {name!r} cannot be read: {error}") from error
        if column.null_count:
            row = column.is_null().to_pylist().index(True)
            raise ValueError(f"{self.path}: {name!r} of row {row} is empty; fill it in or leave the row out")
        if self._types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        numbers = self._types.is_integer(column.type) or self._types.is_floating(column.type)
        strings = self._types.is_string(column.type) or self._types.is_large_string(column.type)
        if not numbers and not strings and not self._types.is_boolean(column.type):
            raise ValueError(f"{self.path}: {name!r} must be strings or numbers, found {column.type}")
        try:
            return np.array(column.to_pylist(), dtype=np.str_) if strings else np.asarray(column.to_numpy())
        except UnicodeDecodeError as error:
            raise ValueError(f"{self.path}: {name!r} is not UTF-8: {error}; write the strings as UTF-8") from error

    def vectors(self, name: str) -> Vectors:
        values, start = None, 0
        try:
            for batch in self._file.iter_batches(_ROWS, columns=self._numbers or [name]):
                block = self._block(batch, name, start, None if values is None else values.shape[1])
                if values is None:
                    values = np.empty((self._file.metadata.num_rows, block.shape[1]), dtype=block.dtype)
                values[start : start + len(block)] = block
                start += len(block)
        except self._failures as error:
            raise ValueError(f"{self.path}: the column {name!r} cannot be read: {error}") from error
        if values is None or not values.shape[1]:
            raise ValueError(f"{self.path} holds no vectors")
        return HeldVectors(values)

    def _block(self, batch: Any, name: str, start: int, dim: int | None) -> NDArray[Any]:
        """[m, D] the vectors of some rows; null becomes NaN, which the later check reports."""
        if self._numbers:
            columns = [batch.column(n).to_numpy(zero_copy_only=False) for n in self._numbers]
            return np.stack(columns, axis=1)
        column = batch.column(name)
        lists = (self._types.is_list, self._types.is_large_list, self._types.is_fixed_size_list)
        if not any(check(column.type) for check in lists) or not self._types.is_floating(column.type.value_type):
            raise ValueError(f"{self.path}: {name!r} must be a column of lists of floats, found {column.type}")
        lengths = _lengths(column)
        wanted = int(lengths[0]) if dim is None else dim
        wrong = np.flatnonzero(lengths != wanted)
        if len(wrong):
            raise ValueError(
                f"{self.path}: the vector of row {start + wrong[0]} has {lengths[wrong[0]]} numbers, "
                f"but that of row 0 has {wanted}"
            )
        return np.asarray(column.flatten().to_numpy(zero_copy_only=False)).reshape(len(column), wanted)


def _lengths(column: Any) -> NDArray[np.int64]:
    """[m] the number of values in each list; 0 for null."""
    import pyarrow.compute

    return np.asarray(pyarrow.compute.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False))
