"""Arrays by name from .npz and .safetensors files, without pickle; large arrays are read row by row."""

from __future__ import annotations

import logging
import struct
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.datasets.labelled_vectors import VectorArrays, check_length, check_matrix
from fewshot.files.npz import NpzFile
from fewshot.files.quoting import message, quoted
from fewshot.files.regular import parsed_json
from fewshot.files.vectors import HeldVectors, StoredVectors, Vectors

VECTORS = ("vectors", "features", "embeddings", "X")
LABELS = ("labels", "label", "targets", "y")
_GROUP, _CLASS = "group:", "class:"  # prefixes of image groups and of class groups
_log = logging.getLogger("fewshot")


class ArrayFile(ABC):
    """A file of named arrays."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self.path, self.names = path, list(names)

    @abstractmethod
    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of an array, which is not read."""

    @abstractmethod
    def array(self, name: str) -> NDArray[Any]:
        """A whole array; a ValueError names the file and an array that cannot be read."""

    @abstractmethod
    def vectors(self, name: str) -> Vectors:
        """An array [n, D] of numbers, read row by row."""

    def contents(self, log: logging.Logger = _log) -> VectorArrays:
        """The vectors, labels and groups, found by their names; a warning lists the arrays that are not used."""
        vectors, labels = self._one_of(VECTORS), self._one_of(LABELS)
        known = {vectors, labels, "class_names", "class_vectors", "partition"}
        groups = [name for name in self.names if name == "partition" or name.startswith(_GROUP)]
        by_class = [name for name in self.names if name.startswith(_CLASS)]
        rest = [name for name in self.names if name not in known.union(groups, by_class)]
        if rest:
            message = "%s: ignored %s; name a group of vectors 'group:NAME', and a group of classes 'class:NAME'"
            log.warning(message, self.path, ", ".join(rest[:5]) + (f" and {len(rest) - 5} more" * (len(rest) > 5)))
        self._check_lengths(vectors, {labels: "labels"} | {name: f"group {quoted(_plain(name))}" for name in groups})
        return VectorArrays(
            self.vectors(vectors),
            self.array(labels),
            self.array("class_names") if "class_names" in self.names else None,
            {_plain(name): self.array(name) for name in groups},
            {name.removeprefix(_CLASS): self.array(name) for name in by_class},
            self.array("class_vectors") if "class_vectors" in self.names else None,
        )

    def _check_lengths(self, vectors: str, others: Mapping[str, str]) -> None:
        """Raises a ValueError, before any array is read, unless each of the others has one value per vector."""
        n_vectors = next(iter(self.shape(vectors)), 0)
        for name, what in others.items() if n_vectors else ():  # `vectors` refuses an array of no vectors
            check_length(self.shape(name), n_vectors, what, str(self.path))

    def _one_of(self, names: Sequence[str]) -> str:
        """The one array in the file that has one of these names."""
        present = [name for name in names if name in self.names]
        if len(present) != 1:
            held = ", ".join(self.names[:10]) or "nothing"
            raise ValueError(
                f"{self.path} must contain one array named {' or '.join(names)}; "
                f"found {' and '.join(present) or 'none'} among {held}"
            )
        return present[0]


class Npz(ArrayFile):
    """A file of np.savez. Uncompressed vectors are read row by row; compressed ones are unpacked into memory."""

    def __init__(self, path: Path) -> None:
        self._file = NpzFile.opened(path, "vectors")
        super().__init__(path, list(self._file.members))

    def shape(self, name: str) -> tuple[int, ...]:
        return self._file.header(name)[0]

    def array(self, name: str) -> NDArray[Any]:
        return self._file.array(name)

    def vectors(self, name: str) -> Vectors:
        shape, _, dtype = self._file.header(name)
        check_matrix(dtype, shape, name, str(self.path))
        place = self._file.place(name)
        if place is None:
            return HeldVectors(self.array(name))
        return StoredVectors(self.path, place[0], dtype, (shape[0], shape[1]), crc=place[1])


def _plain(group: str) -> str:
    return group.removeprefix(_GROUP)


class Safetensors(ArrayFile):
    """A .safetensors file. Such files hold no strings, so the metadata holds them as JSON lists: `class_names`, and for
    a tensor of integers (labels, a group), under the same name, the strings that the integers index."""

    def __init__(self, path: Path) -> None:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="numpy") as file:
                self._metadata = file.metadata() or {}
            with open(path, "rb") as raw:
                (header_bytes,) = struct.unpack("<Q", raw.read(8))
                self._header = parsed_json(raw.read(header_bytes))
        except (SafetensorError, OSError, ValueError) as error:
            raise ValueError(f"{path} cannot be read as .safetensors: {message(error)}") from error
        self._start = 8 + header_bytes
        tensors = [name for name in self._header if name != "__metadata__"]
        super().__init__(path, tensors + ["class_names"] * ("class_names" in self._metadata))

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self._place(name)[1])

    def array(self, name: str) -> NDArray[Any]:
        strings = self._strings(name)
        if name not in self._header:
            return strings if strings is not None else np.empty(0, np.str_)
        values = self._tensor(name)
        if strings is None:
            return values
        if values.dtype.kind not in "iu" or (values.size and not 0 <= values.min() <= values.max() < len(strings)):
            raise ValueError(f"{self.path}: {quoted(name)} must index the {len(strings)} strings in its metadata")
        chosen: NDArray[Any] = strings[values]
        return chosen

    def vectors(self, name: str) -> Vectors:
        dtype, shape, offset = self._place(name)
        check_matrix(
            np.dtype("f2") if dtype == "BF16" else _DTYPES.get(dtype, np.dtype("?")), shape, name, str(self.path)
        )
        stored = np.dtype("<u2") if dtype == "BF16" else _DTYPES[dtype]
        return StoredVectors(self.path, offset, stored, (shape[0], shape[1]), bfloat16=dtype == "BF16")

    def _tensor(self, name: str) -> NDArray[Any]:
        dtype, shape, offset = self._place(name)
        if len(shape) == 2:
            vectors = self.vectors(name)
            return vectors.gather(np.arange(len(vectors)))
        if dtype not in _DTYPES:
            raise ValueError(f"{self.path}: the array {quoted(name)} has the type {dtype}, which fewshot cannot read")
        count = int(np.prod(shape, dtype=np.int64))
        values: NDArray[Any] = np.fromfile(self.path, _DTYPES[dtype], count, offset=offset)
        return values.reshape(shape)

    def _place(self, name: str) -> tuple[str, list[int], int]:
        """Type, shape, and offset of the first byte; safe_open has checked that the array lies inside the file."""
        entry = self._header[name]
        return entry["dtype"], entry["shape"], self._start + entry["data_offsets"][0]

    def _strings(self, name: str) -> NDArray[np.str_] | None:
        """The list of strings in the metadata; None if there is none."""
        if name not in self._metadata:
            return None
        try:
            strings = parsed_json(self._metadata[name])
        except ValueError:
            strings = None
        if not isinstance(strings, list) or not all(isinstance(value, str) for value in strings) or not strings:
            raise ValueError(f"{self.path}: {quoted(name)} in the metadata must be a JSON list of strings")
        return np.array(strings, dtype=np.str_)


_DTYPES = {
    name: np.dtype(code)
    for name, code in (
        ("F16", "<f2"), ("F32", "<f4"), ("F64", "<f8"), ("BOOL", "?"), ("I8", "<i1"), ("I16", "<i2"), ("I32", "<i4"),
        ("I64", "<i8"), ("U8", "<u1"), ("U16", "<u2"), ("U32", "<u4"), ("U64", "<u8"),
    )
}  # fmt: skip
