"""Your own images: one folder per class."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from fewshot.datasets import Dataset, Group, LabelledImages, images_digest
from fewshot.datasets._decoding import SUFFIXES
from fewshot.datasets._digests import Files, file_digests, tell_copies

PARTITIONS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing"})
_log = logging.getLogger("fewshot")


@dataclass(frozen=True)
class ImageFolderSet(Dataset):
    """Images of any size, mode and format in `root/class/...`, or in `root/train/class/...` and `root/test/class/...`.

    The loader ignores hidden files and folders, and follows links. It decodes every new file once, so it reports
    unreadable images before anything else runs, and keeps each digest by path, size and time of change. A warning
    counts exact copies.
    """

    short_name: ClassVar[str] = "[{root:file}|folder]"

    root: Path

    def load(self) -> LabelledImages:
        """All images, sorted by path; a ValueError names unreadable ones."""
        root = Path(self.root)
        paths = _image_paths(root)
        parts = [path.relative_to(root).parts for path in paths]
        partitioned = _partitioned(root, parts)
        class_of = [p[1] if partitioned else p[0] for p in parts]
        class_names, labels = np.unique(class_of, return_inverse=True)
        digests = file_digests(paths)
        tell_copies(str(root), digests, labels, lambda row: paths[row].relative_to(root))
        groups = {"partition": Group.of(p[0] for p in parts)} if partitioned else {}
        return LabelledImages(
            name=root.resolve().name,
            images=Files(paths),
            labels=labels.astype(np.int64),
            class_names=tuple(class_names.tolist()),
            images_digest=images_digest(digests),
            image_groups=groups,
            image_names=["/".join(p) for p in parts],
        )


def _partitioned(root: Path, parts: list[tuple[str, ...]]) -> bool:
    """Whether the folders in `root` are partitions with class folders inside, not classes."""
    if not {p[0].lower() for p in parts} <= PARTITIONS:
        return False
    flat = [p for p in parts if len(p) == 2]
    if flat and len(flat) < len(parts):
        raise ValueError(
            f"{root} has partitions with class folders, but the image {'/'.join(flat[0])} is not in a class folder; "
            "move it into one"
        )
    return not flat


def _image_paths(root: Path) -> list[Path]:
    """The images in all class folders, sorted; a warning counts other files and empty folders."""
    if not root.is_dir():
        raise ValueError(f"there is no folder {root}; give the folder that contains one folder per class")
    files, images, empty = [], [], []
    for folder, folders, names in os.walk(root, onerror=_unreadable, followlinks=True):
        here = os.path.realpath(folder)
        folders[:] = [f for f in folders if not f.startswith(".") and not _holds(os.path.join(folder, f), here)]
        here_files = [Path(folder, name) for name in names if not name.startswith(".")]
        here_files = [
            path for path in here_files if path.is_file() or not path.exists()
        ]  # reading reports a broken link
        files += here_files
        images += [path for path in here_files if path.suffix.lower() in SUFFIXES and path.parent != root]
        if not folders and (not images or images[-1].parent != Path(folder)):
            empty.append(Path(folder))
    if not images:
        raise ValueError(f"{root} has no images in class folders; expected {root}/<class>/<image>.jpg")
    for skipped, one, several in (
        (
            set(files) - set(images),
            "file that is not an image in a class folder",
            "files that are not images in a class folder",
        ),
        (empty, "folder without images", "folders without images"),
    ):
        if skipped:
            what = one if len(skipped) == 1 else several
            _log.warning("%s: skipped %d %s, such as %s", root, len(skipped), what, min(skipped).relative_to(root))
    return sorted(images)


def _holds(link: str, folder: str) -> bool:
    """Whether a link points to the folder itself or to a parent: following it would never end."""
    target = os.path.realpath(link)
    return os.path.commonpath([target, folder]) == target


def _unreadable(error: OSError) -> None:
    raise ValueError(f"cannot read the folder {error.filename}: {error.strerror}") from error
