"""A user's own images: one folder a class."""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from fewshot.datasets import Dataset, Group, LabelledImages, image_digest, images_digest
from fewshot.decoding import SUFFIXES, read_image
from fewshot.files import home, make_folder

PARTITIONS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing"})
_DECODING = 1  # raised when `decoding.py` makes other pixels of a file: kept digests are of the pixels
_log = logging.getLogger("fewshot")


@dataclass(frozen=True)
class ImageFolderSet(Dataset):
    """Images in `root/class/...`, or `root/train/class/...` and `root/test/class/...`: any size, mode and format.

    Hidden files and folders are ignored, links are followed. Every file is decoded once when the folder is first
    seen, so that unreadable ones are named before anything is computed, and its digest is kept by path, size and
    time of change.
    """

    root: Path

    def load(self) -> LabelledImages:
        """All images, sorted by path. Unreadable images are a ValueError that names them."""
        root = Path(self.root)
        paths = _image_paths(root)
        parts = [path.relative_to(root).parts for path in paths]
        partitioned = _partitioned(root, parts)
        class_of = [p[1] if partitioned else p[0] for p in parts]
        class_names, labels = np.unique(class_of, return_inverse=True)
        groups = {"partition": Group.of(p[0] for p in parts)} if partitioned else {}
        return LabelledImages(
            name=root.resolve().name,
            images=_Files(paths),
            labels=labels.astype(np.int64),
            class_names=tuple(class_names.tolist()),
            images_digest=images_digest(_digests(paths)),
            image_groups=groups,
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


@dataclass(frozen=True)
class _Files:
    paths: list[Path]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int, /) -> Image.Image:
        return read_image(self.paths[row])


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


def _digests(paths: list[Path]) -> list[bytes]:
    """The digest of every image, from the cache where the file is unchanged. All unreadable files are named in one
    error, after the digests of the others were kept."""
    stamps = [_stamp(path) for path in paths]
    kept = _read_cache(stamps)
    known = kept or {}
    missing = [i for i, stamp in enumerate(stamps) if stamp not in known]
    decoded = _decode([paths[i] for i in missing])
    fresh = {stamps[i]: digest for i, digest in zip(missing, decoded, strict=True) if isinstance(digest, bytes)}
    if kept is not None and fresh:
        _write_cache(fresh)
    broken = [error for error in decoded if isinstance(error, str)]
    if broken:
        more = f" and {len(broken) - 5} more" if len(broken) > 5 else ""
        raise ValueError(
            f"{len(broken)} of {len(paths)} images cannot be read: {'; '.join(broken[:5])}{more}; repair or remove them"
        )
    known.update(fresh)
    return [known[stamp] for stamp in stamps]


def _stamp(path: Path) -> bytes:
    """Names a file as it is now; another decoder, a move or any change of the file gives another name."""
    try:
        status = path.stat()
        state = f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"
    except OSError:
        state = "none"
    return hashlib.sha256(f"{_DECODING} {state} ".encode() + os.fsencode(path.resolve())).digest()


def _decode(paths: list[Path]) -> list[bytes | str]:
    """The digest of every image, or what is wrong with it."""
    with ThreadPoolExecutor() as pool:
        return list(
            tqdm(
                pool.map(_digest_or_error, paths),
                total=len(paths),
                desc="reading images",
                unit="image",
                disable=None if len(paths) > 200 else True,
                leave=False,
            )
        )


def _digest_or_error(path: Path) -> bytes | str:
    try:
        return image_digest(read_image(path))
    except ValueError as error:
        return str(error)


def _read_cache(stamps: list[bytes]) -> dict[bytes, bytes] | None:
    """Kept digests by stamp, or None: a damaged or unreadable cache costs time, nothing else."""
    found: dict[bytes, bytes] = {}
    try:
        with closing(_open_cache()) as cache:
            for start in range(0, len(stamps), 500):
                part = stamps[start : start + 500]
                marks = ",".join("?" * len(part))
                found.update(cache.execute(f"SELECT stamp, digest FROM digests WHERE stamp IN ({marks})", part))
    except (sqlite3.Error, OSError) as error:
        _log.warning(
            "the digests kept in %s cannot be read (%s), so all images are decoded; delete that file if it is damaged",
            _cache_path(),
            error,
        )
        return None
    return {stamp: digest for stamp, digest in found.items() if isinstance(digest, bytes) and len(digest) == 32}


def _write_cache(digests: dict[bytes, bytes]) -> None:
    try:
        with closing(_open_cache()) as cache, cache:
            cache.executemany("INSERT OR REPLACE INTO digests VALUES (?, ?)", digests.items())
    except (sqlite3.Error, OSError) as error:
        _log.warning("digests cannot be kept in %s (%s), so images are decoded again next time", _cache_path(), error)


def _open_cache() -> sqlite3.Connection:
    make_folder(home())
    cache = sqlite3.connect(_cache_path(), timeout=60)
    cache.execute("CREATE TABLE IF NOT EXISTS digests (stamp BLOB PRIMARY KEY, digest BLOB)")
    return cache


def _cache_path() -> Path:
    return home() / "digests.sqlite"
