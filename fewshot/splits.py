"""Which classes are seen in pre-training, which choose hyperparameters, and which are novel.

A rule (`ByGroup`, `BySeed`, `FromFile`, `AllNovel`) makes a `ClassSplit` for the classes of a data set. The
split, not the rule, is what a run is named after.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from fewshot import draws
from fewshot.datasets import LabelledImages, classes_digest
from fewshot.episodes import Ints
from fewshot.files import write_atomically

PARTS = ("seen", "validation", "novel")
_STREAM, _NARROWING = 16, 62


@dataclass(frozen=True)
class ClassSplit:
    """Three disjoint, sorted tuples of class ids that together are all classes of a data set."""

    seen: tuple[str, ...]
    validation: tuple[str, ...]
    novel: tuple[str, ...]
    classes_digest: str

    def __post_init__(self) -> None:
        listed = sorted(c for part in PARTS for c in getattr(self, part))
        twice = [c for c, following in pairwise(listed) if c == following]
        if twice:
            raise ValueError(f"a class stands in one part of a split, once; {twice[0]!r} stands there twice")
        if classes_digest(listed) != self.classes_digest:
            raise ValueError(
                f"the split's {len(listed)} classes do not have the digest {self.classes_digest[:12]} "
                "that it was made for; a class id was changed, added or lost"
            )

    @staticmethod
    def of(seen: Iterable[str], validation: Iterable[str], novel: Iterable[str]) -> ClassSplit:
        """The split of these classes, sorted."""
        parts = tuple(sorted(seen)), tuple(sorted(validation)), tuple(sorted(novel))
        return ClassSplit(*parts, classes_digest([c for part in parts for c in part]))

    @property
    def digest(self) -> str:
        """sha256 hex of the three parts."""
        return hashlib.sha256(json.dumps(vars(self), sort_keys=True).encode()).hexdigest()

    def classes(self, part: str, images: LabelledImages) -> Ints:
        """The labels of a part ("seen", "validation", "novel" or "all") in a data set of exactly these classes."""
        if images.classes_digest != self.classes_digest:
            listed = {c for p in PARTS for c in getattr(self, p)}
            odd = sorted(listed.symmetric_difference(images.class_names))
            raise ValueError(
                f"this split is for {len(listed)} other classes than the {len(images.class_names)} "
                f"of {images.name}: {odd[0]!r} is in only one of them; "
                "use the split of this data set"
            )
        if part not in (*PARTS, "all"):
            raise ValueError(f"unknown part {part!r} of a split; known: {', '.join(PARTS)}, all")
        wanted = set(images.class_names if part == "all" else getattr(self, part))
        if not wanted:
            raise ValueError(f"this split of {images.name} has no {part} classes; choose another part or split")
        return np.array([label for label, name in enumerate(images.class_names) if name in wanted])

    def save(self, path: Path) -> None:
        """Writes the split as JSON."""
        write_atomically(path, (json.dumps(asdict(self), indent=1) + "\n").encode())


class SplitRule(ABC):
    """Makes a split of the classes of a data set."""

    @abstractmethod
    def split(self, images: LabelledImages) -> ClassSplit:
        """The split of all classes of these images."""


@dataclass(frozen=True)
class AllNovel(SplitRule):
    """Every class is novel: nothing was trained on this data set."""

    def split(self, images: LabelledImages) -> ClassSplit:
        return ClassSplit.of([], [], images.class_names)


@dataclass(frozen=True)
class BySeed(SplitRule):
    """A random split: the fractions of classes that are novel and validation; the rest is seen."""

    novel: float = 0.4
    validation: float = 0.1
    seed: int = 0

    def split(self, images: LabelledImages) -> ClassSplit:
        names = sorted(images.class_names)
        if min(self.novel, self.validation) < 0 or self.novel + self.validation > 1:
            raise ValueError(
                f"novel and validation are fractions that add up to at most 1, got {self.novel} and {self.validation}"
            )
        order = draws.distinct(self.seed, np.arange(1), np.array([[len(names)]]), len(names), _STREAM)[0, 0]
        shuffled = [names[i] for i in order]
        first = round(self.novel * len(names))
        second = round((self.novel + self.validation) * len(names))
        return ClassSplit.of(shuffled[second:], shuffled[first:second], shuffled[:first])


@dataclass(frozen=True)
class ByGroup(SplitRule):
    """Whole groups of classes (superclasses, scripts) are novel or validation; the rest is seen."""

    group: str
    novel: tuple[str, ...]
    validation: tuple[str, ...] = ()

    def split(self, images: LabelledImages) -> ClassSplit:
        if self.group not in images.class_groups:
            raise ValueError(
                f"{images.name} has no class group {self.group!r}; it has: {', '.join(images.class_groups) or 'none'}"
            )
        group = images.class_groups[self.group]
        if isinstance(self.novel, str) or isinstance(self.validation, str):
            raise ValueError(
                "novel and validation are tuples of names, such as ('animal',); "
                f"got {self.novel!r} and {self.validation!r}"
            )
        both = set(self.novel) & set(self.validation)
        if both:
            raise ValueError(f"{min(both)!r} cannot be novel and validation at once")
        chosen = {
            part: np.any([group.mask(name) for name in names] or [group.codes < 0], axis=0)
            for part, names in (("novel", self.novel), ("validation", self.validation))
        }
        names = np.array(images.class_names)
        masks = ~(chosen["novel"] | chosen["validation"]), chosen["validation"], chosen["novel"]
        return ClassSplit.of(*(names[mask].tolist() for mask in masks))


@dataclass(frozen=True)
class Narrowed(SplitRule):
    """Another split with `n_seen` of its seen classes: those of 10 are among those of 20 of the same seed. The seen
    classes that are left out stand with the validation classes, so that the novel ones stay what they are."""

    inner: SplitRule
    n_seen: int
    seed: int = 0

    def split(self, images: LabelledImages) -> ClassSplit:
        whole = self.inner.split(images)
        if not 1 <= self.n_seen <= len(whole.seen):
            raise ValueError(
                f"The 'n_seen' of Narrowed must be in 1..{len(whole.seen)}, the seen classes that there are. "
                f"Got {self.n_seen} instead."
            )
        order = draws.distinct(self.seed, np.arange(1), np.array([[len(whole.seen)]]), len(whole.seen), _NARROWING)
        shuffled = [whole.seen[i] for i in order[0, 0]]
        return ClassSplit.of(shuffled[: self.n_seen], [*whole.validation, *shuffled[self.n_seen :]], whole.novel)


@dataclass(frozen=True)
class FromFile(SplitRule):
    """A split from a JSON file with the lists seen, validation, novel and their classes_digest."""

    path: Path

    def split(self, images: LabelledImages) -> ClassSplit:
        return read_split(Path(self.path))


@dataclass(frozen=True)
class Committed(SplitRule):
    """A split that comes with fewshot, by its name in data/splits."""

    name: str

    def split(self, images: LabelledImages) -> ClassSplit:
        folder = committed_folder()
        known = sorted(path.stem for path in folder.glob("*.json"))
        if self.name not in known:
            raise ValueError(f"unknown split {self.name!r}; known: {', '.join(known)}")
        return read_split(folder / f"{self.name}.json")


def committed_folder() -> Path:
    """Where the splits that come with fewshot are."""
    import fewshot.data

    return Path(fewshot.data.__file__).parent / "splits"


def read_split(path: Path) -> ClassSplit:
    """The split of a JSON file; a ValueError says what is wrong with any other file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        seen, validation, novel = (tuple(sorted(map(str, content[part]))) for part in PARTS)
        digest = str(content["classes_digest"])
    except FileNotFoundError as error:
        raise ValueError(f"there is no split file {path}") from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(
            f"{path} is not a split: expected JSON with seen, validation, novel and classes_digest; "
            f"{type(error).__name__}: {error}"
        ) from error
    try:
        return ClassSplit(seen, validation, novel, digest)
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from error
