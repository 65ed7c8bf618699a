"""The columns of images and labels in data sets of the package datasets, and the bytes of their images."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fewshot.datasets._decoding import Encoded, read_image
from fewshot.datasets._depth import Scales
from fewshot.datasets._kept_digests import file_stamp, stamp_of
from fewshot.datasets._pictures import PictureFacts, facts_of_file
from fewshot.episodes.flat import Ints
from fewshot.files.quoting import first_of, quoted

_BYTES = ("binary", "large_binary", "null")  # types of a column of images, as other writers have them
_PATHS = ("string", "large_string", "null")
_LABELS = ("label", "labels", "class", "category")  # usual names of columns that are no ClassLabel


@contextmanager
def quiet(datasets: Any) -> Iterator[None]:
    """Without the progress bars of the package datasets, and without the warning about a README.md without a header;
    afterwards both are as before."""
    shown = not datasets.are_progress_bars_disabled()
    card = logging.getLogger("huggingface_hub.repocard")
    level = card.level
    card.setLevel(logging.ERROR)
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        card.setLevel(level)
        if shown:
            datasets.enable_progress_bars()


def typed_images(part: Any, wanted: str | None) -> Any:
    """The table of one split with the type Image for columns that other writers than the package datasets made: those
    of structs of bytes and path, and the column `wanted` of bytes."""
    import datasets

    for name, feature in part.features.items():
        held = _types(feature)
        encoded = set(held) == {"bytes", "path"} and held["bytes"] in _BYTES and held["path"] in _PATHS
        if encoded or (name == wanted and str(getattr(feature, "dtype", "")) in ("binary", "large_binary")):
            part = part.cast_column(name, datasets.Image())
    return part


def _types(feature: Any) -> dict[str, str]:
    """The types of the fields of a struct; none for other columns."""
    return {k: str(getattr(v, "dtype", "")) for k, v in feature.items()} if isinstance(feature, Mapping) else {}


def image_column(where: str, features: Mapping[str, Any], wanted: str | None) -> str:
    """The column of images: `wanted`, or the only one of the type Image."""
    return _column(where, wanted, "image", [n for n, f in features.items() if type(f).__name__ == "Image"], features)


def label_column(where: str, features: Mapping[str, Any], wanted: str | None) -> str:
    """The column of labels: `wanted`, the only one of the type ClassLabel, or else one with a usual name."""
    named = [name for name, feature in features.items() if type(feature).__name__ == "ClassLabel"]
    named = named or [name for name in _LABELS if name in features][:1]
    column = _column(where, wanted, "label", named, features)
    kind = str(getattr(features[column], "dtype", ""))
    if not any(kind.startswith(known) for known in ("int", "uint", "string", "large_string", "bool")):
        raise ValueError(
            f"{where}: the labels in {quoted(column)} must be classes, integers or strings, found {kind or 'lists'}"
        )
    return column


def _column(where: str, wanted: str | None, what: str, candidates: Sequence[str], features: Mapping[str, Any]) -> str:
    if wanted is not None:
        if wanted not in features:
            raise ValueError(f"{where} has no column {quoted(wanted)}; its columns are {first_of(features)}")
        return wanted
    if len(candidates) != 1:
        found = f"has {len(candidates)} columns of {what}s" if candidates else f"has no column of {what}s"
        raise ValueError(f"{where} {found}; name one of {', '.join(candidates or features)} with {what}=...")
    return candidates[0]


def labels_of(where: str, table: Any, column: str, feature: Any) -> tuple[list[str], Ints]:
    """The class names, and the class of each row, -1 without a label."""
    values = table.select_columns([column]).with_format("arrow")[:].column(column).to_pylist()
    names = getattr(feature, "names", None)
    if names is not None:
        labels = np.array([-1 if value is None else value for value in values], dtype=np.int64)
        if len(labels) and not -1 <= labels.min() <= labels.max() < len(names):
            raise ValueError(
                f"{where}: labels in {quoted(column)} must be below {len(names)}, found up to {labels.max()}"
            )
        return list(names), labels
    known = sorted({value for value in values if value is not None})
    place = {value: row for row, value in enumerate(known)}
    return [str(value) for value in known], np.array([place.get(value, -1) for value in values], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class HubImages:
    """Images of tables, one table after the other: row i is row `rows[i]` of table `tables[of[i]]`."""

    tables: Sequence[Any]  # with one column of encoded images
    column: str
    of: Ints
    rows: Ints
    names: Sequence[str]
    folders: Sequence[Path]  # that hold the files of images whose bytes are not in the table
    scales: Scales = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, row: int, /) -> Image.Image:
        return read_image(self._source(row), self.scales)

    def scaled(self, scales: Scales) -> HubImages:
        """The same images with these scales."""
        return replace(self, scales=scales)

    def facts(self, row: int) -> PictureFacts:
        """The facts of an image; a ValueError names an unreadable one."""
        return facts_of_file(self._source(row))

    def stamps(self) -> list[bytes]:
        """A key for each image: by the files of its table and its row, or by its own file."""
        held = [_held(table, self.column) for table in self.tables]
        return [self._stamp(row, *held[self.of[row]]) for row in range(len(self))]

    def _stamp(self, row: int, table: bytes | None, paths: Sequence[str | None]) -> bytes:
        path = paths[self.rows[row]]
        if path is not None:
            return file_stamp(Path(path))
        if table is None:
            return hashlib.sha256(self._entry(row)["bytes"] or b"").digest()
        return stamp_of(f"{self.column} {self.rows[row]} ", table)

    def _entry(self, row: int) -> Mapping[str, Any]:
        return self.tables[self.of[row]][int(self.rows[row])][self.column] or {}

    def _source(self, row: int) -> Path | Encoded:
        entry = self._entry(row)
        if entry.get("bytes") is not None:
            return Encoded(entry["bytes"], self.names[row])
        path = os.path.realpath(entry.get("path") or "")
        if not entry.get("path") or not os.path.isfile(path):
            raise ValueError(f"{self.names[row]}: the table holds neither an image nor the path of a file")
        if not any(path.startswith(os.path.realpath(folder) + os.sep) for folder in self.folders):
            raise ValueError(f"{self.names[row]}: the table names the file {path}, which lies outside the data set")
        return Path(path)


def _held(table: Any, column: str) -> tuple[bytes | None, list[str | None]]:
    """A key for the files of a table, None if it has none; and for each row the path of an image that lies in a file
    of its own."""
    import pyarrow.compute as compute

    images = table.with_format("arrow")[:].column(column)
    in_files = compute.is_null(compute.struct_field(images, "bytes")).to_pylist()
    paths = compute.struct_field(images, "path").to_pylist() if any(in_files) else [None] * len(in_files)
    files = sorted(Path(file["filename"]) for file in table.cache_files)
    stamp = b"".join(map(file_stamp, files))
    return (stamp or None), [path if alone else None for path, alone in zip(paths, in_files, strict=True)]
