"""Your own images: a CSV file with one line per image.

path,label,partition,camera,class:family
img/0001.jpg,gull,train,north,Laridae
img/0002.jpg,wren,test,south,Troglodytidae
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from fewshot.datasets import Dataset, Group, LabelledImages, images_digest
from fewshot.datasets._class_names import SILENT, check_labels, joined_spellings
from fewshot.datasets._digests import open_files
from fewshot.datasets._partitions import check_partitions, report_partitions, split_rule, with_partitions
from fewshot.episodes.episodes import Ints
from fewshot.files.csv_files import CsvFile
from fewshot.files.regular import remembered

_CLASS = "class:"  # prefix of the columns that describe classes, not images
_log = logging.getLogger("fewshot")


@dataclass(frozen=True)
class Manifest(Dataset):
    """Images listed in a CSV file with the columns path and label. Each further column is an image group, such as
    partition, or a class group if its name starts with "class:", such as "class:superclass".

    Rows keep the order of the lines. Paths are relative to `root` (default: the folder of the CSV file) and must stay
    inside it. The file is UTF-8, separated by commas. Every new image is decoded once, as in `ImageFolderSet`.
    Partitions with usual names (train, val, test, ...) that hold different classes are the default split.
    """

    short_name: ClassVar[str] = "[{path:stem}|manifest]"

    path: Path
    root: Path | None = None

    def default_split(self) -> str | None:
        """The split by partitions, if they hold different classes; else None."""
        return remembered(_rule_of, Path(self.path))

    def load(self) -> LabelledImages:
        """All images in the order of the lines; a ValueError names the lines with mistakes."""
        file = Path(self.path)
        lines = _Lines.read(file)
        root = file.parent if self.root is None else Path(self.root)
        paths = _image_paths(lines, root)
        class_names, labels = lines.classes(_log)
        where = [f"line {number}" for number in lines.number]
        image_groups = {name: Group.of(lines.columns[name]) for name in lines.group_names()}
        check_partitions(image_groups, where.__getitem__, str(file))
        files, digests = open_files(str(file), paths, labels, where.__getitem__, lambda row: f"{where[row]}: ")
        check_labels(class_names, labels, str(file))
        class_groups = {
            name.removeprefix(_CLASS): _class_group(lines, name, labels)
            for name in lines.columns
            if name.startswith(_CLASS)
        }
        own = with_partitions(image_groups, class_groups, labels, len(class_names))
        report_partitions(image_groups.get("partition"), own.get("partition"), labels, str(file))
        return LabelledImages(
            name=file.stem,
            images=files,
            labels=labels,
            class_names=class_names,
            images_digest=images_digest(digests),
            image_groups=image_groups,
            class_groups=own,
            image_names=[str(path)[len(_within(root)) :] for path in paths],
        )


@dataclass(frozen=True)
class _Lines:
    """The columns of a manifest, and the number of each row's last line."""

    file: Path
    columns: dict[str, list[str]]
    number: list[int]

    @staticmethod
    def read(file: Path) -> _Lines:
        """A checked manifest: valid column names, and a path and a label in every row."""
        read = CsvFile.read(file, "manifest", ("path", "label"), further=None)
        columns = read.columns
        _check_groups(file, tuple(columns))
        lines = _Lines(file, columns, read.number)
        lines.refuse(lambda row: not columns["path"][row], "rows have no path", "fill it in", "label")
        lines.refuse(lambda row: not columns["label"][row], "rows have no label", "fill it in")
        return lines

    def classes(self, log: logging.Logger) -> tuple[tuple[str, ...], Ints]:
        """The class names, and the label [n] of each row."""
        joined = joined_spellings(self.columns["label"], str(self.file), log)
        names, labels = np.unique([joined.get(n, n) for n in self.columns["label"]], return_inverse=True)
        return tuple(names.tolist()), labels.astype(np.int64)

    def group_names(self) -> list[str]:
        """The columns that are image groups."""
        return [name for name in self.columns if name not in ("path", "label") and not name.startswith(_CLASS)]

    def refuse(self, wrong: Callable[[int], bool], what: str, advice: str, show: str = "path") -> None:
        """Raises a ValueError that counts the wrong rows and names the first five."""
        rows = [row for row in range(len(self.number)) if wrong(row)]
        if rows:
            named = ", ".join(f"{self.columns[show][row] or '?'} (line {self.number[row]})" for row in rows[:5])
            more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
            raise ValueError(f"{self.file}: {len(rows)} of {len(self.number)} {what}: {named}{more}; {advice}")


def _check_groups(file: Path, names: Sequence[str]) -> None:
    """Raises a ValueError if a group has no valid name, or if two groups share one."""
    twice = [name for name, count in Counter(name.removeprefix(_CLASS) for name in names).items() if count > 1]
    if twice:
        raise ValueError(f"{file} has two columns {twice[0]!r}; name every column once")
    odd = [name for name in names if not name.removeprefix(_CLASS) or "=" in name]
    if odd:
        raise ValueError(f"{file} has a column {odd[0]!r}; the name of a group cannot be empty or contain '='")


def _image_paths(lines: _Lines, root: Path) -> list[Path]:
    """The file of each row, after a check that it exists, is inside the root, and has one row."""
    base = os.path.abspath(root)
    whole = [os.path.normpath(os.path.join(base, path)) for path in lines.columns["path"]]
    around = _within(root)
    lines.refuse(
        lambda row: not whole[row].startswith(around),
        f"paths lead out of {root}",
        "use paths inside it or another root",
    )
    listed = Counter(whole)
    lines.refuse(lambda row: listed[whole[row]] > 1, "paths are listed more than once", "keep one line per image")
    lines.refuse(lambda row: _is_special(whole[row]), "paths are no files but folders, pipes or devices", "name images")
    lines.refuse(lambda row: not os.path.isfile(whole[row]), "files are missing", f"paths are relative to {root}")
    return [Path(path) for path in whole]


def _is_special(path: str) -> bool:
    return os.path.exists(path) and not os.path.isfile(path)


def _within(root: Path) -> str:
    """The prefix of the absolute paths of all files in a folder."""
    return os.path.abspath(root).rstrip(os.sep) + os.sep


def _class_group(lines: _Lines, name: str, labels: Ints) -> Group:
    """The class group in a column; a ValueError if two rows of a class have different values."""
    values = lines.columns[name]
    first_rows: dict[int, int] = {}  # by class
    for row, label in enumerate(labels.tolist()):
        first = first_rows.setdefault(label, row)
        if values[first] != values[row]:
            raise ValueError(
                f"{lines.file}: {name!r} of the class {lines.columns['label'][row]!r} is {values[first]!r} in line "
                f"{lines.number[first]}, but {values[row]!r} in line {lines.number[row]}; give each class one value"
            )
    return Group.of(values[first_rows[label]] for label in range(len(first_rows)))


def _rule_of(file: Path) -> str | None:
    """The split rule of the partitions in a manifest; None if there is none, or if `load` refuses the file."""
    try:
        lines = _Lines.read(file)
    except ValueError:
        return None
    names, labels = lines.classes(SILENT)
    groups = {name: Group.of(lines.columns[name]) for name in lines.group_names() if name == "partition"}
    return split_rule(with_partitions(groups, {}, labels, len(names)).get("partition"))
