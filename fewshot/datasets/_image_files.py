"""The image files below a folder."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fewshot.datasets._decoding import is_picture

_log = logging.getLogger("fewshot")
_LEFT_BY_PROGRAMS = frozenset({"__macosx", "@eadir"})  # by the archiver of macOS, and thumbnails by a NAS


@dataclass(frozen=True)
class ImageFiles:
    """The images in the folders below `root`, sorted, and what else is there."""

    root: Path
    images: list[Path]
    others: list[Path]  # files that are not images in a class folder
    empty: list[Path]  # folders without images
    special: list[Path]  # pipes, sockets and devices, which can block or never end
    loops: list[Path]  # links to a folder that contains them

    @staticmethod
    def below(root: Path) -> ImageFiles:
        """The files below a folder. Hidden ones are ignored, links are followed; reading reports a broken link."""
        if not root.is_dir():
            raise ValueError(f"there is no folder {root}; give the folder that contains one folder per class")
        images: list[Path] = []
        others: list[Path] = []
        empty: list[Path] = []
        special: list[Path] = []
        loops: list[Path] = []
        above: dict[str, frozenset[str]] = {}  # by folder: where it and the folders above it really are
        for folder, folders, names in os.walk(root, onerror=_unreadable, followlinks=True):
            chain = above[folder] = above.get(os.path.dirname(folder), frozenset()) | {os.path.realpath(folder)}
            inside = [name for name in folders if not is_hidden(name)]
            folders[:] = [name for name in inside if not _holds(os.path.join(folder, name), chain)]
            loops += [Path(folder, name) for name in inside if name not in folders]
            files = [Path(folder, name) for name in names if not is_hidden(name)]
            odd = {path for path in files if not path.is_file() and path.exists()}
            special += odd
            files = [path for path in files if path not in odd]
            good = [path for path in files if is_picture(path.suffix) and path.parent != root]
            if good:
                _check_name(root, Path(folder))
            images += good
            others += set(files).difference(good)
            if not folders and not good:
                empty.append(Path(folder))
        return ImageFiles(root, sorted(images), others, empty, special, loops)

    def warn(self, log: logging.Logger = _log) -> None:
        """Warns of skipped files and folders; no image at all is a ValueError."""
        warn_skipped(self.root, self.special, "pipe, socket or device", "pipes, sockets or devices", log)
        several = "links to folders that contain them"
        warn_skipped(self.root, self.loops, "link to a folder that contains it", several, log)
        if not self.images and any(path.suffix == ".parquet" for path in self.others):
            spec = f"HuggingFaceSet(path={str(self.root)!r}, image='...', label='...')"
            raise ValueError(
                f"{self.root} has no images in class folders, but parquet files; if they hold images, name the "
                f'columns: --data "{spec}"'
            )
        if not self.images:
            raise ValueError(f"{self.root} has no images in class folders; expected {self.root}/<class>/<image>.jpg")
        several = "files that are not images in a class folder"
        warn_skipped(self.root, self.others, "file that is not an image in a class folder", several, log)
        warn_skipped(self.root, self.empty, "folder without images", "folders without images", log)


def is_hidden(name: str) -> bool:
    """Whether a file or folder with this name is ignored: hidden ones, and those that programs leave behind."""
    return name.startswith(".") or name.casefold() in _LEFT_BY_PROGRAMS


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder that are not ignored, sorted; none where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_dir() and not is_hidden(entry.name))
    except OSError:
        return []


def warn_skipped(root: Path, skipped: Iterable[Path], one: str, several: str, log: logging.Logger = _log) -> None:
    """Warns of skipped paths below `root`, if any: how many, and the first."""
    paths = sorted(skipped)
    if paths:
        what = one if len(paths) == 1 else several
        log.warning("%s: skipped %d %s, such as %s", root, len(paths), what, shown(paths[0].relative_to(root)))


def shown(path: Path | str) -> str:
    """The path as text that any terminal prints: bytes that are not UTF-8 as escapes, such as \\xe9."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _check_name(root: Path, folder: Path) -> None:
    """Raises a ValueError if the name of a folder of images, and so the name of a class, is not UTF-8."""
    name = os.path.join(root.resolve().name, folder.relative_to(root))
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise not_unicode("folder", name) from error


def not_unicode(what: str, name: str) -> ValueError:
    """The error about a file or folder whose name is not UTF-8: it cannot be hashed, printed or written."""
    return ValueError(
        f"the name of the {what} '{shown(name)}' is not UTF-8 (perhaps Latin-1); rename it, for example with "
        "convmv -r -f latin1 -t utf8 --notest"
    )


def _holds(link: str, above: Iterable[str]) -> bool:
    """Whether a link points to a folder above it, or to one that contains such a folder: following it never ends."""
    target = os.path.realpath(link)
    return any(os.path.commonpath([target, folder]) == target for folder in above)


def _unreadable(error: OSError) -> None:
    raise ValueError(f"cannot read the folder {error.filename}: {error.strerror}") from error
