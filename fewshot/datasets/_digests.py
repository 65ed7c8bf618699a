"""Digests of images: every file is decoded once and its digest kept, and copies of one picture are told.

Kept by path, size and time of change, in one small database under $FEWSHOT_HOME. Images in memory need no cache:
70 000 of 28 x 28 pixels take 1.3 s on one core.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from fewshot.datasets import LabelledImages, image_digest
from fewshot.datasets._decoding import read_image
from fewshot.episodes.episodes import Ints
from fewshot.files.atomic import home, make_folder
from fewshot.files.checksums import checked_content, with_checksum

_DECODING = 1  # raised when `decoding.py` makes other pixels of a file: kept digests are of the pixels
_log = logging.getLogger("fewshot")


@dataclass(frozen=True)
class Files:
    """Images that are read from their files when asked for."""

    paths: Sequence[Path]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int, /) -> Image.Image:
        return read_image(self.paths[row])


def tell_copies(name: str, digests: Sequence[bytes], labels: Ints, where: Callable[[int], object]) -> None:
    """Logs how many images of the data set `name` are exact copies of an earlier one, and two of them as `where`
    calls them: a warning inside a class, an error across classes, where one of the labels is wrong."""
    first: dict[bytes, int] = {}
    pairs = [(first.setdefault(digest, row), row) for row, digest in enumerate(digests)]
    copies = [(one, other) for one, other in pairs if one != other]
    across = [(one, other) for one, other in copies if labels[one] != labels[other]]
    within = len(copies) - len(across)
    if within:
        one, other = next((one, other) for one, other in copies if labels[one] == labels[other])
        message = "%s: %s of other images of the same class, such as %s and %s; "
        message += "leave copies out, or one picture may be support and query at once"
        _log.warning(message, name, _exact_copies(within), where(one), where(other))
    if across:
        message = "%s: %s of images of ANOTHER class, such as %s and %s; "
        message += "at least one label of each pair is wrong, so correct it or leave both out"
        _log.error(message, name, _exact_copies(len(across)), where(across[0][0]), where(across[0][1]))


def _exact_copies(count: int) -> str:
    return "1 exact copy" if count == 1 else f"{count} exact copies"


def file_digests(paths: Sequence[Path], where: Callable[[int], str] = lambda row: "") -> list[bytes]:
    """The digest of every image, from the cache where the file is unchanged. All unreadable files are counted in one
    ValueError that names five, each after what `where` says of its row; the digests of the others are kept."""
    stamps = [_stamp(path) for path in paths]
    kept = _read_cache(stamps)
    known = kept or {}
    missing = [i for i, stamp in enumerate(stamps) if stamp not in known]
    decoded = _decode([paths[i] for i in missing])
    fresh = {stamps[i]: digest for i, digest in zip(missing, decoded, strict=True) if isinstance(digest, bytes)}
    if kept is not None and fresh:
        _write_cache(fresh)
    broken = [where(i) + error for i, error in zip(missing, decoded, strict=True) if isinstance(error, str)]
    if broken:
        more = f" and {len(broken) - 5} more" if len(broken) > 5 else ""
        raise ValueError(
            f"{len(broken)} of {len(paths)} images cannot be read: {'; '.join(broken[:5])}{more}; repair or remove them"
        )
    known.update(fresh)
    return [known[stamp] for stamp in stamps]


def kept_digest(path: Path, kind: str, compute: Callable[[], bytes]) -> bytes:
    """The digest (32 bytes) that `compute` finds in a file, from the cache where it was kept for that kind of content
    and the file is unchanged."""
    stamp = hashlib.sha256(kind.encode() + _stamp(path)).digest()
    kept = _read_cache([stamp])
    if kept and stamp in kept:
        return kept[stamp]
    digest = compute()
    if kept is not None:
        _write_cache({stamp: digest})
    return digest


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
    except (sqlite3.Error, OSError, ValueError, OverflowError, MemoryError) as error:  # the last three: damaged values
        _log.warning(
            "the digests kept in %s cannot be read (%s), so all images are decoded; delete that file if it is damaged",
            _cache_path(),
            error,
        )
        return None
    return dict(filter(None, (_believed(stamp, stored) for stamp, stored in found.items())))


def _believed(stamp: object, stored: object) -> tuple[bytes, bytes] | None:
    """The stamp and the digest of an entry; None if its bits changed, or if an older release wrote it without a
    checksum: then the image is decoded once more."""
    if not isinstance(stamp, bytes) or not isinstance(stored, bytes):
        return None
    digest = checked_content(stored, stamp)
    return (stamp, digest) if digest is not None and len(digest) == 32 else None


def _write_cache(digests: dict[bytes, bytes]) -> None:
    try:
        with closing(_open_cache()) as cache, cache:
            entries = ((stamp, with_checksum(digest, stamp)) for stamp, digest in digests.items())
            cache.executemany("INSERT OR REPLACE INTO digests VALUES (?, ?)", entries)
    except (sqlite3.Error, OSError) as error:
        _log.warning("digests cannot be kept in %s (%s), so images are decoded again next time", _cache_path(), error)


def _open_cache() -> sqlite3.Connection:
    make_folder(home())
    cache = sqlite3.connect(_cache_path(), timeout=60)
    cache.text_factory = bytes  # a damaged type makes a text of a digest, which need not be Unicode
    cache.execute("CREATE TABLE IF NOT EXISTS digests (stamp BLOB PRIMARY KEY, digest BLOB)")
    return cache


def _cache_path() -> Path:
    return home() / "digests.sqlite"


def labels_digest(images: LabelledImages) -> str:
    """sha256 hex of the class of every image, in order."""
    names = json.dumps(images.class_names).encode()
    return hashlib.sha256(names + images.labels.astype("<i8").tobytes()).hexdigest()
