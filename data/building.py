"""What the builders of the bundled data share: cropped tiles, near-duplicates, and reproducible files."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops

Thumbnails = npt.NDArray[np.float32]

MARGIN = 2  # white pixels on each side of the longer axis


def fit(image: Image.Image, side: int) -> Image.Image | None:
    """The drawing, cropped and scaled to the tile with its proportions; None for an empty page."""
    ink = ImageChops.invert(image).convert("L").point(lambda grey: 255 if grey > 12 else 0)
    box = ink.getbbox()
    if box is None:
        return None
    cut = image.crop(box)
    scale = (side - 2 * MARGIN) / max(cut.size)
    width, height = (max(1, round(length * scale)) for length in cut.size)
    tile = Image.new(image.mode, (side, side), "white")
    small = cut.resize((width, height), Image.Resampling.LANCZOS)
    tile.paste(small, ((side - width) // 2, (side - height) // 2))
    return tile


def near_pairs(thumbnails: Thumbnails, rms: float) -> npt.NDArray[np.intp]:
    """[m, 2] the ordered pairs of different rows of [n, D] that are closer than `rms`."""
    squares = np.einsum("nd,nd->n", thumbnails, thumbnails)
    blocks = []
    for start in range(0, len(thumbnails), 1000):
        rows = slice(start, start + 1000)
        # |a - b|^2 = |a|^2 + |b|^2 - 2 a.b
        distances = squares[rows, None] + squares - 2 * thumbnails[rows] @ thumbnails.T
        blocks.append(np.argwhere(distances / thumbnails.shape[1] < rms**2) + np.array([start, 0]))
    pairs: npt.NDArray[np.intp] = np.concatenate(blocks)
    different: npt.NDArray[np.intp] = pairs[pairs[:, 0] != pairs[:, 1]]
    return different


def drop_shared(
    labels: Sequence[str], thumbnails: Thumbnails, rms: float
) -> tuple[npt.NDArray[np.bool_], Counter[tuple[str, str]]]:
    """[n] whether an image is unlike all images of other classes, and the number of images that each pair of classes
    shares."""
    shared: Counter[tuple[str, str]] = Counter()
    kept = np.ones(len(labels), dtype=np.bool_)
    for first, second in near_pairs(thumbnails, rms):
        if labels[first] < labels[second]:
            shared[labels[first], labels[second]] += 1
            kept[[first, second]] = False
    return kept, shared


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """The sha256 of an .npz file, after writing it with the same bytes in every run."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, array, allow_pickle=False)
            # Not np.savez: it has no compression level, and it stores dates.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), buffer.getvalue(), zipfile.ZIP_DEFLATED, 9)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes JSON indented by one space, with every innermost object (a class) on one line."""
    text = json.dumps(content, indent=1, ensure_ascii=False)
    text = re.sub(r"\{[^{}\[\]]*\}", lambda innermost: re.sub(r"\s*\n\s*", " ", innermost[0]), text)
    path.write_text(text + "\n", encoding="utf-8")


def write_split(path: Path, group_of: Mapping[str, str], novel: frozenset[str], validation: frozenset[str]) -> None:
    """Writes the seen, validation and novel classes, divided by the group (superclass, script) of each class."""
    parts: dict[str, list[str]] = {"seen": [], "validation": [], "novel": []}
    for name in sorted(group_of):
        group = group_of[name]
        parts["novel" if group in novel else "validation" if group in validation else "seen"].append(name)
    digest = hashlib.sha256("\n".join(sorted(group_of)).encode()).hexdigest()
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"classes_digest": digest, **parts}, indent=1) + "\n", encoding="utf-8")
