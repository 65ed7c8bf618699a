"""Every needed image through a backbone once: feature vectors on disk under a content key, or given vectors."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fewshot.backbones import Backbone
from fewshot.datasets import LabelledImages
from fewshot.features.batch_size import first_batch
from fewshot.features.embedding import Embedder
from fewshot.features.files import FeatureFiles, FeatureWriter
from fewshot.features.out_of_memory import halved_until_it_fits
from fewshot.features.ranges import Absorbed, RangeFiles
from fewshot.features.settings import DTYPES, USUAL, EmbeddingSettings
from fewshot.features.use import UNUSED, EmbeddingUse
from fewshot.files.atomic import home
from fewshot.files.progress import progress_bar
from fewshot.files.vectors import Vectors

_log = logging.getLogger("fewshot")


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Features of the images of a data set, computed by a network or given. It may hold a part of the rows."""

    vectors: Vectors  # [n, D]; valid for rows that are `done`
    done: NDArray[np.bool_]  # [n]
    key: str  # sha256 hex: images, weights, preprocessing, backbone name, compute dtype; or of the given vectors
    folder: Path | None  # in the feature cache; None for given vectors
    n_embedded: int = 0  # rows computed by this call, or in ranges that it moved into the table
    seconds: float = 0.0  # spent on them
    use: EmbeddingUse = UNUSED  # of the device

    def gather(self, rows: NDArray[np.integer]) -> Tensor:
        """[..., D] float32 features of rows [...], a copy. A row that is not in the table is a ValueError."""
        wanted = np.asarray(rows)
        _check_range(wanted, len(self.done), "the table")
        absent = wanted[~self.done[wanted]]
        if absent.size:
            raise ValueError(
                f"{absent.size} of {wanted.size} rows are not embedded in {self.folder} "
                f"(first: {absent.flat[0]}); pass them to feature_table"
            )
        return torch.from_numpy(self.vectors.gather(wanted))


def feature_table(
    images: LabelledImages,
    backbone: Backbone,
    rows: NDArray[np.integer],
    dtype: str = "float32",
    progress: bool = True,
    folder: Path | None = None,
    settings: EmbeddingSettings = USUAL,
    wait: bool = True,
) -> FeatureTable:
    """The table of these images under this backbone, with the features of `rows` (sorted, unique) in it.

    Computes only missing rows, each once. The bits of a row do not depend on which other rows are requested, in what
    order, or by how many calls. `dtype` is the compute dtype ("float32" or "bfloat16"); values are float32. `folder`
    holds all tables. If memory is too small for a batch, all of `rows` are computed in batches of half the size, in a
    table of their own: each table holds features of one batch size. Given vectors are the table unchanged. While
    another process computes rows of the table, this waits, or raises Busy without `wait`.
    """
    backbone = backbone.on(images)
    wanted = np.asarray(rows, dtype=np.int64)
    _check_range(wanted, len(images), images.name)
    if wanted.ndim != 1 or (np.diff(wanted) <= 0).any():
        raise ValueError(f"rows must be sorted and unique; got {wanted.size} of shape {wanted.shape}")
    if not len(images):
        raise ValueError(f"there are no images in {images.name}; nothing can be embedded")
    if images.vectors is not None:
        return FeatureTable(images.vectors, np.ones(len(images), dtype=np.bool_), images.images_digest, None)
    if dtype not in DTYPES:
        raise ValueError(f"features are computed in {' or '.join(DTYPES)}; got dtype={dtype!r}")
    place = folder or home() / "features"

    def filled(batch: int) -> FeatureTable:
        with_batch = replace(settings, batch=batch)
        return _filled(images, backbone, wanted, dtype, with_batch, place, progress, wait)

    return halved_until_it_fits(filled, first_batch(images, backbone, dtype, settings), "images")[0]


def _filled(
    images: LabelledImages,
    backbone: Backbone,
    wanted: NDArray[np.int64],
    dtype: str,
    settings: EmbeddingSettings,
    folder: Path,
    progress: bool,
    wait: bool,
) -> FeatureTable:
    """The table of these settings with the features of these rows in it."""
    files = FeatureFiles.of(images, backbone, dtype, folder, settings)
    done = files.read_done()
    if done is not None and done[wanted].all() and not len(files.changed(wanted)):
        return _table(files, done)
    with files.locked(wait):
        done = files.open()
        absorbed = RangeFiles(files).absorb(done)
        _forget_changed(files, done, wanted)
        missing = wanted[~done[wanted].astype(np.bool_)]
        start, use = time.perf_counter(), UNUSED
        if len(missing):
            embedder = Embedder(images, backbone, dtype, settings)
            with FeatureWriter(files, done) as writer:
                _embed(embedder, missing, writer, f"embedding {backbone.name}", progress)
            use = embedder.meter.use()
        seconds = absorbed.seconds + time.perf_counter() - start
        return _table(files, done, absorbed.n_rows + len(missing), seconds, _use(absorbed, use))


def _use(absorbed: Absorbed, own: EmbeddingUse) -> EmbeddingUse:
    """The use of all processes that embedded; unknown if that of the others is."""
    known = absorbed.use.n_images or not absorbed.n_rows
    return EmbeddingUse.total([absorbed.use, own]) if known else UNUSED


def _forget_changed(files: FeatureFiles, done: NDArray[np.uint8], wanted: NDArray[np.int64]) -> None:
    """Marks rows whose values changed on disk as not done, with a warning."""
    changed = files.changed(wanted[done[wanted].astype(np.bool_)])
    if len(changed):
        done[changed] = 0
        _log.warning(
            "%d of %d features in %s changed after they were written, first row %d; fewshot computes them again",
            *(len(changed), len(wanted), files.folder, changed[0]),
        )


def _table(
    files: FeatureFiles,
    done: NDArray[np.uint8],
    n_embedded: int = 0,
    seconds: float = 0,
    use: EmbeddingUse = UNUSED,
) -> FeatureTable:
    return FeatureTable(files.vectors(), done.astype(np.bool_), files.key, files.folder, n_embedded, seconds, use)


def _embed(
    embedder: Embedder, missing: NDArray[np.int64], writer: FeatureWriter, description: str, progress: bool
) -> None:
    """Computes and writes the missing rows, batch by batch."""
    with progress_bar(len(missing), description, "image", progress) as bar:
        for batch, values in embedder.features(missing):
            writer.write(batch, values)
            bar.set_postfix_str(embedder.meter.use().sentence(), refresh=False)
            bar.update(len(batch))


def _check_range(rows: NDArray[np.integer], n_rows: int, what: str) -> None:
    if rows.size and not 0 <= rows.min() <= rows.max() < n_rows:
        raise ValueError(f"rows of {what} must be in [0, {n_rows}), found {rows.min()} to {rows.max()}")
