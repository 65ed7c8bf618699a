"""A task of VTAB-1k (Zhai et al. 2019, arXiv 1910.04867) in its usual copy: images, and lists of paths and labels.

fewshot run --data vtab-1k/dtd --backbone tf_efficientnet_lite0 --evaluator LinearProbe
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from fewshot.datasets import ClassList, Dataset, Group, LabelledImages
from fewshot.datasets._listed import Entries, Listing
from fewshot.datasets._text_lists import PairList, numbers
from fewshot.files.regular import read_text
from fewshot.plugins.folder_names import telling_name

_LISTS = {"train": "train800.txt", "val": "val200.txt", "test": "test.txt"}
_BOTH = "train800val200.txt"


@dataclass(frozen=True)
class PathLists(Dataset):
    """Images listed in train800.txt, val200.txt and test.txt, with the partitions train, val and test.

    Each line is a path, relative to `root`, and a label. The list train800val200.txt must hold the images of the first
    two. Class names are the labels, or the lines of a file classnames.txt beside the lists.
    """

    short_name: ClassVar[str] = "[{root:folder}|path lists]"
    folder_files: ClassVar[tuple[tuple[str, ...], ...]] = (("train800.txt", "val200.txt", "test.txt"),)
    edition: ClassVar[str] = "VTAB-1k"

    root: Path

    def class_list(self) -> ClassList:
        """The class names of the list."""
        return self._listing().class_list

    def load(self) -> LabelledImages:
        """All images in the order train, val, test. A ValueError names a wrong line."""
        return self._listing().images()

    def _listing(self) -> Listing:
        root = Path(self.root)
        lists = {name: PairList.read(root / file, "path label", True) for name, file in _LISTS.items()}
        _check_both(root, lists)
        entries = Entries(
            root,
            [path for some in lists.values() for path in some.first],
            [place for some in lists.values() for place in some.places],
        )
        texts = [label for some in lists.values() for label in some.second]
        values, labels = np.unique(numbers(texts, list(entries.places), root, "label"), return_inverse=True)
        partition = Group.of(name for name, some in lists.items() for _ in some.first)
        folder = entries.root([root, root / "images"])
        names = _class_names(root, values.tolist())
        name = telling_name(root.resolve())
        return Listing(name, entries, folder, labels.astype(np.int64), names, {"partition": partition})


def _check_both(root: Path, lists: dict[str, PairList]) -> None:
    """Raises a ValueError if train800val200.txt exists and holds other images than the two lists. Copies that save its
    images once more, under other paths, must have the same labels."""
    if not (root / _BOTH).exists():
        return
    both = PairList.read(root / _BOTH, "path label", True)
    parts = lists["train"], lists["val"]
    listed = Counter(pair for one in parts for pair in zip(one.first, one.second, strict=True))
    listed_again = Counter(zip(both.first, both.second, strict=True))
    if not {path for path, _ in listed} & {path for path, _ in listed_again}:
        listed, listed_again = (Counter(("", label) for _, label in some.elements()) for some in (listed, listed_again))
    other = (listed - listed_again) + (listed_again - listed)
    if other:
        path, label = min(other)
        raise ValueError(
            f"{root / _BOTH} must hold the images of train800.txt and val200.txt, but they differ in "
            f"{other.total()} lines, such as {f'{path} {label}'.strip()!r}; {_advice(lists, both)}"
        )


def _advice(lists: dict[str, PairList], both: PairList) -> str:
    """What to do about lists that do not fit together: two of them may be exchanged."""
    size = {part: len(some.first) for part, some in lists.items()}
    for part, other in (("train", "val"), ("val", "train")):
        if size["test"] + size[other] == len(both.first) != size["train"] + size["val"]:
            return f"{_LISTS[part]} and {_LISTS['test']} seem to be exchanged: exchange their names"
    return "get the three lists from one source"


def _class_names(root: Path, values: Sequence[int]) -> tuple[str, ...]:
    """The names of the labels: the lines of classnames.txt, or else the labels themselves."""
    file = root / "classnames.txt"
    if not file.exists():
        return tuple(str(value).zfill(len(str(values[-1]))) for value in values)
    try:
        names = [line.strip() for line in read_text(file, "list").splitlines() if line.strip()]
    except (UnicodeDecodeError, OSError) as error:
        raise ValueError(f"cannot read {file}: {error}; save it as UTF-8") from error
    if len(names) <= values[-1]:
        raise ValueError(f"{file} has {len(names)} class names, but there is a label {values[-1]}; add the others")
    return tuple(names[value] for value in values)
