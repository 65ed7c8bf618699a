"""Files that users give by mistake: labels, vectors, pipes and files of other kinds."""

from __future__ import annotations

import io
import os
import socket
import zipfile
from pathlib import Path

import numpy as np
from numpy.lib import format as npy


def special_file(path: Path, kind: str) -> Path:
    """Makes a pipe, a socket, or a link to a device at this path, and returns the path."""
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        here = os.getcwd()
        os.chdir(path.parent)  # the address of a socket is short
        try:
            with socket.socket(socket.AF_UNIX) as bound:
                bound.bind(path.name)
        finally:
            os.chdir(here)
    else:
        path.symlink_to("/dev/zero")
    return path


def lying_npz(path: Path, shape: tuple[int, ...], compression: int, name: str = "vectors") -> Path:
    """Writes an .npz file whose header promises an array of this shape, with only 64 bytes behind it."""
    header = io.BytesIO()
    npy.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": shape})
    labels = io.BytesIO()
    np.save(labels, np.arange(8) % 2)
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr(f"{name}.npy", header.getvalue() + b"\0" * 64)
        archive.writestr("labels.npy", labels.getvalue())
    return path
