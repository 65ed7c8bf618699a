"""Arrays of an .npz file, read without pickle and without trust in its sizes; uncompressed ones are not held."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from fewshot.files.npz import array_name, content_offset, is_stored, npz_members, read_header
from fewshot.files.regular import check_regular

_MOST_DEFLATED = 1032  # no byte of a deflated file stands for more
_PARTS = ("train", "val", "valid", "validation", "test")


def image_arrays(names: list[str]) -> dict[str, str]:
    """The names of the arrays of images by partition: `images` alone (partition ""), or `train_images` and others."""
    if "images" in names:
        return {"": "images"}
    return {part: f"{part}_images" for part in _PARTS if f"{part}_images" in names}


def holds_images(path: Path) -> bool:
    """Whether an .npz file holds images, by the names of its arrays; False if it cannot be read."""
    if not path.is_file():  # opening a pipe would wait without end
        return False
    try:
        return bool(image_arrays(list(map(array_name, npz_members(path)))))
    except ValueError:
        return False


@dataclass(frozen=True, eq=False)
class NpzFile:
    """The arrays of an .npz file by their names."""

    path: Path
    members: dict[str, zipfile.ZipInfo]

    @staticmethod
    def opened(path: Path) -> NpzFile:
        """The file; a ValueError names one that is missing or no .npz file."""
        if not check_regular(path, "file of images").is_file():
            raise ValueError(f"there is no file {path}; give an .npz file with images and labels")
        return NpzFile(path, {array_name(member): member for member in npz_members(path)})

    def array(self, name: str) -> NDArray[Any]:
        """An array; a ValueError names one that is missing, damaged, or of another size than its header says."""
        if name not in self.members:
            raise ValueError(f"{self.path} holds no array {name!r}; it holds {', '.join(self.members) or 'nothing'}")
        try:
            return self._checked(name)
        except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, struct.error) as error:
            raise ValueError(f"{self.path}: the array {name!r} cannot be read: {error}") from error

    def _checked(self, name: str) -> NDArray[Any]:
        member = self.members[name]
        if member.compress_size > os.path.getsize(self.path) or (
            member.file_size > _MOST_DEFLATED * member.compress_size + 1024
        ):
            raise ValueError(f"it claims {member.file_size:,} bytes, more than the file can hold")
        with zipfile.ZipFile(self.path) as archive, archive.open(member) as stream:
            shape, by_column, dtype = read_header(stream)
            n_bytes = stream.tell() + int(np.prod(shape, dtype=object)) * dtype.itemsize
            if dtype.hasobject:
                raise ValueError("it holds Python objects; save plain numbers or strings")
            if n_bytes != member.file_size or any(size < 0 for size in shape):
                raise ValueError(
                    f"its header says {dtype} of shape {list(shape)}, but it has {member.file_size:,} bytes"
                )
            start = stream.tell()
        if is_stored(member) and 0 not in shape:
            order: Any = "F" if by_column else "C"
            return np.memmap(self.path, dtype, "r", content_offset(self.path, member) + start, shape, order)
        with zipfile.ZipFile(self.path) as archive, archive.open(member) as stream:
            array: NDArray[Any] = npy.read_array(stream, allow_pickle=False)
            return array
