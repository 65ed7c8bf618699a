"""The cache of digests and facts: one small database under $FEWSHOT_HOME, by path, size and times of a file."""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from fewshot.files.atomic import home, make_folder
from fewshot.files.checksums import checked_content, with_checksum

_DECODING = 3  # raised when a file decodes to other pixels or facts: the cache holds those of its version
_log = logging.getLogger("fewshot")


def kept_digest(path: Path, kind: str, compute: Callable[[], bytes]) -> bytes:
    """The digest (32 bytes) of the content of a file, from the cache if the file is unchanged, else from `compute`;
    `kind` is that of the content."""
    stamp = stamp_of(kind, file_stamp(path))
    kept = read_cache([stamp])
    if kept and stamp in kept:
        return kept[stamp]
    digest = compute()
    if kept is not None:
        write_cache({stamp: digest})
    return digest


def file_stamp(path: Path, folders: dict[str, str] | None = None) -> bytes:
    """A key for a file as it is now: another decoder, a move or a change of the file gives another key. `folders`:
    where folders really are, which stamps of many files look up once."""
    try:
        status = path.stat()
        state = f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"
    except OSError:
        state = "none"
    return hashlib.sha256(f"{_DECODING} {state} ".encode() + os.fsencode(_real_path(path, folders))).digest()


def _real_path(path: Path, folders: dict[str, str] | None) -> str:
    """The path without links."""
    folder, name = os.path.split(path)
    if folders is None or os.path.islink(path) or name in ("", ".", ".."):
        return os.path.realpath(path)
    if folder not in folders:
        folders[folder] = os.path.realpath(folder)
    return os.path.join(folders[folder], name)


def stamp_of(part: str, stamp: bytes) -> bytes:
    """A key for a part or a use of what has this key."""
    return hashlib.sha256(part.encode() + stamp).digest()


def read_cache(stamps: list[bytes]) -> dict[bytes, bytes] | None:
    """Cached content by stamp, or None: a damaged or unreadable cache costs time, nothing else."""
    found: dict[bytes, bytes] = {}
    try:
        with closing(_open_cache()) as cache:
            for start in range(0, len(stamps), 500):
                part = stamps[start : start + 500]
                marks = ",".join("?" * len(part))
                found.update(cache.execute(f"SELECT stamp, digest FROM digests WHERE stamp IN ({marks})", part))
    except (sqlite3.Error, OSError, ValueError, OverflowError, MemoryError) as error:  # the last three: damaged values
        _log.warning(
            "the digests in %s cannot be read (%s), so all images are decoded; delete that file if it is damaged",
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
    return (stamp, digest) if digest is not None and len(digest) >= 32 else None


def write_cache(contents: Mapping[bytes, bytes]) -> None:
    """Keeps contents by stamp, each a digest of 32 bytes that facts may follow."""
    try:
        with closing(_open_cache()) as cache, cache:
            entries = ((stamp, with_checksum(digest, stamp)) for stamp, digest in contents.items())
            cache.executemany("INSERT OR REPLACE INTO digests VALUES (?, ?)", entries)
    except (sqlite3.Error, OSError) as error:
        _log.warning("digests cannot be cached in %s (%s), so images are decoded again next time", _cache_path(), error)


def _open_cache() -> sqlite3.Connection:
    make_folder(home())
    cache = sqlite3.connect(_cache_path(), timeout=60)
    cache.text_factory = bytes  # a damaged type makes a text of a digest, which need not be Unicode
    cache.execute("CREATE TABLE IF NOT EXISTS digests (stamp BLOB PRIMARY KEY, digest BLOB)")
    return cache


def _cache_path() -> Path:
    return home() / "digests.sqlite"
