"""Pictures inside .tar files, where nothing is unpacked: an index of places, then reading in order.

A tar file from elsewhere is not trusted: links, devices, sparse files, absolute paths and paths that lead upwards are
refused or passed over, and sizes are checked before anything is read.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from fewshot.datasets._decoding import Encoded, is_picture, read_image
from fewshot.datasets._depth import Scales
from fewshot.datasets._kept_digests import file_stamp, stamp_of
from fewshot.datasets._pictures import PictureFacts, facts_of_file
from fewshot.files.quoting import message, quoted, shortened
from fewshot.files.regular import check_regular

_LARGEST_TEXT = 1 << 16  # bytes of a label
_LARGEST_IMAGE = 1 << 30
_LARGEST_HEADER = 1 << 20  # of extended headers: tarfile reads them whole
_END_MARK = bytes(2 * tarfile.BLOCKSIZE)
_LONGEST_TAIL = 1 << 16  # bytes after the last member that are read: writers fill up 10,240


@dataclass(frozen=True, slots=True)
class Sample:
    """One image of a shard: its key, the place and the number of its bytes, and its label as written."""

    shard: int
    key: str
    name: str
    offset: int
    size: int
    label: str


@dataclass(frozen=True, eq=False)
class ShardImages:
    """Images read from their places in .tar files, on this machine or behind URLs."""

    shards: Sequence[str]
    samples: Sequence[Sample]
    scales: Scales = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, row: int, /) -> Image.Image:
        return read_image(self._encoded(row), self.scales)

    def scaled(self, scales: Scales) -> ShardImages:
        """The same images with these scales."""
        return replace(self, scales=scales)

    def facts(self, row: int) -> PictureFacts:
        """The facts of an image; a ValueError names an unreadable one."""
        return facts_of_file(self._encoded(row))

    def stamps(self) -> list[bytes]:
        """A key for each image: by its shard as it is now, and its place there."""
        keys = [_stamp_of_shard(shard) for shard in self.shards]
        return [stamp_of(f"{sample.offset} {sample.size} ", keys[sample.shard]) for sample in self.samples]

    def _encoded(self, row: int) -> Encoded:
        sample = self.samples[row]
        shard = self.shards[sample.shard]
        return Encoded(_content(shard, sample), f"{shard}/{sample.name}")


def samples_of(shard: str, number: int) -> Iterator[Sample]:
    """The images of one shard in their order. An image without a label, a label that is no text, and a shard without
    tar's end mark are ValueErrors."""
    images: dict[str, tuple[str, int, int]] = {}
    labels: dict[str, str] = {}
    with opened(shard) as file, _as_sentences(shard), tarfile.open(fileobj=file, mode="r:", tarinfo=_Bounded) as tar:
        for member in tar:
            key, suffix = _key(shard, member)
            if not member.isreg() or member.issparse():
                _refuse_link(shard, member)
            elif suffix == ".cls":
                labels[key] = _label(shard, file, member)
            elif is_picture(suffix):
                if key in images:
                    raise ValueError(f"{shard}: the sample {quoted(key)} has two images; keep one")
                _check_size(shard, member, _LARGEST_IMAGE)
                images[key] = member.name, member.offset_data, member.size
        _check_end(shard, file, tar.offset)
    without = [key for key in images if key not in labels]
    if without:
        raise ValueError(
            f"{shard}: {len(without)} of {len(images)} images have no label, such as "
            f"{quoted(without[0])}; each needs a file "
            f"{shortened(without[0])}.cls"
        )
    yield from (Sample(number, key, *place, labels[key]) for key, place in images.items())


def is_of_shards(shard: Path) -> bool:
    """Whether the first members of a .tar file are samples with labels; False if it cannot be read."""
    try:
        with opened(str(shard)) as file, tarfile.open(fileobj=file, mode="r:", tarinfo=_Bounded) as tar:
            return any(member.name.endswith(".cls") for member, _ in zip(tar, range(32), strict=False))
    except (OSError, ValueError, tarfile.TarError):
        return False


@contextmanager
def opened(shard: str) -> Iterator[BinaryIO]:
    """The bytes of a shard, by its path or by a URL (through fsspec)."""
    if "://" not in shard:
        with open(check_regular(Path(shard), "shard"), "rb") as file:
            yield file
        return
    try:
        import fsspec
    except ImportError as error:
        raise ValueError(f"{shard} is a URL, which needs the package fsspec: pip install 'fewshot[hub]'") from error
    try:
        remote = fsspec.open(shard, "rb").open()
    except Exception as error:  # of any kind: of the network, of credentials, of a missing package
        cause = str(error).partition("\n")[0] or type(error).__name__
        raise ValueError(f"cannot open {shard}: {cause}; copy the shards here and give their folder") from error
    with remote:
        yield remote


