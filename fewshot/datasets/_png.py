"""Damaged PNG files: Pillow decodes pixels without comparing their checksums."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from fewshot.datasets._decoding import Encoded, binary

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def changed_chunk(source: Path | Encoded) -> str:
    """The first chunk of a PNG file whose bits are not those of its checksum, such as "IDAT"; "" if there is none, or
    for other files. A file that ends inside a chunk is left to the decoder."""
    with binary(source) as file:
        if file.read(8) != _SIGNATURE:
            return ""
        while len(start := file.read(8)) == 8:
            (length,), kind = struct.unpack(">I", start[:4]), start[4:]
            content = file.read(length)
            crc = file.read(4)
            if len(crc) == 4 and crc != zlib.crc32(content, zlib.crc32(kind)).to_bytes(4, "big"):
                return kind.decode("latin-1")
            if kind == b"IEND":
                return ""
    return ""
