"""The files of a feature table: whole or absent, written by one process at a time, safe against a kill.

A table is a folder <features>/<key> of `about.json` (the parts of the key), `values.f32` (n x D float32, sparse),
`sums.u32` (a checksum a row) and `done` (one byte a row). Values and sums are synced before their rows are marked done,
so a kill at any time loses only the last seconds. Each process compares rows with their checksums before it uses them
for the first time; changed rows are recomputed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewshot.backbones import Backbone
from fewshot.datasets import LabelledImages
from fewshot.features.arithmetic import NAME
from fewshot.features.settings import USUAL, EmbeddingSettings
from fewshot.files.atomic import write_atomically
from fewshot.files.checksums import row_sums
from fewshot.files.locks import locked
from fewshot.files.regular import check_regular, parsed_json, read_bytes
from fewshot.files.vectors import StoredVectors, Vectors

FORMAT = "fewshot-features-2"  # raised when the bits of a feature change
SYNC_SECONDS = 5.0
_PATIENCE = 0.5  # seconds: another process moves finished ranges into the table
_COMPARED_BYTES = 2 << 20  # read at once: they stay in the processor's cache until they are summed
# By file, its times and which of its rows were compared with their sums.
_compared: dict[str, tuple[tuple[int, int], NDArray[np.bool_]]] = {}
_log = logging.getLogger("fewshot")


@dataclass(frozen=True)
class FeatureFiles:
    """The files of one table."""

    folder: Path
    about: dict[str, str | int]
    key: str

    @staticmethod
    def of(
        images: LabelledImages,
        backbone: Backbone,
        dtype: str,
        features: Path,
        settings: EmbeddingSettings = USUAL,
        device: str | None = None,
    ) -> FeatureFiles:
        """The files of the table of these images and this backbone on a kind of `device` (None: that of the
        network)."""
        device = device or backbone.device.type
        parts: dict[str, str | int] = {
            "format": FORMAT,
            "images": images.images_digest,
            "weights": backbone.weights_digest,
            "preprocess": backbone.preprocess_digest,
            "backbone": backbone.name,
            "dtype": dtype,
            "device": device,
            **settings.in_key(),
        }
        if device == "cuda":
            parts["arithmetic"] = NAME
        key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        about = parts | {"n": len(images), "dim": backbone.dim}
        return FeatureFiles(features / key[:32], about, key)

    @property
    def shape(self) -> tuple[int, int]:
        """n and D."""
        return int(self.about["n"]), int(self.about["dim"])

    def vectors(self) -> Vectors:
        """[n, D] features; valid for rows that are done."""
        return StoredVectors(self.folder / "values.f32", 0, np.dtype(np.float32), self.shape)

    def read_done(self) -> NDArray[np.uint8] | None:
        """One byte for each row, 1 if it is embedded; None if the folder is absent or any file is damaged."""
        try:
            about = parsed_json(read_bytes(self.folder / "about.json"))
            size, sums = (check_regular(self.folder / name).stat().st_size for name in ("values.f32", "sums.u32"))
            done = np.frombuffer(bytearray(read_bytes(self.folder / "done")), dtype=np.uint8)
        except (OSError, ValueError):
            return None
        n, dim = self.shape
        whole = about == self.about and (size, sums, len(done)) == (4 * n * dim, 4 * n, n)
        return done if whole and done.max(initial=0) <= 1 else None

    def changed(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of these finished rows whose values changed after they were written."""
        values = self.folder / "values.f32"
        status = values.stat()
        times = status.st_mtime_ns, status.st_ctime_ns
        known_times, known = _compared.get(str(values), (None, None))
        if known is None or known_times != times:
            known = np.zeros(self.shape[0], dtype=np.bool_)
            _compared[str(values)] = times, known
        asked = np.unique(rows[~known[rows]])
        if not len(asked):
            return asked
        sums = np.fromfile(self.folder / "sums.u32", dtype="<u4")
        whole: NDArray[np.bool_] = self._sums_of_values(asked) == sums[asked]
        known[asked[whole]] = True
        damaged: NDArray[np.int64] = asked[~whole]
        return damaged

    def _sums_of_values(self, rows: NDArray[np.int64]) -> NDArray[np.uint32]:
        """The sums of the values of sorted rows. One small buffer takes block after block, which is faster than
        gathering all of them."""
        dim = self.shape[1]
        at_once = max(1, _COMPARED_BYTES // (4 * dim))
        buffer, sums = np.empty((at_once, dim), np.float32), np.empty(len(rows), np.uint32)
        starts = np.flatnonzero(np.diff(rows // at_once, prepend=-1)).tolist()
        with open(self.folder / "values.f32", "rb") as file:
            for start, stop in pairwise([*starts, len(rows)]):
                first, last = int(rows[start]), int(rows[stop - 1])
                block = buffer[: last - first + 1]
                file.seek(4 * dim * first)
                file.readinto(block.view(np.uint8).data)
                sums[start:stop] = row_sums(block)[rows[start:stop] - first]
        return sums

    @contextmanager
    def locked(self, wait: bool = True) -> Iterator[None]:
        """Holds the table for writing; while another process does, this waits and says so, or raises Busy without
        `wait`."""
        lock = self.folder.with_name(f"{self.folder.name}.lock")  # beside the folder, which may be renamed
        with locked(lock, f"computes the features in {self.folder}", _PATIENCE, wait):
            yield

    def open(self) -> NDArray[np.uint8]:
        """The bytes of `done`. Creates the table again if it is absent or damaged. Needs the lock."""
        done = self.read_done()
        if done is not None:
            return done
        if self.folder.exists():
            _log.warning(
                "the features in %s are damaged (a file is missing, torn or changed); fewshot computes them again",
                self.folder,
            )
        try:
            self._create()
        except OSError as error:
            raise OSError(
                f"cannot make the feature table {self.folder}: {error.strerror or error}; "
                "make the folder writable or set FEWSHOT_HOME to another"
            ) from error
        return np.zeros(self.shape[0], dtype=np.uint8)

    def _create(self) -> None:
        """Renames an empty table into place; open vectors of the old one stay readable."""
        with tempfile.TemporaryDirectory(prefix=".new-", dir=self.folder.parent) as scratch:
            fresh = Path(scratch) / "fresh"
            fresh.mkdir()
            with open(fresh / "values.f32", "wb") as values:
                values.truncate(4 * self.shape[0] * self.shape[1])
            (fresh / "sums.u32").write_bytes(bytes(4 * self.shape[0]))
            (fresh / "done").write_bytes(bytes(self.shape[0]))
            write_atomically(fresh / "about.json", json.dumps(self.about, indent=1).encode())
            if self.folder.exists():
                self.folder.rename(Path(scratch) / "damaged")
            fresh.rename(self.folder)


class FeatureWriter:
    """Writes rows of a locked table and their checksums. Syncs both before it marks the rows as done: every few
    seconds, and at the end unless there was an error."""

    def __init__(self, files: FeatureFiles, done: NDArray[np.uint8]) -> None:
        self._files, self._done = files, done
        self._pending: list[NDArray[np.int64]] = []
        self._synced = time.monotonic()

    def __enter__(self) -> FeatureWriter:
        with self._errors_named():
            self._values_file, self._sums_file, self._done_file = (
                os.open(self._files.folder / name, os.O_WRONLY) for name in ("values.f32", "sums.u32", "done")
            )
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        try:
            if error is None:
                self._sync()
        finally:
            for file in (self._values_file, self._sums_file, self._done_file):
                os.close(file)

    def write(self, rows: NDArray[np.int64], values: NDArray[np.float32]) -> None:
        """Writes values [len(rows), D]. Not through a memory map: a full disk would kill the process."""
        n_bytes = 4 * values.shape[1]
        runs = np.flatnonzero(np.diff(rows) != 1) + 1
        with self._errors_named():
            for part, block in zip(np.split(rows, runs), np.split(values, runs), strict=True):
                _write_all(self._values_file, block.tobytes(), int(part[0]) * n_bytes)
                _write_all(self._sums_file, row_sums(block).astype("<u4").tobytes(), int(part[0]) * 4)
        self._pending.append(rows)
        if time.monotonic() - self._synced > SYNC_SECONDS:
            self._sync()

    def _sync(self) -> None:
        """Syncs the values, then marks their rows as done."""
        with self._errors_named():
            os.fsync(self._values_file)
            os.fsync(self._sums_file)
            for rows in self._pending:
                self._done[rows] = 1
            _write_all(self._done_file, self._done.tobytes(), 0)
            os.fsync(self._done_file)
        self._pending.clear()
        self._synced = time.monotonic()

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OSError(
                f"cannot write features to {self._files.folder}: {error.strerror}; free some space or "
                "set FEWSHOT_HOME to another folder; finished rows are kept"
            ) from error


def _write_all(file: int, content: bytes, offset: int) -> None:
    """`os.pwrite` of all bytes: one call may write only a part."""
    view = memoryview(content)
    while view:
        written = os.pwrite(file, view, offset)
        view, offset = view[written:], offset + written