def _content(shard: str, sample: Sample) -> bytes:
    """The bytes of an image; behind a URL, only these are asked for."""
    if "://" in shard:
        import fsspec

        system, path = fsspec.core.url_to_fs(shard)
        return bytes(system.cat_file(path, start=sample.offset, end=sample.offset + sample.size))
    with opened(shard) as file:
        file.seek(sample.offset)
        return file.read(sample.size)


class _Bounded(tarfile.TarInfo):
    """A member whose extended header is refused if it is larger than any name needs."""

    def _proc_member(self, tar: tarfile.TarFile) -> Any:
        if self.type in _EXTENDED and self.size > _LARGEST_HEADER:
            raise tarfile.HeaderError(f"an extended header of {self.size:,} bytes")
        return super()._proc_member(tar)  # type: ignore[misc]


_EXTENDED = (
    tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE,
)  # fmt: skip


@contextmanager
def _as_sentences(shard: str) -> Iterator[None]:
    """Errors of the tar format as ValueErrors that name the shard."""
    try:
        yield
    except (tarfile.TarError, EOFError, UnicodeError, OverflowError) as error:
        raise ValueError(f"{shard} is no tar file, or it is damaged ({message(error)}); fetch it again") from error


def _key(shard: str, member: tarfile.TarInfo) -> tuple[str, str]:
    """The key and the suffix of a member: "a/0001.seg" and ".png" of "a/0001.seg.png" by the first dot of its name."""
    folder, _, file = member.name.removeprefix("./").rpartition("/")
    if member.name.startswith("/") or ".." in member.name.split("/"):
        raise ValueError(
            f"{shard}: the member {member.name[:80]!r} leads out of the shard; fetch it from its publisher"
        )
    stem, _, suffix = file.partition(".")
    return f"{folder}/{stem}" if folder else stem, f".{suffix.lower()}"


def _refuse_link(shard: str, member: tarfile.TarInfo) -> None:
    if not member.isdir():
        raise ValueError(f"{shard}: the member {member.name[:80]!r} is a link, a device or a sparse file, not a file")


def _label(shard: str, file: BinaryIO, member: tarfile.TarInfo) -> str:
    """The text of a .cls file; reading continues where it was."""
    _check_size(shard, member, _LARGEST_TEXT)
    place = file.tell()
    file.seek(member.offset_data)
    content = file.read(member.size)
    file.seek(place)
    try:
        text = content.decode().strip()
    except UnicodeDecodeError as error:
        raise ValueError(f"{shard}: the label {quoted(member.name)} is not UTF-8: {error}") from error
    if not text or "\0" in text or "\n" in text:
        raise ValueError(f"{shard}: the label {quoted(member.name)} must be a number or a name, found {text[:40]!r}")
    return text


def _check_end(shard: str, file: BinaryIO, end: int) -> None:
    """Raises a ValueError unless two blocks of zeros, and only zeros, follow the last member, which ends at `end`.

    tarfile takes the end of the file, and anything that is no header, for the end of the members."""
    file.seek(end)
    tail = file.read(_LONGEST_TAIL)
    ragged = len(tail) < _LONGEST_TAIL and len(tail) % tarfile.BLOCKSIZE
    if len(tail) < len(_END_MARK) or (ragged and not any(tail)):
        raise ValueError(f"{shard} ends without tar's end mark; it was cut: fetch it again")
    if not tail.startswith(_END_MARK):
        raise ValueError(f"{shard} is no tar file from byte {end:,} on; it is damaged: fetch it again")
    if any(tail):
        raise ValueError(
            f"{shard} goes on after tar's end mark, as if it were several .tar files in one; give each as its own file"
        )


def _check_size(shard: str, member: tarfile.TarInfo, most: int) -> None:
    if member.size > most:
        raise ValueError(
            f"{shard}: the member {member.name[:80]!r} has {member.size:,} bytes; expected at most {most:,}"
        )


def _stamp_of_shard(shard: str) -> bytes:
    if "://" not in shard:
        return file_stamp(Path(shard))
    import fsspec

    system, path = fsspec.core.url_to_fs(shard)
    return stamp_of(f"{shard} {system.ukey(path)}", os.fsencode(shard))
