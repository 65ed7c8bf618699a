"""NIH ChestX-ray14 (Wang et al. 2017, arXiv 1705.02315), images with exactly one finding, as CD-FSL uses it.

fewshot run --data ChestX/Data_Entry_2017.csv --backbone tf_efficientnet_lite0 --evaluator LinearProbe --shot 5
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from fewshot.datasets import ClassList, Dataset, LabelledImages
from fewshot.datasets._class_names import SILENT
from fewshot.datasets._listed import Entries, Listing, named_classes
from fewshot.files.csv_files import CsvFile
from fewshot.plugins.fields import Rule, declare

_log = logging.getLogger("fewshot")
_FINDINGS = Rule(
    "one name of a finding or several",
    lambda value: isinstance(value, tuple) and all(isinstance(name, str) and name for name in value) and len(value) > 0,
)


@dataclass(frozen=True)
class ChestXray(Dataset):
    """Images of Data_Entry_2017.csv whose only finding is one of `findings`; the loader reports how many it leaves out.

    The default findings are the 7 classes of CD-FSL (Guo et al. 2020, arXiv 1912.07200), which has no Pneumonia.
    Images lie in `images` beside the table, or in images_001/images to images_012/images, as the archives unpack.
    """

    short_name: ClassVar[str] = "[{path:stem}|ChestX-ray14]"
    file_names: ClassVar[tuple[str, ...]] = ("Data_Entry_2017*.csv",)
    folder_files: ClassVar[tuple[tuple[str, ...], ...]] = (("Data_Entry_2017.csv",), ("Data_Entry_2017_v2020.csv",))

    path: Path
    findings: tuple[str, ...] = (
        "Atelectasis", "Cardiomegaly", "Effusion", "Infiltration", "Mass", "Nodule", "Pneumothorax",
    )  # fmt: skip

    rules = declare(findings=_FINDINGS)

    def class_list(self) -> ClassList:
        """The class names of the list."""
        return self._listing(SILENT).class_list

    def load(self) -> LabelledImages:
        """The images in the order of the table. A ValueError names missing ones."""
        return self._listing(_log).images()

    def _listing(self, log: logging.Logger) -> Listing:
        file = _table(Path(self.path))
        table = CsvFile.read(file, "table", ("Image Index", "Finding Labels"), further=None)
        labels = table.columns["Finding Labels"]
        rows = [row for row, text in enumerate(labels) if text in self.findings]
        if not rows:
            raise ValueError(f"{file} has no image whose only finding is one of {', '.join(self.findings)}")
        message = "%s: left out %d of %d images: without a finding, with several, or with one other than %s"
        log.info(message, file, len(labels) - len(rows), len(labels), ", ".join(self.findings))
        paths = [table.columns["Image Index"][row] for row in rows]
        entries, root = _placed(Entries(file, paths, [f"line {table.number[row]}" for row in rows]))
        names, classes = named_classes([labels[row] for row in rows], file, log)
        return Listing("ChestX", entries, root, classes, names)


def _table(path: Path) -> Path:
    """The table, if `path` is the folder that holds it."""
    tables = sorted(path.glob("Data_Entry_2017*.csv")) if path.is_dir() else [path]
    if not tables:
        raise ValueError(f"there is no Data_Entry_2017.csv in {path}; give the folder or the table of ChestX-ray14")
    return tables[0]


def _placed(entries: Entries) -> tuple[Entries, Path]:
    """The entries with the paths of their images below a root: in one folder, or in the folders of the archives."""
    root = entries.source.parent
    archives = [folder.relative_to(root).as_posix() for folder in sorted(root.glob("images_*/images"))]
    if not archives:
        return entries, entries.root([root / "images", root])
    held = {path.name: f"{place}/{path.name}" for place in archives for path in (root / place).iterdir()}
    return Entries(entries.source, [held.get(path, path) for path in entries.paths], entries.places), root
