"""A user's own images: one folder a class."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from fewshot.datasets import Dataset, Group, LabelledImages, image_digest, images_digest
from fewshot.decoding import SUFFIXES, read_image
from fewshot.files import home, make_folder

PARTITIONS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing"})
_log = logging.getLogger("fewshot")


@dataclass(frozen=True)
class ImageFolderSet(Dataset):
    """Images in `root/class/...`, or `root/train/class/...` and `root/test/class/...`: any size, mode and format.

    Every file is decoded once when the folder is first seen, so that unreadable ones are named before anything
    is computed, and its digest is kept by path, size and time of change.
    """

    root: Path

    def load(self) -> LabelledImages:
        """All images, sorted by path. Unreadable images are a ValueError that names them."""
        root = Path(self.root)
        paths = _image_paths(root)
        parts = [path.relative_to(root).parts for path in paths]
        partitioned = {p[0].lower() for p in parts} <= PARTITIONS and all(len(p) > 2 for p in parts)
        class_of = [p[1] if partitioned else p[0] for p in parts]
        class_names, labels = np.unique(class_of, return_inverse=True)
        groups = {"partition": Group.of(p[0] for p in parts)} if partitioned else {}
        return LabelledImages(
            name=root.resolve().name, images=_Files(paths), labels=labels.astype(np.int64),
            class_names=tuple(class_names.tolist()), images_digest=images_digest(_digests(paths)), image_groups=groups,
        )  # fmt: skip


@dataclass(frozen=True)
class _Files:
    paths: list[Path]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int, /) -> Image.Image:
        return read_image(self.paths[row])


def _image_paths(root: Path) -> list[Path]:
    """The images of all class folders, sorted; other files are told."""
    if not root.is_dir():
        raise ValueError(f"there is no folder {root}; give the folder that holds one folder a class")
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.name.startswith("."))
    images = [path for path in files if path.suffix.lower() in SUFFIXES and path.parent != root]
    if len(images) < len(files):
        others = sorted(set(files) - set(images))
        _log.warning("%s: left out %d files that are not images in a class folder, such as %s",
                     root, len(others), others[0].relative_to(root))  # fmt: skip
    if not images:
        raise ValueError(f"{root} holds no images in class folders; expected {root}/<class>/<image>.jpg")
    return images


def _digests(paths: list[Path]) -> Iterable[bytes]:
    """The digest of every image, from the cache where the file is unchanged."""
    with _DigestCache() as cache:
        stamps = [_stamp(path) for path in paths]
        known = cache.read(stamps)
        missing = [i for i, stamp in enumerate(stamps) if stamp not in known]
        fresh = _decode([paths[i] for i in missing])
        cache.write({stamps[i]: digest for i, digest in zip(missing, fresh, strict=True)})
    known.update({stamps[i]: digest for i, digest in zip(missing, fresh, strict=True)})
    return [known[stamp] for stamp in stamps]


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{path.resolve()}|{status.st_size}|{status.st_mtime_ns}"


def _decode(paths: list[Path]) -> list[bytes]:
    """Digests by decoding; all unreadable files are named in one error."""
    found: list[bytes] = []
    broken: list[str] = []
    with ThreadPoolExecutor() as pool:
        for result in tqdm(pool.map(_digest_or_error, paths), total=len(paths), desc="reading images",
                           unit="image", disable=None if len(paths) > 200 else True, leave=False):  # fmt: skip
            (found if isinstance(result, bytes) else broken).append(result)  # type: ignore[arg-type]
    if broken:
        more = f" and {len(broken) - 5} more" if len(broken) > 5 else ""
        raise ValueError(f"{len(broken)} of {len(paths)} images cannot be read: {'; '.join(broken[:5])}{more}; "
                         "repair or remove them")  # fmt: skip
    return found


def _digest_or_error(path: Path) -> bytes | str:
    try:
        return image_digest(read_image(path))
    except ValueError as error:
        return str(error)


class _DigestCache:
    """Digests of decoded files in one SQLite file; a damaged or unwritable cache costs time, nothing else."""

    def __enter__(self) -> _DigestCache:
        self._db = sqlite3.connect(make_folder(home()) / "digests.sqlite", timeout=60)
        self._db.execute("CREATE TABLE IF NOT EXISTS digests (stamp TEXT PRIMARY KEY, digest BLOB)")
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def read(self, stamps: list[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for start in range(0, len(stamps), 500):
            part = stamps[start : start + 500]
            marks = ",".join("?" * len(part))
            found.update(self._db.execute(f"SELECT stamp, digest FROM digests WHERE stamp IN ({marks})", part))
        return found

    def write(self, digests: dict[str, bytes]) -> None:
        with self._db:
            self._db.executemany("INSERT OR REPLACE INTO digests VALUES (?, ?)", digests.items())
