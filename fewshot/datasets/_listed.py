"""Images that a list names, each with its path below a root, its class, and a partition or other groups."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fewshot.datasets import ClassList, Group, LabelledImages, images_digest
from fewshot.datasets._class_names import joined_spellings, warn_of_names
from fewshot.datasets._digests import open_files
from fewshot.datasets._partitions import check_partitions, report_partitions, with_partitions
from fewshot.episodes.flat import Ints
from fewshot.files.quoting import quoted
from fewshot.plugins.short_name import one_line

_log = logging.getLogger("fewshot")
_LONGEST = 200  # characters of a path in a message


@dataclass(frozen=True)
class Entries:
    """The entries of a list, at least one: the path of each image as written, and the place of the entry, such as
    "line 3"."""

    source: Path  # the list, or the folder that holds it, as messages name it
    paths: Sequence[str]
    places: Sequence[str]

    def __post_init__(self) -> None:
        if not self.paths:
            raise ValueError(f"{self.source} lists no images; get it again, or add a line for each image")

    def refuse(self, wrong: Iterable[int], what: str, advice: str, shown: Sequence[str] | None = None) -> None:
        """Raises a ValueError that counts the wrong entries and names the first five, each by `shown` (its path)."""
        rows, texts = list(wrong), shown or self.paths
        if rows:
            named = ", ".join(f"{one_line(texts[row], _LONGEST) or '?'} ({self.places[row]})" for row in rows[:5])
            more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
            raise ValueError(f"{self.source}: {len(rows)} of {len(self.paths)} {what}: {named}{more}; {advice}")

    def files(self, root: Path) -> list[Path]:
        """The file of each entry, after a check that it exists, is inside the root, and has one entry."""
        base, around = os.path.abspath(root), within(root)
        whole = [os.path.normpath(os.path.join(base, path)) for path in self.paths]
        rows, listed = range(len(whole)), Counter(whole)
        outside = (row for row in rows if not whole[row].startswith(around))
        self.refuse(outside, f"paths lead out of {root}", "use paths inside it or another root")
        twice = (row for row in rows if listed[whole[row]] > 1)
        self.refuse(twice, "paths are listed more than once", "keep one line per image")
        missing = [row for row in rows if not os.path.isfile(whole[row])]
        special = (row for row in missing if os.path.exists(whole[row]))
        self.refuse(special, "paths are no files but folders, pipes or devices", "name images")
        self.refuse(missing, "files are missing", f"paths are relative to {root}")
        return [Path(path) for path in whole]

    def root(self, tried: Sequence[Path], advice: str = "put the images there") -> Path:
        """The first of these folders that holds the first, the middle or the last image; a ValueError names them."""
        probes = [self.paths[row] for row in sorted({0, len(self.paths) // 2, len(self.paths) - 1})]
        for folder in tried:
            if any(os.path.isfile(os.path.join(folder, path)) for path in probes):
                return folder
        raise ValueError(
            f"{self.source}: there is no image {one_line(self.paths[0], _LONGEST)} in "
            f"{' or '.join(map(str, tried))}; {advice}"
        )


@dataclass(frozen=True)
class Listing:
    """A list as read: n entries below `root`, with their labels, and the groups of images and of classes."""

    name: str
    entries: Entries
    root: Path
    labels: Ints
    class_names: tuple[str, ...]
    image_groups: Mapping[str, Group] = field(default_factory=dict)
    class_groups: Mapping[str, Group] = field(default_factory=dict)

    @property
    def class_list(self) -> ClassList:
        """The name of the data set and its class names."""
        return ClassList(self.name, self.class_names)

    def images(
        self, check: Callable[[Sequence[str], Ints, str], None] = warn_of_names, draft: int | None = None
    ) -> LabelledImages:
        """The images in the order of the entries; a ValueError names wrong ones. `check` looks at the class names, and
        `draft` is that of `open_files`."""
        source, places = str(self.entries.source), self.entries.places
        nameless = [label for label, name in enumerate(self.class_names) if not name.strip()]
        rows = np.flatnonzero(np.isin(self.labels, nameless)).tolist()
        self.entries.refuse(rows, "entries have no class", "fill it in, or get the list again")
        check_partitions(self.image_groups, places.__getitem__, source)
        paths = self.entries.files(self.root)
        files, digests = open_files(
            source, paths, self.labels, places.__getitem__, lambda row: f"{places[row]}: ", draft
        )
        check(self.class_names, self.labels, source)
        groups = with_partitions(self.image_groups, self.class_groups, self.labels, len(self.class_names))
        report_partitions(self.image_groups.get("partition"), groups.get("partition"), self.labels, source)
        return LabelledImages(
            name=self.name,
            images=files,
            labels=self.labels,
            class_names=self.class_names,
            images_digest=images_digest(digests),
            image_groups=self.image_groups,
            class_groups=groups,
            image_names=[str(path)[len(within(self.root)) :] for path in paths],
        )


def named_classes(names: Sequence[str], source: Path, log: logging.Logger = _log) -> tuple[tuple[str, ...], Ints]:
    """The sorted class names, and the label [n] of each entry, from the name of its class."""
    joined = joined_spellings(names, str(source), log)
    class_names, labels = np.unique([joined.get(name, name) for name in names], return_inverse=True)
    return tuple(class_names.tolist()), labels.astype(np.int64)


def group_of_classes(entries: Entries, title: str, values: Sequence[str], names: Sequence[str], labels: Ints) -> Group:
    """The class group that gives each class the value of its entries; a ValueError if two of a class differ."""
    first_rows: dict[int, int] = {}  # by class
    for row, label in enumerate(labels.tolist()):
        first = first_rows.setdefault(label, row)
        if values[first] != values[row]:
            raise ValueError(
                f"{entries.source}: {quoted(title)} of the class {quoted(names[row])} is {quoted(values[first])} in "
                f"{entries.places[first]}, but {quoted(values[row])} in {entries.places[row]}; "
                "give each class one value"
            )
    return Group.of(values[first_rows[label]] for label in range(len(first_rows)))


def within(root: Path) -> str:
    """The prefix of the absolute paths of all files in a folder."""
    return os.path.abspath(root).rstrip(os.sep) + os.sep
