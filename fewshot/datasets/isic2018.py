"""ISIC 2018, task 3 (Codella et al. 2019, arXiv 1902.03368): images of skin lesions and a table of their diagnoses.

fewshot run --data ISIC2018_Task3_Training_GroundTruth/ISIC2018_Task3_Training_GroundTruth.csv --backbone resnet18
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from fewshot.datasets import ClassList, Dataset, LabelledImages
from fewshot.datasets._listed import Entries, Listing, named_classes
from fewshot.files.csv_files import CsvFile

_TABLE = "ISIC2018_Task3_Training_GroundTruth"
_DIAGNOSES = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")


@dataclass(frozen=True)
class Isic2018(Dataset):
    """Images of the table ISIC2018_Task3_*_GroundTruth.csv, whose columns are image, MEL, NV, BCC, AKIEC, BKL, DF and
    VASC; the one column with 1 is the class.

    Images lie as <image>.jpg in the folder ISIC2018_Task3_*_Input, `images`, or that of the table; all of them beside
    the table or beside its folder, as the archives unpack. CD-FSL uses the table of the training images.
    """

    short_name: ClassVar[str] = "[{path:stem}|ISIC 2018]"
    file_names: ClassVar[tuple[str, ...]] = ("ISIC2018_Task3_*_GroundTruth.csv",)
    folder_files: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("ISIC2018_Task3_Training_GroundTruth.csv",),
        ("ISIC2018_Task3_Training_GroundTruth/ISIC2018_Task3_Training_GroundTruth.csv",),
    )

    path: Path

    def class_list(self) -> ClassList:
        """The class names of the list."""
        return self._listing().class_list

    def load(self) -> LabelledImages:
        """The images in the order of the table. A ValueError names rows without exactly one diagnosis."""
        return self._listing().images()

    def _listing(self) -> Listing:
        file = _table(Path(self.path))
        table = CsvFile.read(file, "table", ("image", *_DIAGNOSES))
        places = [f"line {number}" for number in table.number]
        marks = list(zip(*(table.columns[name] for name in _DIAGNOSES), strict=True))
        entries = Entries(file, [f"{name}.jpg" for name in table.columns["image"]], places)
        entries.refuse(
            (row for row, values in enumerate(marks) if not _is_one(values)),
            "rows have no diagnosis or several",
            "mark one of them with 1 and the others with 0",
        )
        diagnoses = [_DIAGNOSES[[float(value) for value in values].index(1)] for values in marks]
        names, labels = named_classes(diagnoses, file)
        folders = [above / name for above in (file.parent, file.parent.parent) for name in (_input(file), "images", "")]
        return Listing("ISIC2018", entries, entries.root(folders), labels, names)


def _is_one(values: Sequence[str]) -> bool:
    """Whether one value is 1 and all others are 0."""
    try:
        numbers = [float(value) for value in values]
    except ValueError:
        return False
    return sorted(numbers) == [0.0] * (len(numbers) - 1) + [1.0]


def _input(table: Path) -> str:
    """The folder of the images of a table, as their archive unpacks."""
    return table.stem.replace("_GroundTruth", "_Input")


def _table(path: Path) -> Path:
    """The table, if `path` is the folder that holds it."""
    if not path.is_dir():
        return path
    tried = (path / f"{_TABLE}.csv", path / _TABLE / f"{_TABLE}.csv")
    for table in tried:
        if table.is_file():
            return table
    raise ValueError(f"there is no {_TABLE}.csv in {path}; give the folder or the table of ISIC 2018, task 3")
