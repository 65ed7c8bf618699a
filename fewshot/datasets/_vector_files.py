"""Arrays by name from .npz and .safetensors files, without pickle; large arrays are read row by row."""

from __future__ import annotations

import json
import logging
import math
import struct
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from fewshot.datasets.labelled_vectors import VectorArrays, check_matrix, checked_matrix
from fewshot.files.npz import array_name, content_offset, is_stored, npz_members, read_header
from fewshot.files.vectors import HeldVectors, StoredVectors, Vectors

VECTORS = ("vectors", "features", "embeddings", "X")
LABELS = ("labels", "label", "targets", "y")
_GROUP, _CLASS = "group:", "class:"  # prefixes of image groups and of class groups
_EXPANSION = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: 1040}  # the most bytes that one stored byte can become
_log = logging.getLogger("fewshot")


class ArrayFile(ABC):
    """A file of named arrays."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self.path, self.names = path, list(names)

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
        return VectorArrays(
            self.vectors(vectors),
            self.array(labels),
            self.array("class_names") if "class_names" in self.names else None,
            {name.removeprefix(_GROUP): self.array(name) for name in groups},
            {name.removeprefix(_CLASS): self.array(name) for name in by_class},
            self.array("class_vectors") if "class_vectors" in self.names else None,
        )

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
        members = npz_members(path)
        names = list(map(array_name, members))
        check_unique(path, names, "arrays")
        self._members = dict(zip(names, members, strict=True))
        super().__init__(path, names)

    def array(self, name: str) -> NDArray[Any]:
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(self._members[name]) as member:
                self._check_size(name)
                array: NDArray[Any] = npy.read_array(member, allow_pickle=False)
                return array
        except MemoryError as error:
            raise ValueError(f"{self.path}: the array {name!r} is too large for the memory of this machine") from error
        except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
            objects = "Object arrays" in str(error)
            advice = "; save plain numbers or strings, such as np.asarray(labels, dtype=str)" if objects else ""
            raise ValueError(f"{self.path}: the array {name!r} cannot be read: {error}{advice}") from error

    def _check_size(self, name: str) -> None:
        """Raises a ValueError, before any memory is allocated, if the header promises another number of bytes than the
        file can hold."""
        member = self._members[name]
        most = member.compress_size * _EXPANSION.get(member.compress_type, 1 << 40)
        with zipfile.ZipFile(self.path) as archive, archive.open(member) as file:
            shape, _, dtype = read_header(file)
            content = member.file_size - file.tell()
        expected = math.prod(shape) * dtype.itemsize
        if dtype.hasobject:
            return  # numpy refuses it
        if min(shape, default=0) < 0 or expected != content or member.file_size > most:
            raise ValueError(
                f"its header promises {dtype} of shape {list(shape)}, which is {expected:,} bytes, but it contains "
                f"{min(content, most):,}; write the file again"
            )

    def vectors(self, name: str) -> Vectors:
        stored = self._stored(name)
        return stored or HeldVectors(checked_matrix(self.array(name), name, str(self.path)))

    def _stored(self, name: str) -> Vectors | None:
        """The array inside the file, if its bytes are stored there row after row; else None."""
        member = self._members[name]
        if not is_stored(member):
            return None
        start = content_offset(self.path, member)
        with open(self.path, "rb") as file:
            file.seek(start)
            try:
                shape, by_column, dtype = read_header(file)
            except ValueError:
                return None  # `array` reports the mistake
            if by_column or dtype.hasobject:
                return None
            check_matrix(dtype, shape, name, str(self.path))
            if file.tell() - start + shape[0] * shape[1] * dtype.itemsize != member.file_size:
                return None
            return StoredVectors(self.path, file.tell(), dtype, (shape[0], shape[1]))


def check_unique(path: Path, names: Sequence[str], what: str) -> None:
    """Raises a ValueError if a file has two arrays or columns of one name."""
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise ValueError(f"{path} has two {what} named {twice!r}; give each a name of its own")


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
                self._header = json.loads(raw.read(header_bytes))
        except (SafetensorError, OSError, ValueError) as error:
            raise ValueError(f"{path} cannot be read as .safetensors: {error}") from error
        self._start = 8 + header_bytes
        tensors = [name for name in self._header if name != "__metadata__"]
        super().__init__(path, tensors + ["class_names"] * ("class_names" in self._metadata))

    def array(self, name: str) -> NDArray[Any]:
        strings = self._strings(name)
        if name not in self._header:
            return strings if strings is not None else np.empty(0, np.str_)
        values = self._tensor(name)
        if strings is None:
            return values
        if values.dtype.kind not in "iu" or (values.size and not 0 <= values.min() <= values.max() < len(strings)):
            raise ValueError(f"{self.path}: {name!r} must index the {len(strings)} strings in its metadata")
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
            raise ValueError(f"{self.path}: the array {name!r} has the type {dtype}, which fewshot cannot read")
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
            strings = json.loads(self._metadata[name])
        except (ValueError, RecursionError):
            strings = None
        if not isinstance(strings, list) or not all(isinstance(value, str) for value in strings) or not strings:
            raise ValueError(f"{self.path}: {name!r} in the metadata must be a JSON list of strings")
        return np.array(strings, dtype=np.str_)


_DTYPES = {
    name: np.dtype(code)
    for name, code in (
        ("F16", "<f2"), ("F32", "<f4"), ("F64", "<f8"), ("BOOL", "?"), ("I8", "<i1"), ("I16", "<i2"), ("I32", "<i4"),
        ("I64", "<i8"), ("U8", "<u1"), ("U16", "<u2"), ("U32", "<u4"), ("U64", "<u8"),
    )
}  # fmt: skip
