"""A data set of Meta-Album (Ullah et al. 2022, arXiv 2302.08909): images, labels.csv and info.json.

fewshot run --data meta_album/BRD_Mini --backbone tf_efficientnet_lite0 --evaluator Prototype
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from fewshot.datasets import ClassList, Dataset, Group, LabelledImages
from fewshot.datasets._class_names import SILENT, means_no_label
from fewshot.datasets._listed import Entries, Listing, group_of_classes, named_classes
from fewshot.files.csv_files import CsvFile
from fewshot.files.regular import parsed_json, read_text
from fewshot.plugins.folder_names import telling_name

_log = logging.getLogger("fewshot")
_COLUMNS = {
    "image_column_name": "FILE_NAME",
    "category_column_name": "CATEGORY",
    "super_category_column_name": "SUPER_CATEGORY",
}


@dataclass(frozen=True)
class MetaAlbum(Dataset):
    """Images listed in labels.csv, with the class group superclass if the data set has super-categories.

    info.json may name the columns of labels.csv; the usual ones are FILE_NAME, CATEGORY and SUPER_CATEGORY. Images
    lie in `root/images`, or beside the lists.
    """

    short_name: ClassVar[str] = "[{root:folder}|Meta-Album set]"
    folder_files: ClassVar[tuple[tuple[str, ...], ...]] = (("labels.csv", "info.json"),)

    root: Path

    def class_list(self) -> ClassList:
        """The class names of the list."""
        return self._listing(SILENT).class_list

    def load(self) -> LabelledImages:
        """All images in the order of labels.csv. A ValueError names a wrong line."""
        return self._listing(_log).images()

    def _listing(self, log: logging.Logger) -> Listing:
        root = Path(self.root)
        image, category, above = _columns(root)
        table = CsvFile.read(root / "labels.csv", "table", (image, category), further=None)
        entries = Entries(root, table.columns[image], [f"labels.csv, line {number}" for number in table.number])
        for name in (image, category):
            empty = (row for row, text in enumerate(table.columns[name]) if not text)
            entries.refuse(empty, f"rows have no {name}", "fill it in")
        names, labels = named_classes(table.columns[category], root, log)
        groups: dict[str, Group] = {}
        values = table.columns.get(above, [])
        if not all(map(means_no_label, values)):  # "NAN" without super-categories
            groups["superclass"] = group_of_classes(entries, above, values, table.columns[category], labels)
        folder = entries.root([root / "images", root])
        return Listing(telling_name(root.resolve()), entries, folder, labels, names, {}, groups)


def _columns(root: Path) -> tuple[str, str, str]:
    """The names of the columns of files, classes and super-categories."""
    file = root / "info.json"
    try:
        info = parsed_json(read_text(file, "file"))
    except OSError as error:
        raise ValueError(f"cannot read {file}: {error.strerror}; Meta-Album has it beside labels.csv") from error
    except ValueError as error:
        raise ValueError(f"{file} is not JSON in UTF-8: {error}; get it again") from error
    if not isinstance(info, dict):
        raise ValueError(f"{file} must be a JSON object with the names of columns, found {type(info).__name__}")
    image, category, above = (str(info.get(key) or usual) for key, usual in _COLUMNS.items())
    return image, category, above
