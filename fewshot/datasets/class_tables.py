"""mini-ImageNet as it is often shared: a folder of images, and the tables train.csv, val.csv and test.csv.

fewshot run --data mini_imagenet --backbone tf_efficientnet_lite0 --evaluator Prototype
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from fewshot.datasets import ClassList, Dataset, Group, LabelledImages
from fewshot.datasets._class_names import SILENT
from fewshot.datasets._listed import Entries, Listing, named_classes
from fewshot.datasets._partitions import split_rule, with_partitions
from fewshot.episodes.flat import Ints
from fewshot.files.csv_files import CsvFile
from fewshot.files.regular import remembered
from fewshot.plugins.folder_names import telling_name

_log = logging.getLogger("fewshot")
_TABLES = ("train.csv", "val.csv", "test.csv")


@dataclass(frozen=True)
class ClassTables(Dataset):
    """Images listed in train.csv, val.csv and test.csv, each with the columns filename and label.

    The files lie in `root/images`, or in folders below it that bear the labels. If the tables hold different classes,
    as those of mini-ImageNet do, they are the default split into seen, validation and novel classes.
    """

    short_name: ClassVar[str] = "[{root:folder}|class tables]"
    folder_files: ClassVar[tuple[tuple[str, ...], ...]] = (("train.csv", "val.csv", "test.csv", "images"),)

    root: Path

    def default_split(self) -> str | None:
        """The split by tables, if they hold different classes; else None."""
        root = Path(self.root)
        return remembered(_rule_of, root, tuple(root / table for table in _TABLES))

    def class_list(self) -> ClassList:
        """The class names of the list."""
        return self._listing(SILENT).class_list

    def load(self) -> LabelledImages:
        """All images in the order of the tables. A ValueError names a wrong line."""
        return self._listing(_log).images()

    def _listing(self, log: logging.Logger) -> Listing:
        root = Path(self.root)
        names, labels, partition, entries = _read(root, log)
        class_names = [names[label] for label in labels]
        inside = Entries(root, list(map("{}/{}".format, class_names, entries.paths)), entries.places)
        folders = [root / "images", root]
        try:
            folder = entries.root(folders)
        except ValueError:
            folder, entries = _root_of_labels(inside, folders, entries), inside
        return Listing(telling_name(root.resolve()), entries, folder, labels, names, {"partition": partition})


def _root_of_labels(inside: Entries, folders: list[Path], entries: Entries) -> Path:
    """The folder that holds the files below folders named by the labels; the error of both ways if there is none."""
    try:
        return inside.root(folders)
    except ValueError:
        return entries.root(folders)


def _read(root: Path, log: logging.Logger) -> tuple[tuple[str, ...], Ints, Group, Entries]:
    """The class names, the label and the partition of each entry, and the entries."""
    tables = [CsvFile.read(root / table, "table", ("filename", "label")) for table in _TABLES]
    paths = [path for table in tables for path in table.columns["filename"]]
    places = [f"{table.path.name}, line {number}" for table in tables for number in table.number]
    texts = [label for table in tables for label in table.columns["label"]]
    entries = Entries(root, paths, places)
    for values, what in ((paths, "file name"), (texts, "label")):
        entries.refuse((row for row, text in enumerate(values) if not text), f"rows have no {what}", "fill it in")
    names, labels = named_classes(texts, root, log)
    partition = Group.of(table.path.stem for table in tables for _ in table.number)
    return names, labels, partition, entries


def _rule_of(root: Path) -> str | None:
    """The split rule of the tables; None if their classes are the same, or if `load` refuses them."""
    try:
        names, labels, partition, _ = _read(root, SILENT)
    except ValueError:
        return None
    return split_rule(with_partitions({"partition": partition}, {}, labels, len(names)).get("partition"))
