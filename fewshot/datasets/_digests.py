"""Images in files and archives: every image is decoded once, and its digest and facts are cached.

The cache is one small database under $FEWSHOT_HOME, by path, size and times of a file. Images in memory need no cache:
70 000 images of 28 x 28 pixels take 1.3 s on one core.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol, Self, TypeVar, runtime_checkable

from PIL import Image

from fewshot.datasets import LabelledImages, image_digest
from fewshot.datasets._decoding import read_image
from fewshot.datasets._depth import Scales, scales_of
from fewshot.datasets._image_files import not_unicode
from fewshot.datasets._pictures import PictureFacts, blank_rows, check_content, facts_of_file, warn_pictures
from fewshot.episodes.flat import Ints
from fewshot.files.atomic import home, make_folder
from fewshot.files.checksums import checked_content, with_checksum
from fewshot.files.progress import with_progress
from fewshot.plugins.fields import integer
from fewshot.plugins.wording import counted

_LARGEST_SIDE = 65_535  # of a JPEG picture: a draft of more would change no picture, under another name
DRAFT = integer(1, _LARGEST_SIDE + 1).worded(f"a number of pixels from 1 to {_LARGEST_SIDE:,}, the largest of JPEG")
_DECODING = 3  # raised when a file decodes to other pixels or facts: the cache holds those of its version
_log = logging.getLogger("fewshot")
_Found = TypeVar("_Found")
Pair = tuple[int, int]


@runtime_checkable
class Pictures(Protocol):
    """Encoded images, decoded on access; `scales` make 8-bit pictures of deeper ones."""

    @property
    def scales(self) -> Scales: ...
    def __len__(self) -> int: ...
    def __getitem__(self, row: int, /) -> Image.Image: ...
    def scaled(self, scales: Scales) -> Self: ...
    def stamps(self) -> list[bytes]: ...  # a key for each image as it is now; the cache holds facts by these keys
    def facts(self, row: int) -> PictureFacts: ...  # a ValueError names an unreadable image


P = TypeVar("P", bound=Pictures)


@dataclass(frozen=True)
class Files:
    """Images read from their files on access; `scales` make 8-bit pictures of deeper ones. `draft`: JPEG pictures are
    decoded at a part of their size, both sides of at least so many pixels."""

    paths: Sequence[Path]
    scales: Scales = field(default_factory=dict)
    draft: int | None = None

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int, /) -> Image.Image:
        return read_image(self.paths[row], self.scales, self.draft)

    def scaled(self, scales: Scales) -> Files:
        """The same files with these scales."""
        return replace(self, scales=scales)

    def stamps(self) -> list[bytes]:
        """A key for each file as it is now."""
        folders: dict[str, str] = {}
        stamps = [file_stamp(path, folders) for path in self.paths]
        return stamps if self.draft is None else [stamp_of(f"draft {self.draft}", stamp) for stamp in stamps]

    def facts(self, row: int) -> PictureFacts:
        """The facts of the picture in a file."""
        return facts_of_file(self.paths[row], self.draft)


def open_files(
    name: str,
    paths: Sequence[Path],
    labels: Ints,
    where: Callable[[int], object],
    line: Callable[[int], str] = lambda row: "",
    draft: int | None = None,
) -> tuple[Files, list[bytes]]:
    """The images in these files, decoded with this `draft`, and the digest of every decoded image.

    A ValueError counts unreadable files and names five, each after `line` of its row. Warnings report copies and
    pictures that look wrong, by `where` of their rows; `name` is that of the data set.
    """
    _check_names(name, paths)
    return open_pictures(name, Files(paths, draft=draft), labels, where, line)


def open_pictures(
    name: str,
    pictures: P,
    labels: Ints,
    where: Callable[[int], object],
    line: Callable[[int], str] = lambda row: "",
) -> tuple[P, list[bytes]]:
    """The pictures with their scales, and the digest of every decoded one; with errors and warnings as `open_files`."""
    facts = picture_facts(pictures, line)
    scales = scales_of((picture.kind, picture.low, picture.high) for picture in facts)
    check_content(name, facts, scales, where)
    scaled = pictures.scaled(scales)
    digests = _digests(scaled, facts)
    warn_pictures(name, facts, scales, where)
    warn_copies(name, digests, labels, where, blank_rows(facts))
    return scaled, digests


def _check_names(name: str, paths: Sequence[Path]) -> None:
    """Raises a ValueError for a file or folder whose name is not UTF-8."""
    for path in paths:
        try:
            str(path).encode()
        except UnicodeEncodeError as error:
            part = next(part for part in path.parts if any("\ud800" <= letter <= "\udfff" for letter in part))
            raise not_unicode("file" if part == path.name else "folder", os.path.join(name, part)) from error


def picture_facts(pictures: Pictures, line: Callable[[int], str] = lambda row: "") -> list[PictureFacts]:
    """The facts of every picture, from the cache if it is unchanged. A ValueError counts unreadable images and names
    five, each after `line` of its row; the facts of the others are cached."""
    stamps = pictures.stamps()
    kept = _read_cache(stamps)
    known = {stamp: facts for stamp, content in (kept or {}).items() if (facts := PictureFacts.unpacked(content))}
    missing = [row for row, stamp in enumerate(stamps) if stamp not in known]
    looks = _in_threads(partial(_facts_or_error, pictures), missing)
    fresh = {stamps[row]: look for row, look in zip(missing, looks, strict=True) if isinstance(look, PictureFacts)}
    if kept is not None and fresh:
        _write_cache({stamp: facts.packed() for stamp, facts in fresh.items()})
    broken = [line(row) + look for row, look in zip(missing, looks, strict=True) if isinstance(look, str)]
    if broken:
        more = f" and {len(broken) - 5} more" if len(broken) > 5 else ""
        raise ValueError(
            f"{len(broken)} of {len(stamps)} images cannot be read: {'; '.join(broken[:5])}{more}; repair or remove "
            "them"
        )
    known.update(fresh)
    return [known[stamp] for stamp in stamps]


def _digests(pictures: Pictures, facts: Sequence[PictureFacts]) -> list[bytes]:
    """The digest of every decoded image; deep pictures are decoded with their scale, once."""
    deep = [row for row, picture in enumerate(facts) if picture.deep]
    digests = [picture.digest for picture in facts]
    if not deep:
        return digests
    own, scales = pictures.stamps(), pictures.scales
    stamps = {row: stamp_of(f"{facts[row].kind} {scales[facts[row].kind]!r}", own[row]) for row in deep}
    kept = _read_cache(list(stamps.values()))
    known = {row: kept[stamp] for row, stamp in stamps.items() if stamp in kept} if kept else {}
    missing = [row for row in deep if row not in known]
    found = _in_threads(lambda row: image_digest(pictures[row]), missing)
    if kept is not None and missing:
        _write_cache({stamps[row]: digest for row, digest in zip(missing, found, strict=True)})
    for row, digest in {**known, **dict(zip(missing, found, strict=True))}.items():
        digests[row] = digest
    return digests


def exact_copies(digests: Sequence[bytes], labels: Ints) -> tuple[list[Pair], list[Pair]]:
    """The pairs of an image and a later exact copy of it: within a class, and across classes."""
    first: dict[bytes, int] = {}
    pairs = [(first.setdefault(digest, row), row) for row, digest in enumerate(digests)]
    copies = [(one, other) for one, other in pairs if one != other]
    same = [pair for pair in copies if labels[pair[0]] == labels[pair[1]]]
    return same, [pair for pair in copies if labels[pair[0]] != labels[pair[1]]]


def warn_copies(
    name: str,
    digests: Sequence[bytes],
    labels: Ints,
    where: Callable[[int], object],
    blank: frozenset[int] = frozenset(),
) -> None:
    """Logs the number of exact copies of earlier images of the data set `name` and names a pair by `where`: copies in
    one class, and copies across classes, of which one label is wrong. Copies across classes do not count if they are
    `blank`: `warn_pictures` reports these."""
    within, across = exact_copies(digests, labels)
    across = [pair for pair in across if pair[1] not in blank]
    if within:
        one, other = within[0]
        message = "%s: %s of other images of the same class, such as %s and %s; "
        message += "remove copies, or one picture may be support and query at once"
        _log.warning(message, name, _exact_copies(len(within)), where(one), where(other))
    if across:
        message = "%s: %s of images of ANOTHER class, such as %s and %s; "
        message += "at least one label of each pair is wrong: correct it or remove both images"
        _log.warning(message, name, _exact_copies(len(across)), where(across[0][0]), where(across[0][1]))


def _exact_copies(count: int) -> str:
    return counted(count, "exact copy")


def kept_digest(path: Path, kind: str, compute: Callable[[], bytes]) -> bytes:
    """The digest (32 bytes) of the content of a file, from the cache if the file is unchanged, else from `compute`;
    `kind` is that of the content."""
    stamp = stamp_of(kind, file_stamp(path))
    kept = _read_cache([stamp])
    if kept and stamp in kept:
        return kept[stamp]
    digest = compute()
    if kept is not None:
        _write_cache({stamp: digest})
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


def _in_threads(look: Callable[[int], _Found], rows: Sequence[int]) -> list[_Found]:
    """The results for all rows, in their order."""
    if not rows:
        return []
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as pool:
        return list(with_progress(pool.map(look, rows), len(rows), "reading images", "image", len(rows) > 200))


def _facts_or_error(pictures: Pictures, row: int) -> PictureFacts | str:
    try:
        return pictures.facts(row)
    except ValueError as error:
        return str(error)


def _read_cache(stamps: list[bytes]) -> dict[bytes, bytes] | None:
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


def _write_cache(contents: Mapping[bytes, bytes]) -> None:
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


def named_labels_digest(images: LabelledImages) -> str:
    """sha256 hex of the classes of all images, in order."""
    names = json.dumps(images.class_names).encode()
    return hashlib.sha256(names + images.labels.astype("<i8").tobytes()).hexdigest()
