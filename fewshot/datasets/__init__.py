"""Data sets: labelled images (or vectors instead of images) and their sources, one file per source.

May import: episodes, files, plugins.
A new source: one file with a frozen dataclass derived from `Dataset`; its `load()` returns `LabelledImages`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fewshot.datasets._content import ArrayImages, classes_digest, image_digest, images_digest
from fewshot.episodes.flat import Ints, Rows
from fewshot.episodes.shown import CLASSES, PER_CLASS, pictures, remember_images, thumbnail
from fewshot.files.quoting import first_of, quoted
from fewshot.files.vectors import Vectors
from fewshot.plugins.fields import Member, Rule
from fewshot.plugins.signature import Parameter
from fewshot.plugins.wording import counted

__all__ = [
    "A_DATA_SET", "ArrayImages", "ClassList", "Dataset", "GivenVectors", "Group", "ImageSequence", "LabelledImages",
    "Pool", "classes_digest", "image_digest", "images_digest",
]  # fmt: skip


class ImageSequence(Protocol):
    """Images decoded on access: `images[row]` is an RGB image at its original resolution."""

    def __len__(self) -> int: ...
    def __getitem__(self, row: int, /) -> Image.Image: ...


@dataclass(frozen=True, eq=False)
class Group:
    """A named category for every image or every class: `names[codes[i]]`."""

    codes: NDArray[np.integer[Any]]
    names: tuple[str, ...]

    def mask(self, name: str) -> NDArray[np.bool_]:
        """True where the category is `name`; an unknown name is a ValueError that lists the known ones."""
        if name not in self.names:
            raise ValueError(f"{quoted(name)} is not one of {first_of(map(repr, self.names))}")
        return np.asarray(self.codes == self.names.index(name))

    @staticmethod
    def of(values: Iterable[str]) -> Group:
        """The group for a list of strings."""
        names, codes = np.unique(np.asarray(list(values), dtype=np.str_), return_inverse=True)
        return Group(codes.astype(np.int32), tuple(names.tolist()))


@dataclass(frozen=True, eq=False)
class Pool:
    """The rows of every class, ascending: class c has rows[start[c] : start[c + 1]]."""

    rows: Rows
    start: Ints

    def by_class(self) -> list[Rows]:
        """The rows of class 0, of class 1, ..."""
        return np.split(self.rows, self.start[1:-1])

    def sizes(self, classes: Ints) -> Ints:
        """The number of rows in each of these classes."""
        return self.start[classes + 1] - self.start[classes]


@dataclass(frozen=True, eq=False)
class GivenVectors:
    """The images of a data set of vectors: there are none to decode."""

    vectors: Vectors
    name: str  # of the data set

    def __len__(self) -> int:
        return len(self.vectors)

    def __getitem__(self, row: int, /) -> Image.Image:
        raise ValueError(f"{self.name} holds vectors, not pictures, so row {row} cannot be shown")


@dataclass(frozen=True, eq=False, repr=False)
class LabelledImages:
    """n images with labels, or `GivenVectors` instead of images.

    Image groups (domain, set, artist, partition) have one category per image, class groups (superclass,
    orientation_matters) one per class. `images_digest` identifies the decoded pixels, or the vectors, in order.
    `class_vectors` are embeddings of the class names, such as those of a text encoder, in the space of the image
    features. `image_names` identify images in files by their paths below the root. `revision` is the commit of a data
    hub from which the images come."""

    name: str
    images: ImageSequence
    labels: Ints  # [n] in [0, C)
    class_names: tuple[str, ...]
    images_digest: str
    image_groups: Mapping[str, Group] = field(default_factory=dict)
    class_groups: Mapping[str, Group] = field(default_factory=dict)
    class_vectors: NDArray[np.floating[Any]] | None = None  # [C, D]
    image_names: Sequence[str] | None = None  # [n], all different
    revision: str = ""

    def __post_init__(self) -> None:
        if len(self.images) != len(self.labels):
            raise ValueError(
                f"every image needs a label: {self.name} has {counted(len(self.images), 'image')} "
                f"and {counted(len(self.labels), 'label')}"
            )
        if len(set(self.class_names)) < len(self.class_names):
            twice = next(name for name in self.class_names if self.class_names.count(name) > 1)
            raise ValueError(f"class names of {self.name} must differ; {quoted(twice)} occurs twice")
        for groups, size, what in (
            (self.image_groups, len(self), "images"),
            (self.class_groups, len(self.class_names), "classes"),
        ):
            for name, group in groups.items():
                if len(group.codes) != size:
                    raise ValueError(
                        f"the group {quoted(name)} of {self.name} must name {size} {what}, found {len(group.codes)}"
                    )
        if self.image_names is not None and len(self.image_names) != len(self):
            raise ValueError(
                f"either every image of {self.name} needs a name or none: found "
                f"{counted(len(self.image_names), 'name')} for {counted(len(self), 'image')}"
            )
        if self.class_vectors is not None:
            _check_class_vectors(self.class_vectors, self.class_names, self.name)
        if len(self.labels) and not 0 <= self.labels.min() <= self.labels.max() < len(self.class_names):
            raise ValueError(
                f"labels of {self.name} must be in [0, {len(self.class_names)}), "
                f"found {self.labels.min()} to {self.labels.max()}"
            )

        remember_images(self)

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        what = counted(len(self), "image" if self.vectors is None else "vector")
        size = "" if self.vectors is None else f" of {counted(self.vectors.dim, 'number')}"
        return f"LabelledImages({self.name!r}: {what}{size}, {counted(len(self.class_names), 'class')})"

    def _repr_html_(self) -> str:
        """The size, and some images of the first classes."""
        shown = self.pool().by_class()[:CLASSES] if self.vectors is None else []
        lines = [(self.class_names[label], rows[:PER_CLASS].tolist()) for label, rows in enumerate(shown)]
        return pictures(repr(self), lines, self.thumbnail, len(self.class_names) - len(lines), "classes")

    def thumbnail(self, row: int) -> str:
        """The image of a row as a small picture in HTML; "" if it cannot be shown."""
        try:
            return thumbnail(self.images[row])
        except (OSError, ValueError):
            return ""

    @property
    def vectors(self) -> Vectors | None:
        """The vectors [n, D]; None if the data set holds images."""
        return self.images.vectors if isinstance(self.images, GivenVectors) else None

    def check_backbone(self, name: str, given: bool) -> None:
        """Raises a ValueError for a network on vectors, and for `Given` on images."""
        if given and self.vectors is None:
            raise ValueError(
                f"Given is for data sets of vectors, but {self.name} holds images; name a network that embeds them, "
                "such as tf_efficientnet_lite0 or pixels"
            )
        if self.vectors is not None and not given:
            raise ValueError(
                f"{self.name} holds vectors, so {name} has no images to embed; use Given(), or Given(name='...') "
                "to name the network that made the vectors"
            )

    @cached_property
    def orientation_matters(self) -> NDArray[np.bool_]:
        """[n] True for images whose meaning changes when they are flipped, from the class group of that name."""
        group = self.class_groups.get("orientation_matters")
        if group is None or "yes" not in group.names:
            return np.zeros(len(self), dtype=np.bool_)
        return group.mask("yes")[self.labels]

    @property
    def classes_digest(self) -> str:
        """A digest of the set of classes in any order; class splits refer to it."""
        return classes_digest(self.class_names)

    def mask(self, selector: str | None) -> NDArray[np.bool_]:
        """True for the images that "group=name" selects, such as "partition=train"; None selects all."""
        if selector is None:
            return np.ones(len(self), dtype=np.bool_)
        group, equals, name = selector.partition("=")
        if not equals or group not in self.image_groups:
            known = ", ".join(f"{g}=..." for g in self.image_groups) or "none: this data set has no image groups"
            raise ValueError(f"cannot select {quoted(selector)} from {self.name}; its image groups are {known}")
        return self.image_groups[group].mask(name)

    def pool(self, selector: str | None = None) -> Pool:
        """The selected rows of every class, cached: sorting 10^6 labels for every block would take longest."""
        if selector not in self._pools:
            rows = np.flatnonzero(self.mask(selector))
            order = np.argsort(self.labels[rows], kind="stable")
            counts = np.bincount(self.labels[rows], minlength=len(self.class_names))
            self._pools[selector] = Pool(rows[order].astype(np.int32), np.concatenate([[0], np.cumsum(counts)]))
        return self._pools[selector]

    @cached_property
    def _pools(self) -> dict[str | None, Pool]:
        return {}


@dataclass(frozen=True)
class ClassList:
    """The name of a data set and its class names, known before an image is opened."""

    name: str
    class_names: tuple[str, ...]


@dataclass(frozen=True)
class Dataset(Member, ABC):
    """A source of labelled images. Its fields select the images; a field of type Path is recorded, never hashed.

    `--data` reads a file or folder as the source that claims it, by `file_names` or `folder_files`; `reads` says
    which field of the source takes the place.
    """

    short_name: ClassVar[str] = ""  # the name for people, as a template (plugins/short_name.py); "": class and fields
    file_names: ClassVar[tuple[str, ...]] = ()  # patterns of the names of its files, such as "split_zhou_*.json"
    folder_files: ClassVar[tuple[tuple[str, ...], ...]] = ()  # names or patterns that all fit in its folder, or others

    edition: ClassVar[str] = ""  # the edition of well-known sets that its files hold, such as "CoOp"; "": any
    split: ClassVar[str | None] = None  # spec of the default class split
    is_bundled: ClassVar[bool] = False  # whether its files come with fewshot, so that rows of strangers may name it

    @abstractmethod
    def load(self) -> LabelledImages:
        """The images, not yet decoded. A ValueError names missing or unreadable files."""

    def class_list(self) -> ClassList | None:
        """The class names as `load` gives them, without opening an image; None if only `load` knows them."""
        return None

    @classmethod
    def reads(cls, place: str) -> str | None:
        """The field that takes a file or folder with such a name; None if its content is of another kind."""
        return next(one.name for one in fields(cls) if Parameter(one.name, str(one.type), one.default).is_path)

    def default_split(self) -> str | None:
        """Spec of the default class split; None if the user has to choose."""
        return self.split


A_DATA_SET = Rule(
    "a data set, such as Icons()", lambda value: isinstance(value, Dataset)
)  # as the field of another data set


def _check_class_vectors(vectors: NDArray[np.floating[Any]], class_names: Sequence[str], name: str) -> None:
    if vectors.ndim != 2 or len(vectors) != len(class_names) or not vectors.shape[1]:
        raise ValueError(
            f"class vectors of {name} must have the shape [{len(class_names)}, D], one row per class, "
            f"found {list(vectors.shape)}"
        )
    broken = np.flatnonzero(~np.isfinite(vectors).all(1))
    if len(broken):
        raise ValueError(
            f"the vector of the class {quoted(class_names[broken[0]])} of {name} has NaN or infinite numbers"
        )
