"""Ranges of a feature table that several processes compute at once, each in files of its own beside the table.

A range is embedded without the lock of its table. Whoever opens the table next moves the finished ranges into it, under
the lock. The bits of a row are the same in a range as in the table: batches are canonical.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewshot.backbones import Backbone
from fewshot.datasets import LabelledImages
from fewshot.features.batch_size import first_batch
from fewshot.features.embedding import Embedder
from fewshot.features.files import FeatureFiles, FeatureWriter
from fewshot.features.out_of_memory import halved_until_it_fits
from fewshot.features.settings import USUAL, EmbeddingSettings
from fewshot.features.use import UNUSED, EmbeddingUse, UseMeter
from fewshot.files.atomic import home, read_safetensors, write_safetensors
from fewshot.files.progress import progress_bar

WRITE_SECONDS = 60.0  # of embedding between two files: a kill loses no more
_WHAT = "a range of features"
_log = logging.getLogger("fewshot")
Rows = NDArray[np.int64]
Costs = Callable[[], Mapping[str, str]]


def embed_range(
    images: LabelledImages,
    backbone: Backbone,
    rows: Rows,
    dtype: str,
    folder: Path | None = None,
    progress: bool = True,
    settings: EmbeddingSettings = USUAL,
    costs: Costs = dict,
) -> int:
    """The number of rows that this computed: those of `rows` (sorted, unique) that neither the table nor a range beside
    it holds. An interruption or an error keeps the finished batches. If memory is too small for a batch, the range goes
    beside the table of batches of half the size, as in `feature_table`. Given vectors need no range. `costs` gives the
    peaks and the energy of this process since the last call, for the row of the run that takes the range."""
    backbone = backbone.on(images)
    if images.vectors is not None or not len(rows):
        return 0

    def embedded(batch: int) -> int:
        return _embed_missing(images, backbone, rows, dtype, folder, progress, replace(settings, batch=batch), costs)

    return halved_until_it_fits(embedded, first_batch(images, backbone, dtype, settings), "images")[0]


def _embed_missing(
    images: LabelledImages,
    backbone: Backbone,
    rows: Rows,
    dtype: str,
    folder: Path | None,
    progress: bool,
    settings: EmbeddingSettings,
    costs: Costs,
) -> int:
    ranges = RangeFiles(FeatureFiles.of(images, backbone, dtype, folder or home() / "features", settings))
    missing = ranges.missing(rows)
    if not len(missing):
        return 0
    embedder = Embedder(images, backbone, dtype, settings)
    with (
        _Pending(ranges, embedder.meter, costs) as pending,
        progress_bar(len(missing), f"embedding {backbone.name}", "image", progress) as bar,
    ):
        for batch, values in embedder.features(missing):
            pending.add(batch, values)
            bar.update(len(batch))
    return len(missing)


@dataclass(frozen=True, eq=False)
class Range:
    """Some rows of a table, and what it took to embed them."""

    rows: Rows
    values: NDArray[np.float32]
    seconds: float
    use: EmbeddingUse | None = None  # None: written by a release that did not measure it


@dataclass(frozen=True)
class Absorbed:
    """What a table took over from ranges."""

    n_rows: int = 0  # that it did not hold
    seconds: float = 0.0  # spent on them, by all processes
    use: EmbeddingUse = UNUSED  # unknown if that of one range is


@dataclass(frozen=True)
class RangeFiles:
    """The ranges beside a table."""

    table: FeatureFiles

    @property
    def folder(self) -> Path:
        """The folder of the ranges, outside that of the table, which may be renamed."""
        return self.table.folder.with_name(f"{self.table.folder.name}.ranges")

    def missing(self, rows: Rows) -> Rows:
        """Those of these rows that neither the table nor a range holds."""
        done = self.table.read_done()
        left = rows if done is None else rows[done[rows] == 0]
        for path in self.paths(left):
            if (found := self._read(path)) is not None:
                left = np.setdiff1d(left, found.rows)
        return left

    def n_stored(self, rows: Rows) -> int:
        """The number of these rows that the table or a range holds. Changes no file, damaged ones included."""
        done = self.table.read_done()
        left = rows if done is None else rows[done[rows] == 0]
        for path in self.paths(left):
            with contextlib.suppress(ValueError):
                left = np.setdiff1d(left, self._checked(path).rows)
        return len(rows) - len(left)

    def paths(self, rows: Rows | None = None) -> list[Path]:
        """The files of ranges; with `rows`, those that may hold one of them."""
        paths = sorted(self.folder.glob("*.safetensors"))
        if rows is None:
            return paths
        return [path for path in paths if (ends := _ends(path)) and ((rows >= ends[0]) & (rows < ends[1])).any()]

    def write(self, part: Range) -> None:
        """Writes a range, whole or not at all."""
        order = np.argsort(part.rows)
        rows, values = part.rows[order], part.values[order]
        digest = hashlib.sha256(rows.astype("<i8").tobytes()).hexdigest()[:16]
        name = f"{int(rows[0]):012d}-{int(rows[-1]) + 1:012d}-{digest}.safetensors"
        use = {} if part.use is None else {"use": part.use.to_json()}
        about = {"table": self.table.about, "seconds": round(part.seconds, 3), **use}
        write_safetensors(self.folder / name, {"rows": rows, "values": values}, about)

    def absorb(self, done: NDArray[np.uint8]) -> Absorbed:
        """Moves the ranges into the open, locked table."""
        paths = self.paths()
        if not paths:
            return Absorbed()
        n_rows, seconds, uses = 0, 0.0, []
        with FeatureWriter(self.table, done) as writer:
            for part in filter(None, map(self._read, paths)):
                new = done[part.rows] == 0
                if new.any():
                    writer.write(part.rows[new], part.values[new])
                    n_rows, seconds = n_rows + int(new.sum()), seconds + part.seconds * float(new.mean())
                    uses.append(None if part.use is None else part.use.part(float(new.mean())))
        for path in paths:
            path.unlink(missing_ok=True)
        known = [use for use in uses if use is not None]
        return Absorbed(n_rows, seconds, EmbeddingUse.total(known) if len(known) == len(uses) else UNUSED)

    def _read(self, path: Path) -> Range | None:
        """A range of this table; None, with a warning, for any other file, which this removes: its rows are computed
        again."""
        try:
            return self._checked(path)
        except ValueError as error:
            if path.is_file():
                _log.warning("%s; fewshot computes its features again", error)
                path.unlink(missing_ok=True)
            return None

    def _checked(self, path: Path) -> Range:
        """A range of this table; a ValueError for any other file."""
        arrays, about = read_safetensors(path, _WHAT)
        n, dim = self.table.shape
        rows, values, seconds = arrays.get("rows"), arrays.get("values"), about.get("seconds")
        if (
            about.get("table") != self.table.about
            or rows is None
            or values is None
            or (rows.dtype, values.dtype) != (np.dtype(np.int64), np.dtype(np.float32))
            or not len(rows)
            or values.shape != (*rows.shape, dim)
            or not 0 <= int(rows[0]) <= int(rows[-1]) < n
            or (np.diff(rows) <= 0).any()
            or not isinstance(seconds, int | float)
        ):
            raise ValueError(f"a file in {self.folder} is no range of its table")
        return Range(rows, values, float(seconds), EmbeddingUse.from_json(about.get("use")))


@dataclass(eq=False)
class _Pending:
    """Finished batches, until they are written as a range."""

    ranges: RangeFiles
    meter: UseMeter
    costs: Costs
    used: EmbeddingUse = UNUSED  # by ranges that are written
    batches: list[tuple[Rows, NDArray[np.float32]]] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)

    def __enter__(self) -> _Pending:
        return self

    def __exit__(self, *_: object) -> None:
        """Writes what is finished, after an interruption too."""
        self._write()

    def add(self, rows: Rows, values: NDArray[np.float32]) -> None:
        """Adds a batch; writes a range after a while."""
        self.batches.append((rows, values))
        if time.monotonic() - self.since > WRITE_SECONDS:
            self._write()

    def _write(self) -> None:
        if self.batches:
            rows, values = (np.concatenate(parts) for parts in zip(*self.batches, strict=True))
            used = self.meter.use()
            own = replace(used.since(self.used), n_images=len(rows)).with_costs(self.costs())
            self.ranges.write(Range(rows, values, time.monotonic() - self.since, own))
            self.used = used
        self.batches, self.since = [], time.monotonic()


def _ends(path: Path) -> tuple[int, int] | None:
    match = re.fullmatch(r"(\d{12,18})-(\d{12,18})-[0-9a-f]{16}\.safetensors", path.name, re.ASCII)
    return (int(match[1]), int(match[2])) if match else None
