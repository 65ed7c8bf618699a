"""The usual names of partitions, and the class split that partitions with different classes imply."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping

import numpy as np

from fewshot.datasets import Group
from fewshot.episodes.flat import Ints
from fewshot.plugins.wording import agreeing, counted

PARTS: Mapping[str, frozenset[str]] = {
    "seen": frozenset({"train", "training", "base", "metatrain", "imagesbackground", "background"}),
    "validation": frozenset({"val", "valid", "validation", "dev", "metaval", "metavalidation"}),
    "novel": frozenset({"test", "testing", "novel", "metatest", "eval", "evaluation", "imagesevaluation"}),
    "unlabeled": frozenset({"unlabeled", "unlabelled"}),
}
_log = logging.getLogger("fewshot")
_NUMBER = re.compile(r"((19|20)\d\d|800|200|1000)$")  # a year, or the size of a partition of VTAB-1k


def part_of(name: str) -> str | None:
    """The part of a split (a key of PARTS) that a partition with this name usually is; None for other names.

    Case, spaces, "_", "-", and a year or VTAB's size at the end do not matter: "Meta-Train", "train2017" and "train800"
    are "seen".
    """
    plain = _NUMBER.sub("", re.sub(r"[\s_-]+", "", name.casefold()))
    return next((part for part, names in PARTS.items() if plain in names), None)


def is_partition(name: str) -> bool:
    """Whether folders with this name are usually partitions."""
    return part_of(name) is not None


def partition_of_classes(partition: Group | None, labels: Ints, n_classes: int) -> Group | None:
    """The partition of each class, if partitions with usual names each hold classes of their own: the few-shot layout.

    None if a class is in two partitions, if a name is unusual, or if all classes are in one part.
    """
    if partition is None:
        return None
    parts = [part_of(name) for name in partition.names]
    codes = np.zeros(n_classes, dtype=np.int32)
    codes[labels] = partition.codes
    used = {parts[code] for code in np.unique(codes)}
    if None in parts or len(used - {"unlabeled"}) < 2 or not np.array_equal(codes[labels], partition.codes):
        return None
    return Group(codes, partition.names)


def with_partitions(
    image_groups: Mapping[str, Group], class_groups: Mapping[str, Group], labels: Ints, n_classes: int
) -> dict[str, Group]:
    """The class groups, and the group "partition" if partitions hold different classes."""
    own = partition_of_classes(image_groups.get("partition"), labels, n_classes)
    return {**class_groups} if own is None or "partition" in class_groups else {**class_groups, "partition": own}


def split_rule(classes: Group | None) -> str | None:
    """The split rule for the partitions of classes; None without them."""
    if classes is None:
        return None
    novel, validation = (tuple(n for n, p in _roles(classes).items() if p == part) for part in ("novel", "validation"))
    return f"ByGroup(group='partition', novel={novel!r}, validation={validation!r})"


def check_partitions(groups: Mapping[str, Group], place: Callable[[int], str], where: str) -> None:
    """Raises a ValueError if images have no partition: they would be in no part, without a word. `place` names a row:
    "line 3"."""
    partition = groups.get("partition")
    unnamed = [] if partition is None else [code for code, name in enumerate(partition.names) if not name.strip()]
    if partition is None or not unnamed:
        return
    rows = np.flatnonzero(np.isin(partition.codes, unnamed))
    raise ValueError(
        f"{where}: {len(rows):,} of {counted(len(partition.codes), 'image')} {agreeing(len(rows), 'has', 'have')} no "
        f"partition, the first in {place(int(rows[0]))}; fill in the partition, such as train or test, or leave these "
        "images out"
    )


def report_partitions(partition: Group | None, classes: Group | None, labels: Ints, where: str) -> None:
    """Reports the split that the partitions of classes make, and warns if only some classes are in one partition."""
    if classes is not None:
        sizes = (f"{int(classes.mask(name).sum()):,} {part} ({name})" for name, part in _roles(classes).items())
        message = "%s: the partitions hold different classes, so they are the default split: %s classes"
        _log.info(message, where, ", ".join(sizes))
    elif partition is not None:
        pairs = np.unique(np.stack([labels, partition.codes.astype(labels.dtype)]), axis=1)
        n_partitions = np.bincount(pairs[0])
        alone = int((n_partitions == 1).sum())
        if len(partition.names) > 1 and 0 < alone < len(n_partitions):
            message = "%s: %d of %d classes are in one partition only, so the partitions do not split the classes"
            _log.warning(message, where, alone, len(n_partitions))


def _roles(classes: Group) -> dict[str, str]:
    """The part of each partition: without a test partition, the classes of the validation partition are novel."""
    parts = {name: part_of(name) or "" for name in classes.names}
    if "novel" not in parts.values():
        parts = {name: "novel" if part == "validation" else part for name, part in parts.items()}
    return {name: "seen" if part == "unlabeled" else part for name, part in parts.items()}
