"""Places one or two levels above, below or beside the folder of a data set, with the folder to give instead."""

from __future__ import annotations

import fnmatch
import logging
from functools import cache
from pathlib import Path

from fewshot.datasets._claims import claim
from fewshot.datasets._decoding import is_picture
from fewshot.datasets._folder_layout import is_nameless
from fewshot.datasets._image_files import folders_in
from fewshot.datasets._npz_images import holds_images
from fewshot.files.regular import first_bytes
from fewshot.plugins.folder_names import telling_name
from fewshot.plugins.registry import DATASETS
from fewshot.plugins.spec import Spec
from fewshot.plugins.wording import agreeing, counted

_HEADER_BYTES = 1000
_LEVELS = 2  # above and below a folder
_MOST_INSIDE = 50  # folders: more are classes
_MOST_NAMED = 4
_log = logging.getLogger("fewshot")


def check_list(file: Path) -> None:
    """Raises a ValueError for a list that a source reads by the folder around it."""
    if not file.is_file() or _is_manifest(file):
        return
    spec = claim(str(file.parent))
    if spec is not None and _is_list_of(spec, file.name):
        raise ValueError(
            f"{file} is one of the lists of a data set that fewshot reads by its folder; give --data {file.parent}"
        )


def check_folder(folder: Path) -> None:
    """Raises a ValueError for the folders above data sets with lists, and for the folders of images inside one. Folders
    of classes inside one are a choice; the log says so if they bear the name of the data set."""
    above = next((one for one in folder.resolve().parents[:_LEVELS] if claim(str(one)) is not None), None)
    if above is not None and _is_flat(folder):
        raise ValueError(
            f"{folder} holds images without folders of classes, and their lists lie above it; give --data {above}"
        )
    if above is not None and telling_name(folder.resolve()) == telling_name(above):
        _report_without_lists(folder, above)
    claimed, others = _sets_below(folder)
    if len(claimed) == 1 and not others:
        raise ValueError(
            f"{folder} is the folder above a data set that fewshot reads by its lists; give --data {claimed[0]}"
        )
    if claimed:
        more = f", ... ({len(claimed)} in all)" if len(claimed) > _MOST_NAMED else ""
        lie, number = agreeing(len(others), "lies", "lie"), counted(len(others), "other folder")
        beside = f"; beside them {lie} {number}, such as {others[0]}" if others else ""
        raise ValueError(
            f"{folder} is the folder above data sets that fewshot reads by their lists; give one of them: --data "
            f"{', '.join(map(str, claimed[:_MOST_NAMED]))}{more}{beside}"
        )


@cache
def _report_without_lists(folder: Path, above: Path) -> None:
    """Reports, once per process, that a data set with lists is read as folders of classes."""
    _log.info(
        "%s: fewshot reads the folders as classes and ignores the lists in %s, so this is another data set of the same "
        "name; to read the lists, give --data %s",
        folder,
        above,
        above,
    )


def sets_inside(folder: Path, levels: int = _LEVELS) -> list[Path]:
    """The files and folders of data sets in a folder of several, such as that of a benchmark: those that a source
    recognises, and folders that may hold classes."""
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if claim(str(path)) is not None or (path.suffix.lower() == ".npz" and holds_images(path)):
            found.append(path)
        elif path.is_dir() and folders_in(path):
            found += (sets_inside(path, levels - 1) if levels > 1 else []) or [path]
    return found


def _sets_below(folder: Path) -> tuple[list[Path], list[Path]]:
    """The folders of data sets with lists one or two levels below a folder, and the other folders beside them."""
    level = folders_in(folder)
    if not level or len(level) > _MOST_INSIDE:
        return [], []
    deep = sum(len(folders_in(path)) for path in level) <= _MOST_INSIDE
    inside = sets_inside(folder, _LEVELS if deep else 1)
    claimed = [path for path in inside if path.is_dir() and claim(str(path)) is not None]
    above = {path.parent for path in claimed}
    return claimed, sorted({path for one in above for path in folders_in(one)}.difference(claimed, above))


def _is_flat(folder: Path, levels: int = _LEVELS) -> bool:
    """Whether a folder holds images but no folders of classes: its folders are partitions, or bear names such as
    "images"."""
    inside = folders_in(folder)
    if not inside:
        return any(is_picture(name.suffix) for name in folder.iterdir())
    nameless = all(is_nameless(path.name) for path in inside)
    return levels > 0 and nameless and any(_is_flat(path, levels - 1) for path in inside)


def _is_manifest(file: Path) -> bool:
    """Whether a CSV file has a column "path", as a manifest of somebody's own."""
    if file.suffix.lower() != ".csv":
        return False
    header = first_bytes(file, _HEADER_BYTES).partition(b"\n")[0]
    return b"path" in header.lower().replace(b" ", b"").strip().split(b",")


def _is_list_of(spec: Spec, name: str) -> bool:
    """Whether a file with this name is among those by which a source recognises its folder."""
    wanted = DATASETS.signature(spec.name).declared.get("folder_files", ())
    return any(fnmatch.fnmatch(name, pattern) for some in wanted for pattern in some)
