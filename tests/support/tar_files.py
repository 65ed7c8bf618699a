"""A shard of webdataset: labelled pictures in a .tar file."""

from __future__ import annotations

import tarfile
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image


def write_shard(path: Path, n: int = 4) -> Path:
    """The file, with n pictures of two classes."""
    random = np.random.default_rng(4)
    with tarfile.open(path, "w") as tar:
        for at in range(n):
            picture = BytesIO()
            Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(picture, "PNG")
            for suffix, content in (("png", picture.getvalue()), ("cls", str(at % 2).encode())):
                member = tarfile.TarInfo(f"s{at:04}.{suffix}")
                member.size = len(content)
                tar.addfile(member, BytesIO(content))
    return path
