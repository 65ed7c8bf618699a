"""Arrays of .npz files, read without pickle and without trust in their headers; damaged ones are refused.

Every array has a checksum (CRC-32) in the file. fewshot compares it while it first reads the whole array, so a large
file is not read twice: see `StoredArray.blocks`. Large arrays are never held in memory.
"""

from __future__ import annotations

import math
import os
import shutil
import struct
import tempfile
import tokenize
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from fewshot.files.atomic import home, make_folder
from fewshot.files.checksums import Crc
from fewshot.files.quoting import first_of, message, quoted
from fewshot.files.regular import check_regular
from fewshot.files.stored import StoredArray

Header = tuple[tuple[int, ...], bool, np.dtype[Any]]  # shape, whether in Fortran order, type
_EXPANSION = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: 1040}  # the most bytes that one stored byte can become
_HELD_BYTES = 64 << 20  # of a compressed array that is held in memory; larger ones are unpacked into a file
_TEXT_BYTES = 1 << 16  # of one string: labels are no essays, and compressed ones could take all memory
_COPIED_BYTES = 1 << 20  # at once
_ENCRYPTED = 1
_ENTRY = b"PK\x01\x02"  # begins an entry of the list of arrays: with a wrong length, an entry swallows the next
_FAILURES = (
    *(ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, struct.error, NotImplementedError),
    *(MemoryError, SyntaxError, TypeError, KeyError, tokenize.TokenError),  # the last four: numpy, on a damaged header
)


