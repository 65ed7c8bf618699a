"""Arrays in files that are read by rows and never held in memory."""

from __future__ import annotations

import math
import os
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.files.checksums import Crc


class StoredArray:
    """An array [n, ...] in an open file, row after row from byte `offset` on; `name` is that of the file in errors."""

    def __init__(
        self, file: int, name: str, offset: int, dtype: np.dtype[Any], shape: tuple[int, ...], crc: Crc | None = None
    ) -> None:
        self.dtype, self.shape, self.ndim = dtype, shape, len(shape)
        self._file, self._name, self._offset, self._crc = file, name, offset, crc
        self._row_bytes = math.prod(shape[1:]) * dtype.itemsize
        weakref.finalize(self, os.close, file)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        """The rows of a slice with step 1."""
        start, stop, _ = rows.indices(len(self))
        return self.take(np.arange(start, stop))

    def take(self, rows: NDArray[np.integer[Any]]) -> NDArray[Any]:
        """[m, ...] the rows [m], which are in [0, n) and ascend, each of them once."""
        return self._as_rows(self._read(rows))

    def blocks(self, step: int) -> Iterator[NDArray[Any]]:
        """All rows in order, `step` at once. After the last block, a ValueError if the checksum of all is not that of
        the file."""
        total = self._crc.start if self._crc else 0
        for start in range(0, len(self), step):
            content = self._read(np.arange(start, min(start + step, len(self))))
            total = self._crc.update(content, total) if self._crc else 0
            yield self._as_rows(content)
        if self._crc:
            self._crc.check(total, self._name)

    def _read(self, rows: NDArray[np.integer[Any]]) -> bytes:
        """The bytes of the rows; one read for each stretch of neighbours."""
        first = np.flatnonzero(np.diff(rows, prepend=-2) != 1)
        lengths = np.diff(first, append=len(rows)) * self._row_bytes
        offsets = self._offset + rows[first].astype(np.int64) * self._row_bytes
        parts = [os.pread(self._file, *stretch) for stretch in zip(lengths.tolist(), offsets.tolist(), strict=True)]
        content = parts[0] if len(parts) == 1 else b"".join(parts)
        if len(content) != len(rows) * self._row_bytes:
            raise OSError(
                f"{self._name} ends before row {rows[-1]}: another program shortened it; restore it and run again"
            )
        return content

    def _as_rows(self, content: bytes) -> NDArray[Any]:
        values: NDArray[Any] = np.frombuffer(content, self.dtype).reshape(-1, *self.shape[1:])
        return values
