"""Picture files of any depth, also those that Pillow does not write."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Values = np.ndarray[Any, Any]


def tiff(values: Values, photometric: int | None = None, extra: tuple[int, ...] = (), order: str = "<") -> bytes:
    """A TIFF file of values [H, W] or [H, W, bands]; `extra`: the declared meanings of further bands."""
    height, width, bands = (*values.shape, 1)[:3]
    data = values.astype(values.dtype.newbyteorder(order)).tobytes()
    sample_format = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    colour = photometric if photometric is not None else 2 if bands >= 3 else 1
    fields: list[tuple[int, str, list[int]]] = [
        (256, "I", [width]), (257, "I", [height]), (258, "H", [8 * values.dtype.itemsize] * bands), (259, "H", [1]),
        (262, "H", [colour]), (273, "I", [8]), (277, "H", [bands]), (278, "I", [height]), (279, "I", [len(data)]),
        (338, "H", list(extra)), (339, "H", [sample_format] * bands),
    ]  # fmt: skip
    fields = [field for field in fields if field[2]]
    outside = b""
    at = 8 + len(data) + 2 + 12 * len(fields) + 4
    entries = b""
    for tag, code, numbers in fields:
        packed = struct.pack(f"{order}{len(numbers)}{code}", *numbers)
        if len(packed) > 4:
            packed, outside = struct.pack(f"{order}I", at + len(outside)), outside + packed
        entries += struct.pack(f"{order}HHI", tag, 3 if code == "H" else 4, len(numbers)) + packed.ljust(4, b"\0")
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8 + len(data))
    return head + data + struct.pack(f"{order}H", len(fields)) + entries + bytes(4) + outside


def png(width: int, height: int, bit_depth: int, colour_type: int, rows: bytes) -> bytes:
    """The bytes of a PNG file, for formats that Pillow does not write."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def deep_png(values: Values) -> bytes:
    """A PNG file of 16 bits: grey, grey with alpha, RGB, or RGB with alpha, by the last axis."""
    height, width, bands = (*values.shape, 1)[:3]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return png(width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[bands], rows)


def _pgm(scene: Values, top: int) -> bytes:
    values = np.rint(scene * (top / 255)).astype(">u2")
    return f"P5 {scene.shape[1]} {scene.shape[0]} {top}\n".encode() + values.tobytes()


def _scaled(dtype: str, top: float, low: float = 0.0) -> Callable[[Values], Values]:
    whole = np.rint if np.dtype(dtype).kind in "iu" else np.asarray
    return lambda scene: whole(low + scene.astype(np.float64) * ((top - low) / 255)).astype(dtype)


def _with_alpha(values: Values) -> Values:
    return np.stack([values, np.full_like(values, 65535)], axis=2)


def _colour(values: Values) -> Values:
    return np.stack([values] * 3, axis=2)


_16 = _scaled("u2", 65535)
# How to write a scene, grey [H, W] of 0 to 255, with other values: suffix and bytes.
DEPTHS: dict[str, tuple[str, Callable[[Values], bytes]]] = {
    "png of 16 bits": (".png", lambda s: deep_png(_16(s))),
    "png of 16 bits with alpha": (".png", lambda s: deep_png(_with_alpha(_16(s)))),
    "png of 16-bit colour": (".png", lambda s: deep_png(_colour(_16(s)))),
    "pgm of 10 bits": (".pgm", lambda s: _pgm(s, 1023)),
    "pgm of 16 bits": (".pgm", lambda s: _pgm(s, 65535)),
    "10 bits in 16": (".tif", lambda s: tiff(_scaled("u2", 1023)(s))),
    "12 bits in 16": (".tif", lambda s: tiff(_scaled("u2", 4095)(s))),
    "12 bits in 16, png": (".png", lambda s: deep_png(_scaled("u2", 4095)(s))),
    "14 bits in 16": (".tif", lambda s: tiff(_scaled("u2", 16383)(s))),
    "8 bits in 16": (".tif", lambda s: tiff(s.astype("u2"))),
    "unsigned 16": (".tif", lambda s: tiff(_16(s))),
    "unsigned 16, big-endian": (".tif", lambda s: tiff(_16(s), order=">")),
    "unsigned 16, white is 0": (".tif", lambda s: tiff(_16(255 - s), photometric=0)),
    "colour of 16 bits": (".tif", lambda s: tiff(_colour(_16(s)))),
    "signed 8": (".tif", lambda s: tiff(_scaled("i1", 127, -128)(s))),
    "signed 16": (".tif", lambda s: tiff(_scaled("i2", 3071, -1024)(s))),
    "signed 16, all positive": (".tif", lambda s: tiff(_scaled("i2", 16383)(s))),
    "signed 32": (".tif", lambda s: tiff(_scaled("i4", 70_000, -70_000)(s))),
    "signed 32 of 8 bits": (".tif", lambda s: tiff(s.astype("i4"))),
    "signed 32 of 16 bits": (".tif", lambda s: tiff(_scaled("i4", 65535)(s))),
    "unsigned 32": (".tif", lambda s: tiff(_scaled("u4", 2**32 - 1)(s))),
    "float to 1": (".tif", lambda s: tiff(_scaled("f4", 1)(s))),
    "float to 1, white is 0": (".tif", lambda s: tiff(_scaled("f4", 1)(255 - s), photometric=0)),
    "float to 255": (".tif", lambda s: tiff(_scaled("f4", 255)(s))),
    "float to 65535": (".tif", lambda s: tiff(_scaled("f4", 65535)(s), order=">")),
    "float of any range": (".tif", lambda s: tiff(_scaled("f4", 3.5, -0.25)(s))),
    "float of tiny values": (".tif", lambda s: tiff(_scaled("f4", 2e-6)(s))),
}


def write_scenes(root: Path, scenes: list[Values], depth: str | None) -> None:
    """A folder of two classes with these scenes in turn, with 8 bits (None) or with the values of a depth."""
    for number, scene in enumerate(scenes):
        folder = root / ("gull", "wren")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        if depth is None:
            Image.fromarray(scene).save(folder / f"{number}.png")
        else:
            suffix, write = DEPTHS[depth]
            (folder / f"{number}{suffix}").write_bytes(write(scene))
