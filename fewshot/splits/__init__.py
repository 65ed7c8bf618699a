"""Splits: which classes are seen in pre-training, which choose hyperparameters, and which are novel.

May import: data sets, episodes, files, plugins.
A new rule: one file with a frozen dataclass derived from `SplitRule`. The `ClassSplit` that a rule returns is part of
a run's identity; the rule is not.
"""

from __future__ import annotations

import hashlib
import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from fewshot.datasets import ClassList, Dataset, LabelledImages, classes_digest
from fewshot.episodes.flat import Ints
from fewshot.files.atomic import write_atomically
from fewshot.files.quoting import quoted
from fewshot.files.regular import check_regular, parsed_json, read_text
from fewshot.plugins.fields import Member

_log = logging.getLogger("fewshot")
PARTS = ("seen", "validation", "novel")
_DIGEST = "classes_digest"


@dataclass(frozen=True)
class ClassSplit:
    """Three disjoint, sorted tuples of class names that together hold all classes of a data set."""

    seen: tuple[str, ...]
    validation: tuple[str, ...]
    novel: tuple[str, ...]
    classes_digest: str

    def __post_init__(self) -> None:
        listed = sorted(c for part in PARTS for c in getattr(self, part))
        twice = [c for c, following in pairwise(listed) if c == following]
        if twice:
            raise ValueError(f"a split lists each class once, but {quoted(twice[0])} is listed twice")
        if classes_digest(listed) != self.classes_digest:
            raise ValueError(
                f"the split's {len(listed)} classes do not match its classes_digest {self.classes_digest[:12]}: a "
                "class name was changed, added or removed"
            )

    @staticmethod
    def of(seen: Iterable[str], validation: Iterable[str], novel: Iterable[str]) -> ClassSplit:
        """The split with these classes, sorted."""
        parts = tuple(sorted(seen)), tuple(sorted(validation)), tuple(sorted(novel))
        return ClassSplit(*parts, classes_digest([c for part in parts for c in part]))

    @cached_property
    def digest(self) -> str:
        """sha256 hex of the three parts."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def classes(self, part: str, images: LabelledImages) -> Ints:
        """The labels of a part ("seen", "validation", "novel" or "all") in a data set of exactly these classes."""
        self.check(ClassList(images.name, images.class_names))
        if part not in (*PARTS, "all"):
            raise ValueError(f"unknown part {part!r} of a split; known: {', '.join(PARTS)}, all")
        wanted = set(images.class_names if part == "all" else getattr(self, part))
        if not wanted:
            raise ValueError(f"this split of {images.name} has no {part} classes; choose another part or split")
        return np.array([label for label, name in enumerate(images.class_names) if name in wanted])

    def check(self, listed: ClassList) -> None:
        """Raises a ValueError if a data set has other classes than this split."""
        if classes_digest(listed.class_names) != self.classes_digest:
            own = {c for p in PARTS for c in getattr(self, p)}
            odd = sorted(own.symmetric_difference(listed.class_names))
            raise ValueError(
                f"this split is for {len(own)} other classes than the {len(listed.class_names)} of {listed.name}: "
                f"{quoted(odd[0])} is in only one of them; use the split of this data set"
            )

    def save(self, path: Path) -> None:
        """Writes the split as JSON."""
        write_atomically(path, (json.dumps(asdict(self), indent=1) + "\n").encode())

    @staticmethod
    def load(path: Path) -> ClassSplit:
        """The split in a JSON file; a ValueError says why a file is not a split.

        Without a classes_digest, as in a split written by hand, the digest is computed and logged.
        """
        check_regular(path, "split")
        try:
            content = _checked(parsed_json(read_text(path), object_pairs_hook=_unique))
            seen, validation, novel = (_names(content[part]) for part in PARTS)
            digest = content.get(_DIGEST)
        except FileNotFoundError as error:
            raise ValueError(f"there is no split file {path}") from error
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{path} is not a split: expected JSON with the lists seen, validation and novel; {error}"
            ) from error
        try:
            if digest is not None:
                return ClassSplit(seen, validation, novel, str(digest))
            split = ClassSplit.of(seen, validation, novel)
        except ValueError as error:
            raise ValueError(f"{path} is damaged: {error}") from error
        _report_digest(path, len(seen + validation + novel), split.classes_digest)
        return split


@cache
def _report_digest(path: Path, n_classes: int, digest: str) -> None:
    """Logs, once per process, what to add to a split that was written by hand."""
    message = '%s has no classes_digest; to detect later changes of its %d classes, add "classes_digest": "%s"'
    _log.info(message, path, n_classes, digest)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object with these keys; a ValueError if one occurs twice, because only the last would count."""
    for (key, _), (following, _) in pairwise(sorted(pairs, key=lambda pair: pair[0])):
        if key == following:
            raise ValueError(f"the key {quoted(key)} occurs twice; keep one")
    return dict(pairs)


def _checked(content: Any) -> dict[str, Any]:
    """The content of a split file, which has all parts and no other keys."""
    if not isinstance(content, dict):
        raise ValueError(f"found {content!r:.80}")
    unknown = [key for key in content if key not in (*PARTS, _DIGEST)]
    if unknown:
        raise ValueError(
            f"the key {quoted(unknown[0])} is unknown; remove it, or name it {', '.join(PARTS)} or {_DIGEST}"
        )
    missing = [part for part in PARTS if part not in content]
    if missing:
        raise ValueError(f"the list {missing[0]!r} is missing; add it, empty if no class is {missing[0]}")
    return content


def _names(listed: Any) -> tuple[str, ...]:
    if not isinstance(listed, list) or not all(isinstance(name, str | int) for name in listed):
        raise ValueError(f"expected lists of class names, found {listed!r:.80}")
    return tuple(sorted(map(str, listed)))


class SplitRule(Member, ABC):
    """A rule that splits the classes of a data set."""

    is_published: ClassVar[bool] = False  # whether its field `name` is that of a split of the field
    short_name: ClassVar[str] = ""  # the name for people, as a template (plugins/short_name.py); "": class and fields

    @abstractmethod
    def split(self, images: LabelledImages) -> ClassSplit:
        """The split of all classes of a data set."""

    names_classes: ClassVar[bool] = False  # whether `check` refuses data sets with other classes
    has_seen: ClassVar[bool] = True  # False: no split of this rule has seen classes

    def check(self, listed: ClassList) -> None:
        """Raises a ValueError if the classes of a data set do not fit, before an image is opened."""


def check_classes(rule: SplitRule, dataset: Dataset) -> None:
    """Raises a ValueError if the classes of a data set do not fit a rule, without opening an image; does nothing where
    only loading tells the classes."""
    listed = dataset.class_list() if rule.names_classes else None
    if listed is not None:
        rule.check(listed)
