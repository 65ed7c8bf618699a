"""Disks of a chosen size that a test can fill, enlarge and write-protect."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Disk:
    """A file system in memory."""

    folder: Path

    def resize(self, size: int) -> None:
        """Gives it another size in bytes."""
        _run("mount", "-o", f"remount,rw,size={size}", str(self.folder))

    def protect(self) -> None:
        """Makes it read-only, for root too."""
        _run("mount", "-o", "remount,ro", str(self.folder))


@contextmanager
def disk(folder: Path, size: int) -> Iterator[Disk]:
    """A file system of so many bytes in a folder; an OSError where this process may not mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        yield Disk(folder)
    finally:
        _run("umount", "--lazy", str(folder))


def mountable(folder: Path) -> bool:
    """Whether this process may mount a file system: root outside of most containers."""
    try:
        with disk(folder, 1 << 16):
            return True
    except OSError:
        return False


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        raise OSError(error.stderr.strip()) from error
