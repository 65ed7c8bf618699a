"""A user's own images: one folder a class."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from fewshot.datasets import Dataset, Group, LabelledImages, images_digest
from fewshot.datasets._decoding import SUFFIXES
from fewshot.datasets._digests import open_files

PARTITIONS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing"})
_log = logging.getLogger("fewshot")


@dataclass(frozen=True)
class ImageFolderSet(Dataset):
    """Images in `root/class/...`, or `root/train/class/...` and `root/test/class/...`: any size, mode and format.

    Hidden files and folders are ignored, links are followed. Every file is decoded once when the folder is first
    seen, so that unreadable ones are named before anything is computed, and its digest is kept by path, size and
    time of change. Exact copies of a picture are counted in a warning.
    """

    short_name: ClassVar[str] = "[{root:file}|folder]"

    root: Path

    def load(self) -> LabelledImages:
        """All images, sorted by path. Unreadable images are a ValueError that names them."""
        root = Path(self.root)
        paths = _image_paths(root)
        parts = [path.relative_to(root).parts for path in paths]
        partitioned = _partitioned(root, parts)
        class_of = [p[1] if partitioned else p[0] for p in parts]
        class_names, labels = np.unique(class_of, return_inverse=True)
        files, digests = open_files(str(root), paths, labels, lambda row: paths[row].relative_to(root))
        groups = {"partition": Group.of(p[0] for p in parts)} if partitioned else {}
        return LabelledImages(
            name=root.resolve().name,
            images=files,
            labels=labels.astype(np.int64),
            class_names=tuple(class_names.tolist()),
            images_digest=images_digest(digests),
            image_groups=groups,
            image_names=["/".join(p) for p in parts],
        )


def _partitioned(root: Path, parts: list[tuple[str, ...]]) -> bool:
    """Whether the folders of `root` are partitions that hold the classes, not classes themselves."""
    if not {p[0].lower() for p in parts} <= PARTITIONS:
        return False
    flat = [p for p in parts if len(p) == 2]
    if flat and len(flat) < len(parts):
        raise ValueError(
            f"{root} holds partitions such as {flat[0][0]!r} with class folders, but the image "
            f"{'/'.join(flat[0])} lies in none of them; move it into a class folder"
        )
    return not flat


def _image_paths(root: Path) -> list[Path]:
    """The images of all class folders, sorted; other files and folders without images are told."""
    if not root.is_dir():
        raise ValueError(f"there is no folder {root}; give the folder that holds one folder a class")
    files, images, empty = [], [], []
    for folder, folders, names in os.walk(root, onerror=_unreadable, followlinks=True):
        here = os.path.realpath(folder)
        folders[:] = [f for f in folders if not f.startswith(".") and not _holds(os.path.join(folder, f), here)]
        found = [Path(folder, name) for name in names if not name.startswith(".")]
        found = [path for path in found if path.is_file() or not path.exists()]  # a broken link is told when it is read
        files += found
        images += [path for path in found if path.suffix.lower() in SUFFIXES and path.parent != root]
        if not folders and (not images or images[-1].parent != Path(folder)):
            empty.append(Path(folder))
    if not images:
        raise ValueError(f"{root} holds no images in class folders; expected {root}/<class>/<image>.jpg")
    for left_out, what in (
        (set(files) - set(images), "files that are not images in a class folder"),
        (empty, "folders without images"),
    ):
        if left_out:
            _log.warning("%s: left out %d %s, such as %s", root, len(left_out), what, min(left_out).relative_to(root))
    return sorted(images)


def _holds(link: str, folder: str) -> bool:
    """Whether a link leads to the folder itself or to one around it: following it would never end."""
    target = os.path.realpath(link)
    return os.path.commonpath([target, folder]) == target


def _unreadable(error: OSError) -> None:
    raise ValueError(f"cannot read the folder {error.filename}: {error.strerror}") from error
