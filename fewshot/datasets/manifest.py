"""A user's own images: a CSV file with a line an image.

path,label,partition,camera,class:family
img/0001.jpg,gull,train,north,Laridae
img/0002.jpg,wren,test,south,Troglodytidae
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fewshot.datasets import Dataset, Group, LabelledImages, images_digest
from fewshot.datasets._digests import open_files
from fewshot.episodes.episodes import Ints
from fewshot.files.csv_files import CsvFile

_CLASS = "class:"  # begins the name of a column that says something of a class, not of an image


@dataclass(frozen=True)
class Manifest(Dataset):
    """Images listed in a CSV file with the columns path and label; every further column is an image group, such as
    partition, or, named "class:superclass", a class group.

    Rows keep the order of the lines. Paths are relative to `root`, by default the folder of the CSV file, and may not
    lead out of it. The file is UTF-8 with commas. Every image is decoded once, as in `ImageFolderSet`.
    """

    path: Path
    root: Path | None = None

    def load(self) -> LabelledImages:
        """All images in the order of the lines. Whatever is wrong with a line is a ValueError that names it."""
        file = Path(self.path)
        lines = _Lines.read(file)
        root = file.parent if self.root is None else Path(self.root)
        paths = _image_paths(lines, root)
        class_names, labels = np.unique(lines.columns["label"], return_inverse=True)
        where = [f"line {number}" for number in lines.number]
        files, digests = open_files(str(file), paths, labels, where.__getitem__, lambda row: f"{where[row]}: ")
        return LabelledImages(
            name=file.stem,
            images=files,
            labels=labels.astype(np.int64),
            class_names=tuple(class_names.tolist()),
            images_digest=images_digest(digests),
            image_groups={name: Group.of(lines.columns[name]) for name in lines.group_names()},
            class_groups={
                name.removeprefix(_CLASS): _class_group(lines, name, labels)
                for name in lines.columns
                if name.startswith(_CLASS)
            },
            image_names=[str(path)[len(_within(root)) :] for path in paths],
        )


@dataclass(frozen=True)
class _Lines:
    """The columns of a manifest, and the number of the line that each row ends at."""

    file: Path
    columns: dict[str, list[str]]
    number: list[int]

    @staticmethod
    def read(file: Path) -> _Lines:
        """A checked manifest: known columns, a path and a label in every row."""
        read = CsvFile.read(file, "manifest", ("path", "label"), further=None)
        columns = read.columns
        _check_groups(file, tuple(columns))
        lines = _Lines(file, columns, read.number)
        lines.refuse(lambda row: not columns["path"][row], "rows have no path", "fill it in", "label")
        lines.refuse(lambda row: not columns["label"][row], "rows have no label", "fill it in")
        return lines

    def group_names(self) -> list[str]:
        """The columns that are image groups."""
        return [name for name in self.columns if name not in ("path", "label") and not name.startswith(_CLASS)]

    def refuse(self, wrong: Callable[[int], bool], what: str, advice: str, show: str = "path") -> None:
        """Raises a ValueError that counts the wrong rows and names the first five of them."""
        rows = [row for row in range(len(self.number)) if wrong(row)]
        if rows:
            named = ", ".join(f"{self.columns[show][row] or '?'} (line {self.number[row]})" for row in rows[:5])
            more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
            raise ValueError(f"{self.file}: {len(rows)} of {len(self.number)} {what}: {named}{more}; {advice}")


def _check_groups(file: Path, names: Sequence[str]) -> None:
    """Raises a ValueError unless every name is that of a group, of images or of classes, once."""
    twice = [name for name, count in Counter(name.removeprefix(_CLASS) for name in names).items() if count > 1]
    if twice:
        raise ValueError(f"{file} has two columns {twice[0]!r}; name every column once")
    odd = [name for name in names if not name.removeprefix(_CLASS) or "=" in name]
    if odd:
        raise ValueError(f"{file} has a column {odd[0]!r}; a name of a group is not empty and holds no '='")


def _image_paths(lines: _Lines, root: Path) -> list[Path]:
    """The file of every row: inside the root, there, and listed once."""
    base = os.path.abspath(root)
    whole = [os.path.normpath(os.path.join(base, path)) for path in lines.columns["path"]]
    around = _within(root)
    lines.refuse(
        lambda row: not whole[row].startswith(around),
        f"paths lead out of {root}",
        "give paths inside it or another root",
    )
    listed = Counter(whole)
    lines.refuse(lambda row: listed[whole[row]] > 1, "paths are listed more than once", "keep one line an image")
    lines.refuse(lambda row: not os.path.isfile(whole[row]), "files are missing", f"paths are relative to {root}")
    return [Path(path) for path in whole]


def _within(root: Path) -> str:
    """How the absolute paths of files in a folder begin."""
    return os.path.abspath(root).rstrip(os.sep) + os.sep


def _class_group(lines: _Lines, name: str, labels: Ints) -> Group:
    """What the column says of every class; a ValueError where two rows of a class disagree."""
    values = lines.columns[name]
    found: dict[int, int] = {}  # the first row of every class
    for row, label in enumerate(labels.tolist()):
        first = found.setdefault(label, row)
        if values[first] != values[row]:
            raise ValueError(
                f"{lines.file}: {name!r} of the class {lines.columns['label'][row]!r} is {values[first]!r} in line "
                f"{lines.number[first]}, but {values[row]!r} in line {lines.number[row]}; a class has one"
            )
    return Group.of(values[found[label]] for label in range(len(found)))
