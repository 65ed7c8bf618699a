"""ImageNet's 50,000 validation images (Russakovsky et al. 2015, arXiv 1409.0575) in one flat folder, with a label list.

fewshot run --data ILSVRC2012_img_val --backbone resnet18 --evaluator LinearProbe --way all --shot 5
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from fewshot.datasets import ClassList, Dataset, LabelledImages
from fewshot.datasets._imagenet_classes import CLASS_INDEX, synsets
from fewshot.datasets._listed import Entries, Listing, named_classes
from fewshot.datasets._text_lists import PairList, numbers
from fewshot.files.csv_files import CsvFile
from fewshot.files.regular import first_bytes, written_text

_KAGGLE, _CAFFE, _SYNSETS = "LOC_val_solution.csv", "val.txt", "imagenet_2012_validation_synset_labels.txt"
_KIT = "ILSVRC2012_validation_ground_truth.txt"
_FIRST = b"ILSVRC2012_val_"
_FOLDERS = ("", "val", "images", "ILSVRC2012_img_val", "ILSVRC/Data/CLS-LOC/val")
Listed = tuple[list[str], list[str], list[str]]  # file names, synsets, places


@dataclass(frozen=True)
class ImageNetValidation(Dataset):
    """The images ILSVRC2012_val_*.JPEG of one folder, with the synset ids of a list as classes.

    `path` is the list, or the folder of the images, with the list in it or beside it: LOC_val_solution.csv (Kaggle),
    val.txt with lines "ILSVRC2012_val_00000001.JPEG 65" (Caffe), or imagenet_2012_validation_synset_labels.txt with a
    synset id for each image (TensorFlow). Numbers are places among the sorted synset ids, or in
    imagenet_class_index.json beside the list.
    """

    short_name: ClassVar[str] = "[{path:stem}|ImageNet validation]"
    file_names: ClassVar[tuple[str, ...]] = (
        "LOC_val_solution.csv",
        "val.txt",
        "imagenet_2012_validation_synset_labels.txt",
    )
    folder_files: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("ILSVRC2012_val_00000001.JPEG", "ILSVRC2012_val_00000002.JPEG"),  # of two classes: not a folder of one class
    )

    path: Path

    @classmethod
    def reads(cls, place: str) -> str | None:
        """`path`; None for a list val.txt of other images."""
        if os.path.basename(place) != _CAFFE or not os.path.isfile(place):
            return "path"
        return "path" if first_bytes(Path(place), len(_FIRST)) == _FIRST else None

    def class_list(self) -> ClassList:
        """The class names of the list."""
        return self._listing().class_list

    def load(self) -> LabelledImages:
        """The images in the order of the list. A ValueError names missing ones, and what the list must be."""
        return self._listing().images()

    def _listing(self) -> Listing:
        file = _list(Path(self.path))
        paths, classes, places = _READERS[file.name](file)
        entries = Entries(file, paths, places)
        given = [Path(self.path)] if Path(self.path).is_dir() else []
        names, labels = named_classes(classes, file)
        root = entries.root([*given, *(file.parent / name for name in _FOLDERS)])
        return Listing("imagenet", entries, root, labels, names)


def _list(path: Path) -> Path:
    """The list, if `path` is the folder of the images."""
    if not path.is_dir():
        if path.name in _READERS:
            return path
        raise ValueError(f"{path} is none of the lists {', '.join(_READERS)}; give one of these, or their folder")
    for folder in (path, path.parent):
        for name in _READERS:
            if (folder / name).is_file():
                return folder / name
    kit = next((folder / _KIT for folder in (path, path.parent) if (folder / _KIT).is_file()), None)
    found = f"the numbers of {kit} are those of the development kit, which other lists do not share; " if kit else ""
    raise ValueError(
        f"there is no list with the labels of the images in {path} or beside it; {found}put {_KAGGLE} (Kaggle), "
        f"{_CAFFE} (Caffe) or {_SYNSETS} (TensorFlow) there, or use TorchvisionSet('ImageNet') with the development kit"
    )


def _of_kaggle(file: Path) -> Listed:
    table = CsvFile.read(file, "table", ("ImageId", "PredictionString"))
    paths = [f"{name}.JPEG" for name in table.columns["ImageId"]]
    return paths, [text.split(" ")[0] for text in table.columns["PredictionString"]], _lines(table.number)


def _of_caffe(file: Path) -> Listed:
    listed, known = PairList.read(file, "file name and class number", True), synsets(file.parent)
    places = numbers(listed.second, listed.places, file.parent, "class number")
    wrong = next((row for row, place in enumerate(places) if place >= len(known)), None)
    if wrong is not None:
        raise ValueError(
            f"{file.parent / listed.places[wrong]}: the class number {places[wrong]} is not below {len(known)}; "
            f"correct it, or put {CLASS_INDEX} beside the list"
        )
    return listed.first, [known[place] for place in places], listed.places


def _of_tensorflow(file: Path) -> Listed:
    lines = written_text(file, "list", "get it again").split("\n")
    labels = [line.strip() for line in lines if line.strip()]
    paths = [f"ILSVRC2012_val_{number:08d}.JPEG" for number in range(1, len(labels) + 1)]
    return paths, labels, _lines(range(1, len(labels) + 1))


def _lines(given: Sequence[int]) -> list[str]:
    return [f"line {number}" for number in given]


_READERS = {_KAGGLE: _of_kaggle, _CAFFE: _of_caffe, _SYNSETS: _of_tensorflow}
