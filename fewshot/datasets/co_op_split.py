"""The data sets of CoOp (Zhou et al. 2022, arXiv 2109.01134): images with a list split_zhou_<Set>.json beside them.

fewshot run --data dtd --backbone tf_efficientnet_lite0 --evaluator LinearProbe
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from fewshot.datasets import ClassList, Dataset, Group, LabelledImages
from fewshot.datasets._listed import Entries, Listing
from fewshot.episodes.flat import Ints
from fewshot.files.regular import parsed_json, read_text
from fewshot.plugins.short_name import one_line

PARTITIONS = ("train", "val", "test")
_LIST = "split_zhou_*.json"
_LONGEST = 80  # characters of a class name in a message
_WORD_START = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
# The folders that CoOp's lists are relative to, below the folder of the list.
_FOLDERS = ("", "images", "jpg", "101_ObjectCategories", "SUN397", "2750", "UCF-101-midframes")
_ADVICE = "put the images there, or name their folder as root"
_EXPECTED = 'expected {"train": [[path, label, class name], ...], "val": [...], "test": [...]}'


@dataclass(frozen=True)
class CoOpSplit(Dataset):
    """Images listed in CoOp's file split_zhou_<Set>.json, with the partitions train, val and test; `path` is the list,
    or the folder that holds it.

    Paths are relative to `root`; by default, fewshot looks for the images in the folder of the list and in the folders
    that CoOp's instructions name (images, jpg, 2750, ...). The classes have the order of their labels. Image names are
    the paths of the list, so that published draws can be matched.
    """

    short_name: ClassVar[str] = "[{path:set}|CoOp split]"
    file_names: ClassVar[tuple[str, ...]] = ("split_zhou_*.json",)
    folder_files: ClassVar[tuple[tuple[str, ...], ...]] = (("split_zhou_*.json",),)
    edition: ClassVar[str] = "CoOp"

    path: Path
    root: Path | None = None

    def class_list(self) -> ClassList:
        """The class names of the list."""
        return self._listing().class_list

    def load(self) -> LabelledImages:
        """All images in the order train, val, test. A ValueError names a wrong entry."""
        return self._listing().images()

    def _listing(self) -> Listing:
        file = _list(Path(self.path))
        listed = _read(file)
        items = [item for name in PARTITIONS for item in listed[name]]
        places = [f"{name}[{row}]" for name in PARTITIONS for row in range(len(listed[name]))]
        entries = Entries(file, [str(path) for path, _, _ in items], places)
        root = Path(self.root) if self.root else entries.root([file.parent / name for name in _FOLDERS], _ADVICE)
        class_names, labels = _classes(file, items, places)
        partition = Group.of(name for name in PARTITIONS for _ in listed[name])
        return Listing(_name(file), entries, root, labels, class_names, {"partition": partition})


def _list(path: Path) -> Path:
    """The list, if `path` is the folder that holds it."""
    if not path.is_dir():
        return path
    lists = sorted(path.glob(_LIST))
    if len(lists) == 1:
        return lists[0]
    if not lists:
        raise ValueError(f"there is no list {_LIST} in {path}; give the list, or the folder that holds it")
    raise ValueError(
        f"there are {len(lists)} lists ({', '.join(one.name for one in lists)}) in {path}; give one of them"
    )


def _name(file: Path) -> str:
    """The name of the data set of a list: "oxford_flowers" of split_zhou_OxfordFlowers.json."""
    return _WORD_START.sub("_", file.stem.removeprefix("split_zhou_")).lower()


def _read(file: Path) -> dict[str, list[tuple[str, int, str]]]:
    """The entries of each partition, checked for their types."""
    try:
        content = parsed_json(read_text(file, "list"))
    except OSError as error:
        raise ValueError(f"cannot read the list {file}: {error.strerror}; give a file split_zhou_*.json") from error
    except ValueError as error:
        if str(error).startswith("cannot read"):
            raise
        raise ValueError(f"{file} is not JSON in UTF-8: {error}; {_EXPECTED}") from error
    if not isinstance(content, dict) or not all(isinstance(content.get(name), list) for name in PARTITIONS):
        raise ValueError(f"{file} has no lists train, val and test; {_EXPECTED}")
    for name in PARTITIONS:
        wrong = next((row for row, item in enumerate(content[name]) if not _is_entry(item)), None)
        if wrong is not None:
            found = repr(content[name][wrong])[:80]
            raise ValueError(f"{file}, {name}[{wrong}]: expected [path, label, class name], found {found}")
    if not any(content[name] for name in PARTITIONS):
        raise ValueError(f"{file} lists no images; {_EXPECTED}")
    return {name: [tuple(item) for item in content[name]] for name in PARTITIONS}


def _is_entry(item: Any) -> bool:
    if not isinstance(item, list) or len(item) != 3:
        return False
    path, label, name = item
    texts = all(isinstance(text, str) and text and "\0" not in text for text in (path, name))
    return texts and type(label) is int and label >= 0


def _classes(file: Path, items: Sequence[tuple[str, int, str]], places: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    """The class names by label, and the class of each entry. Labels with one name get their number ("crane 134")."""
    names: dict[int, str] = {}
    for (_, label, name), place in zip(items, places, strict=True):
        if names.setdefault(label, name) != name:
            now, before = (one_line(text, _LONGEST) for text in (name, names[label]))
            raise ValueError(f"{file}, {place}: the label {label} is {now!r}, but {before!r} before; correct it")
    counts, order = Counter(names.values()), sorted(names)
    class_names = tuple(names[one] if counts[names[one]] == 1 else f"{names[one]} {one}" for one in order)
    place_of = {label: place for place, label in enumerate(order)}
    return class_names, np.array([place_of[label] for _, label, _ in items], dtype=np.int64)