@dataclass(frozen=True, eq=False)
class NpzFile:
    """The arrays of an .npz file by their names, in its order."""

    path: Path
    members: dict[str, zipfile.ZipInfo]

    @staticmethod
    def opened(path: Path, what: str) -> NpzFile:
        """The file; a ValueError names one that is missing, is no .npz file, or has two arrays of one name. `what` says
        what the file should hold: "images"."""
        if not check_regular(path, f"file of {what}").is_file():
            raise ValueError(f"there is no file {path}; give an .npz file with {what} and labels")
        try:
            with zipfile.ZipFile(path) as archive:
                members = archive.infolist()
                for member in members:
                    if member.compress_type not in _EXPANSION:  # LZMA's decoder takes the memory that a header names
                        raise zipfile.BadZipFile(f"its arrays are compressed by the method {member.compress_type}")
                    archive.open(member).close()  # raises if the name beside the array is another
                    if _ENTRY in member.filename.encode() + member.extra + member.comment:
                        raise zipfile.BadZipFile("its list of arrays is damaged")
        except _FAILURES as error:
            raise ValueError(f"{path} cannot be read as .npz: {message(error)}; write it with np.savez") from error
        names = [member.filename.removesuffix(".npy") for member in members]
        check_unique(path, names, "arrays")
        return NpzFile(path, dict(zip(names, members, strict=True)))

    def header(self, name: str) -> Header:
        """Shape, order and type of an array, which is not read; a ValueError if the file cannot hold such an array."""
        with self._errors_named(name):
            return self._start(name)[0]

    def array(self, name: str) -> NDArray[Any]:
        """An array in memory; a ValueError names one that is missing, damaged, or of another size than its header
        says."""
        with self._errors_named(name):
            self._start(name)
            with zipfile.ZipFile(self.path) as archive, archive.open(self.members[name]) as stream:
                array: NDArray[Any] = npy.read_array(stream, allow_pickle=False)
                return array

    def rows(self, name: str, shape: tuple[int, ...]) -> NDArray[Any] | StoredArray:
        """An array as rows of this `shape`, which holds as many numbers as the header says. Uncompressed and large
        arrays are not held in memory."""
        with self._errors_named(name):
            (_, by_column, dtype), start = self._start(name)
            stored = self.place(name)
            if 0 in shape or (stored is None and self.members[name].file_size <= _HELD_BYTES):
                return self.array(name).reshape(shape)
            if stored is not None:
                return StoredArray(os.open(self.path, os.O_RDONLY), str(self.path), stored[0], dtype, shape, stored[1])
            unpacked = self._unpacked(name)
            if not by_column:
                return StoredArray(unpacked, str(self.path), start, dtype, shape)
            with open(unpacked, "rb") as file:
                return np.memmap(file, dtype, "r", start, self.header(name)[0], "F").reshape(shape)

    def place(self, name: str) -> tuple[int, Crc] | None:
        """Where the numbers of an array start in the file, and their checksum; None unless its bytes are in the file as
        they are, row after row."""
        member = self.members[name]
        (_, by_column, _), start = self._start(name)
        if member.compress_type != zipfile.ZIP_STORED or by_column:
            return None
        with open(self.path, "rb") as file:
            file.seek(member.header_offset + 26)
            name_bytes, extra_bytes = struct.unpack("<HH", file.read(4))
            offset = member.header_offset + 30 + name_bytes + extra_bytes
            file.seek(offset)
            return offset + start, Crc(zlib.crc32(file.read(start)), member.CRC)

    def _start(self, name: str) -> tuple[Header, int]:
        """The header of an array, and its length in bytes. A ValueError, before any memory is allocated, if the array
        cannot be in the file."""
        if name not in self.members:
            raise ValueError(f"{self.path} holds no array {quoted(name)}; it holds {first_of(self.members, 'nothing')}")
        member = self.members[name]
        if member.flag_bits & _ENCRYPTED:
            raise ValueError("it is encrypted; save it without a password")
        with zipfile.ZipFile(self.path) as archive, archive.open(member) as stream:
            version = npy.read_magic(stream)
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, by_column, dtype = read(stream)
            start = stream.tell()
        self._check(member, shape, dtype, member.file_size - start)
        return (shape, by_column and len(shape) > 1, dtype), start

    def _check(self, member: zipfile.ZipInfo, shape: tuple[int, ...], dtype: np.dtype[Any], content: int) -> None:
        if dtype.hasobject:
            raise ValueError(
                "it holds Python objects; save plain numbers or strings, such as np.asarray(labels, dtype=str)"
            )
        most = min(member.compress_size, os.path.getsize(self.path)) * _EXPANSION[member.compress_type]
        if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != content or member.file_size > most:
            raise ValueError(
                f"its header promises {dtype} of shape {list(shape)}, which is {math.prod(shape) * dtype.itemsize:,} "
                f"bytes, but it contains {min(content, most):,} bytes; write the file again"
            )
        if dtype.kind in "SU" and dtype.itemsize > _TEXT_BYTES:
            raise ValueError(f"each of its strings takes {dtype.itemsize:,} bytes; shorten them to {_TEXT_BYTES:,}")

    def _unpacked(self, name: str) -> int:
        """An open file of the content of an array, which disappears when it is closed. Its checksum is compared."""
        member, folder = self.members[name], make_folder(home())
        if member.file_size > shutil.disk_usage(folder).free:
            raise ValueError(
                f"unpacked, it takes {member.file_size:,} bytes, more than is free in {folder}; free space, set "
                "FEWSHOT_HOME to another folder, or save the array with np.savez, without compression"
            )
        with (
            tempfile.TemporaryFile(dir=folder) as file,
            zipfile.ZipFile(self.path) as archive,
            archive.open(member) as stream,
        ):
            shutil.copyfileobj(stream, file, _COPIED_BYTES)
            file.flush()
            return os.dup(file.fileno())

    @contextmanager
    def _errors_named(self, name: str) -> Iterator[None]:
        """Errors inside become a ValueError that names the file and the array, once."""
        try:
            yield
        except _FAILURES as error:
            if str(error).startswith(str(self.path)):
                raise
            raise ValueError(f"{self.path}: the array {quoted(name)} cannot be read: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    """Why an array cannot be read."""
    if isinstance(error, MemoryError):
        return "it is too large for the memory of this machine"
    if isinstance(error, zipfile.BadZipFile | zlib.error | EOFError):
        found = message(error) if str(error) else "it ends too early"
        return f"it is damaged ({found}); copy the file again, or write it again with np.savez"
    return message(error)


def check_unique(path: Path, names: Sequence[str], what: str) -> None:
    """Raises a ValueError if a file has two arrays or columns of one name."""
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise ValueError(f"{path} has two {what} named {quoted(twice)}; give each a name of its own")
