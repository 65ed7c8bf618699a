"""Shards of webdataset: labelled pictures in .tar files."""

from __future__ import annotations

import tarfile
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

PIXELS = np.random.default_rng(4).integers(0, 256, (16, 8, 8, 3), dtype=np.uint8)


def picture(row: int, kind: str = "PNG") -> bytes:
    content = BytesIO()
    Image.fromarray(PIXELS[row]).save(content, kind, **({"lossless": True} if kind == "WEBP" else {}))
    return content.getvalue()


def shard(path: Path, members: dict[str, bytes | str], change=None) -> Path:
    """A .tar file of these members; `change` edits the header of each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if change is not None:
                change(info)
            tar.addfile(info, BytesIO(data))
    return path


def samples(rows, labels, suffix: str = "png", kind: str = "PNG", folder: str = "") -> dict[str, bytes | str]:
    pairs = {}
    for row, label in zip(rows, labels, strict=True):
        pairs[f"{folder}s{row:04}.{suffix}"] = picture(row, kind)
        pairs[f"{folder}s{row:04}.cls"] = str(label)
    return pairs


def write_shard(path: Path, n: int = 4) -> Path:
    """The file, with n pictures (at most 16) of two classes."""
    return shard(path, samples(range(n), [at % 2 for at in range(n)]))
