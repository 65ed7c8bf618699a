"""Your own images: one folder per class."""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from fewshot.datasets import ClassList, Dataset, Group, LabelledImages, images_digest
from fewshot.datasets._class_names import SILENT, joined_spellings, warn_of_names
from fewshot.datasets._digests import DRAFT, open_files
from fewshot.datasets._folder_layout import LAYOUT, WRAPPERS, FolderLayout, detected
from fewshot.datasets._image_files import ImageFiles, folders_in, warn_skipped
from fewshot.datasets._partitions import is_partition, part_of, report_partitions, split_rule, with_partitions
from fewshot.episodes.flat import Ints
from fewshot.plugins.fields import declare
from fewshot.plugins.folder_names import telling_name
from fewshot.plugins.signature import Later

_log = logging.getLogger("fewshot")


@dataclass(frozen=True)
class ImageFolderSet(Dataset):
    """Images of any size, mode and format in `root/class/...`, or in `root/train/class/...` and `root/test/class/...`.

    Partitions have the usual names (train, val, test, base, novel, ...). If they hold different classes, they are the
    default split into seen, validation and novel classes. Folders of class folders (alphabet/character) become
    superclasses. If this choice is wrong, `layout` names the levels of folders: 'class' (all images below a first
    folder are one class), 'superclass/class', 'partition/class', or a name of your own for groups of images
    ('class/video').

    The loader ignores hidden files and folders, and follows links. It decodes every new file once, so it reports
    unreadable images before anything else runs, and keeps each digest by path, size and time of change. A warning
    counts exact copies.

    `draft` decodes large JPEG files faster: at a half, a quarter or an eighth of their size, the smallest whose sides
    are both `draft` pixels or more. Take at least twice the side that the network resizes to. The pictures differ a
    little, so this is another data set. Files of other formats stay as they are.
    """

    short_name: ClassVar[str] = "[{root:folder}|folder][ as {layout}][ draft {draft}]"

    root: Path
    layout: str | Later = None
    draft: int | Later = None

    rules = declare(layout=LAYOUT, draft=DRAFT)

    def default_split(self) -> str | None:
        """The split by partitions, if they hold different classes; else None."""
        stamps = _partition_stamps(Path(self.root))
        return None if stamps is None else _rule_of(str(self.root), self.layout, stamps)

    def class_list(self) -> ClassList:
        """The name of the folder, and the class names of the folders inside."""
        root = Path(self.root)
        return ClassList(telling_name(root.resolve()), _read(root, self.layout, SILENT)[1].class_names)

    def load(self) -> LabelledImages:
        """All images, sorted by path; a ValueError names unreadable ones."""
        root = Path(self.root)
        paths, folders = _read(root, self.layout, _log)
        files, digests = open_files(
            str(root), paths, folders.labels, lambda row: paths[row].relative_to(root), draft=self.draft
        )
        folders.report()
        return LabelledImages(
            name=telling_name(root.resolve()),
            images=files,
            labels=folders.labels,
            class_names=folders.class_names,
            images_digest=images_digest(digests),
            image_groups=folders.image_groups,
            class_groups=folders.class_groups,
            image_names=[path.relative_to(root).as_posix() for path in paths],
        )


