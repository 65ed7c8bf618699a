"""Your own images: a CSV file with one line per image.

path,label,partition,camera,class:family
img/0001.jpg,gull,train,north,Laridae
img/0002.jpg,wren,test,south,Troglodytidae
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from fewshot.datasets import ClassList, Dataset, Group, LabelledImages
from fewshot.datasets._class_names import SILENT, check_labels
from fewshot.datasets._digests import DRAFT
from fewshot.datasets._listed import Entries, Listing, group_of_classes, named_classes
from fewshot.datasets._partitions import split_rule, with_partitions
from fewshot.episodes.flat import Ints
from fewshot.files.csv_files import CsvFile
from fewshot.files.quoting import quoted
from fewshot.files.regular import remembered
from fewshot.plugins.fields import declare
from fewshot.plugins.signature import Later

_CLASS = "class:"  # prefix of the columns that describe classes, not images
_log = logging.getLogger("fewshot")


@dataclass(frozen=True)
class Manifest(Dataset):
    """Images listed in a CSV file with the columns path and label. Each further column is an image group, such as
    partition, or a class group if its name starts with "class:", such as "class:superclass".

    Rows keep the order of the lines. Paths are relative to `root` (default: the folder of the CSV file) and must stay
    inside it. The file is UTF-8, separated by commas. Every new image is decoded once, as in `ImageFolderSet`.
    Partitions with usual names (train, val, test, ...) that hold different classes are the default split. `draft` as in
    `ImageFolderSet`.
    """

    short_name: ClassVar[str] = "[{path:stem}|manifest][ draft {draft}]"

    path: Path
    root: Path | None = None
    draft: int | Later = None

    rules = declare(draft=DRAFT)

    def default_split(self) -> str | None:
        """The split by partitions, if they hold different classes; else None."""
        return remembered(_rule_of, Path(self.path))

    def class_list(self) -> ClassList:
        """The class names of the list."""
        return self._listing(SILENT).class_list

    def load(self) -> LabelledImages:
        """All images in the order of the lines; a ValueError names the lines with mistakes."""
        return self._listing(_log).images(check_labels, self.draft)

    def _listing(self, log: logging.Logger) -> Listing:
        file = Path(self.path)
        lines = _Lines.read(file)
        root = file.parent if self.root is None else Path(self.root)
        class_names, labels = lines.classes(log)
        groups, of_classes = lines.image_groups(), lines.class_groups(labels)
        return Listing(file.stem, lines.entries, root, labels, class_names, groups, of_classes)


@dataclass(frozen=True)
class _Lines:
    """The columns of a manifest, and its entries."""

    columns: dict[str, list[str]]
    entries: Entries

    @staticmethod
    def read(file: Path) -> _Lines:
        """A checked manifest: valid column names, and a path and a label in every row."""
        read = CsvFile.read(file, "manifest", ("path", "label"), further=None)
        columns = read.columns
        _check_groups(file, tuple(columns))
        entries = Entries(file, columns["path"], [f"line {number}" for number in read.number])
        entries.refuse(_empty(columns["path"]), "rows have no path", "fill it in", columns["label"])
        entries.refuse(_empty(columns["label"]), "rows have no label", "fill it in")
        return _Lines(columns, entries)

    def classes(self, log: logging.Logger) -> tuple[tuple[str, ...], Ints]:
        """The class names, and the label [n] of each row."""
        return named_classes(self.columns["label"], self.entries.source, log)

    def image_groups(self) -> dict[str, Group]:
        """The groups of images in the columns that are no class groups."""
        names = [name for name in self.columns if name not in ("path", "label") and not name.startswith(_CLASS)]
        return {name: Group.of(self.columns[name]) for name in names}

    def class_groups(self, labels: Ints) -> dict[str, Group]:
        """The groups of classes in the columns whose names begin with "class:"."""
        names = [name for name in self.columns if name.startswith(_CLASS)]
        return {
            name.removeprefix(_CLASS): group_of_classes(
                self.entries, name, self.columns[name], self.columns["label"], labels
            )
            for name in names
        }


def _check_groups(file: Path, names: Sequence[str]) -> None:
    """Raises a ValueError if a group has no valid name, or if two groups share one."""
    twice = [name for name, count in Counter(name.removeprefix(_CLASS) for name in names).items() if count > 1]
    if twice:
        raise ValueError(f"{file} has two columns {quoted(twice[0])}; name every column once")
    odd = [name for name in names if not name.removeprefix(_CLASS) or "=" in name]
    if odd:
        raise ValueError(f"{file} has a column {quoted(odd[0])}; the name of a group cannot be empty or contain '='")


def _empty(values: Sequence[str]) -> list[int]:
    return [row for row, value in enumerate(values) if not value]


def _rule_of(file: Path) -> str | None:
    """The split rule of the partitions in a manifest; None if there is none, or if `load` refuses the file."""
    try:
        lines = _Lines.read(file)
    except ValueError:
        return None
    names, labels = lines.classes(SILENT)
    return split_rule(with_partitions(lines.image_groups(), {}, labels, len(names)).get("partition"))
