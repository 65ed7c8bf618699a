"""A split that comes with fewshot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from fewshot.data import FOLDER
from fewshot.datasets import ClassList, LabelledImages
from fewshot.splits import ClassSplit, SplitRule


@dataclass(frozen=True)
class Committed(SplitRule):
    """A split that comes with fewshot, by its name in data/splits."""

    short_name: ClassVar[str] = "{name}"
    names_classes: ClassVar[bool] = True

    name: str

    def check(self, listed: ClassList) -> None:
        self._split().check(listed)

    def split(self, images: LabelledImages) -> ClassSplit:
        return self._split()

    def _split(self) -> ClassSplit:
        folder = committed_folder()
        known = sorted(path.stem for path in folder.glob("*.json"))
        if self.name not in known:
            raise ValueError(f"unknown split {self.name!r}; known: {', '.join(known)}")
        return ClassSplit.load(folder / f"{self.name}.json")


def committed_folder() -> Path:
    """The folder of the splits that come with fewshot."""
    return Path(FOLDER / "splits")
