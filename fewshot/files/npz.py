"""The arrays inside .npz files: their headers, and where their bytes are."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

Header = tuple[tuple[int, ...], bool, np.dtype[Any]]  # shape, whether in Fortran order, type


def npz_members(path: Path) -> list[zipfile.ZipInfo]:
    """The arrays of an .npz file, in its order; a ValueError if it is something else."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.infolist()
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise ValueError(f"{path} cannot be read as .npz: {error}; write it with np.savez") from error


def array_name(member: zipfile.ZipInfo) -> str:
    """The name of an array."""
    return member.filename.removesuffix(".npy")


def read_header(file: IO[bytes]) -> Header:
    """The header of an .npy file; the file stands behind it."""
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    header: Header = read(file)
    return header


def content_offset(path: Path, member: zipfile.ZipInfo) -> int:
    """Where the content of an uncompressed member starts in the file: its .npy header, then its numbers."""
    with open(path, "rb") as file:
        file.seek(member.header_offset + 26)
        name_bytes, extra_bytes = struct.unpack("<HH", file.read(4))
    return int(member.header_offset + 30 + name_bytes + extra_bytes)


def is_stored(member: zipfile.ZipInfo) -> bool:
    """Whether the bytes of a member are in the file as they are, neither compressed nor encrypted."""
    return member.compress_type == zipfile.ZIP_STORED and not member.flag_bits & 1
