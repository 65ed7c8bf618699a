"""Damaged zip files: torch and numpy do not compare the checksums of members that they read in place."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

_READ_BYTES = 1 << 20  # at once


def changed_members(path: Path) -> list[str]:
    """The members of a zip file whose bits are not those of their checksums; none for other files.

    If none of several members matches, the writer stored no checksums (torch.serialization.set_crc32_options(False)),
    and the list is empty too.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if member.file_size]
            changed = [member.filename for member in members if _is_changed(archive, member)]
    except (zipfile.BadZipFile, NotImplementedError):
        return []  # the reader of the file says what is wrong
    return changed if len(changed) < len(members) or len(members) == 1 else []


def _is_changed(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # torch writes no others
        return True
    try:
        with archive.open(member) as stream:
            while stream.read(_READ_BYTES):  # the last read compares the checksum
                pass
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError):  # the last one: marked as encrypted
        return True
    return False