@dataclass(frozen=True, eq=False)
class _Folders:
    """The classes and groups that the folders above images name."""

    layout: FolderLayout
    automatic: bool
    class_names: tuple[str, ...]
    labels: Ints
    image_groups: dict[str, Group]
    class_groups: dict[str, Group]

    @staticmethod
    def of(root: Path, layout: str | None, paths: Sequence[tuple[str, ...]], log: logging.Logger) -> _Folders:
        """The folders of images with these paths below the root."""
        joined = joined_spellings((name for folder in {path[:-1] for path in paths} for name in folder), str(root), log)
        parts = [tuple(joined.get(name, name) for name in path) for path in paths]
        levels = (
            FolderLayout(root, tuple(layout.split("/"))) if layout else detected(root, {p[:-1] for p in parts}, log)
        )
        class_names, labels = np.unique(levels.class_names(parts), return_inverse=True)
        groups = {word: Group.of(levels.level(word, parts)) for word in levels.image_groups()}
        _check_partitions(root, groups.get("partition"), labels, class_names.tolist())
        class_groups = with_partitions(groups, {}, labels, len(class_names))
        if "superclass" in levels.words:
            above = dict(zip(labels.tolist(), levels.level("superclass", parts), strict=True))
            class_groups["superclass"] = Group.of(above[label] for label in range(len(class_names)))
        names = tuple(class_names.tolist())
        return _Folders(levels, layout is None, names, labels.astype(np.int64), groups, class_groups)

    def report(self) -> None:
        """Reports the meaning of the levels, where they are unusual, and class names that are probably mistakes."""
        where, words = str(self.layout.root), self.layout.words
        warn_of_names(self.class_names, self.labels, where)
        report_partitions(self.image_groups.get("partition"), self.class_groups.get("partition"), self.labels, where)
        if self.automatic and "superclass" in words:
            n_groups = len(self.class_groups["superclass"].names)
            message = "%s: fewshot reads the levels of folders as %s: %d classes in %d superclasses; type --data "
            message += "\"ImageFolderSet(%r, layout='%s')\" if the first folders are the classes"
            other = "/".join("class" if word == "superclass" else word for word in words if word != "class")
            _log.warning(message, where, "/".join(words), len(self.class_names), n_groups, where, other)


def _read(root: Path, layout: str | None, log: logging.Logger) -> tuple[list[Path], _Folders]:
    """The images with labels below a folder, and what the folders above them name."""
    found = ImageFiles.below(root)
    found.warn(log)
    paths = _labelled(root, found.images, log)
    return paths, _Folders.of(root, layout, [path.relative_to(root).parts for path in paths], log)


def _labelled(root: Path, paths: list[Path], log: logging.Logger) -> list[Path]:
    """The images without those of a partition "unlabeled" that has no class folders; a warning counts these."""
    parts = [path.relative_to(root).parts for path in paths]
    without = [
        part_of(p[0]) == "unlabeled" and (len(p) == 2 or (len(p) == 3 and p[1].casefold() in WRAPPERS)) for p in parts
    ]
    others = [p for p, is_without in zip(parts, without, strict=True) if not is_without]
    if not others or not all(is_partition(p[0]) and len(p) > 2 for p in others):
        return paths
    skipped = [path for path, is_without in zip(paths, without, strict=True) if is_without]
    warn_skipped(root, skipped, "image without a label", "images without labels", log)
    return [path for path, is_without in zip(paths, without, strict=True) if not is_without]


def _check_partitions(root: Path, partition: Group | None, labels: Ints, names: Sequence[str]) -> None:
    """Raises a ValueError if a partition has one folder "images" instead of class folders."""
    if partition is None:
        return
    held = {name: np.unique(labels[partition.mask(name)]) for name in partition.names}
    for name, classes in held.items():
        only = str(names[classes[0]]).rsplit("/", maxsplit=1)[-1]
        if len(classes) == 1 and only.casefold() in WRAPPERS and any(len(other) > 1 for other in held.values()):
            raise ValueError(
                f"{root}: the partition {name!r} has no class folders, only {only!r}; move its images into class "
                "folders, or move the partition out of the folder"
            )


def _partition_stamps(root: Path) -> tuple[tuple[str, int], ...] | None:
    """The name and time of change of `root` and the folders below that can be partitions; None if there are none.

    Partitions can lie inside a folder that is alone, or inside "images" beside folders of other files."""
    above, inside = [root], folders_in(root)
    while not any(is_partition(path.name) for path in inside):
        wrapper = inside if len(inside) == 1 else [path for path in inside if path.name.casefold() in WRAPPERS]
        if len(wrapper) != 1:
            return None
        above, inside = [*above, *wrapper], folders_in(wrapper[0])
    named = [path for path in inside if is_partition(path.name)]
    try:
        return tuple((str(path), path.stat().st_mtime_ns) for path in (*above, *named)) if len(named) > 1 else None
    except OSError:
        return None  # `load` reports it


@functools.lru_cache(maxsize=64)
def _rule_of(root: str, layout: str | None, stamps: tuple[tuple[str, int], ...]) -> str | None:
    """The split rule of the partitions in a folder; None if they hold the same classes, or if `load` refuses them."""
    try:
        folders = _read(Path(root), layout, SILENT)[1]
    except ValueError:
        return None
    return split_rule(folders.class_groups.get("partition"))
