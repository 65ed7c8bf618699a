"""A user's own images: arrays of pixels and labels in an .npz file, such as those of MedMNIST.

np.savez("birds.npz", images=images, labels=labels, class_names=["gull", "wren"])
fewshot run --data birds.npz --backbone pixels --evaluator Prototype
"""

from __future__ import annotations

import logging
import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fewshot.datasets import ArrayImages, ClassList, Dataset, Group, LabelledImages, images_digest
from fewshot.datasets._class_names import SILENT, warn_of_names
from fewshot.datasets._depth import EIGHT, Scale, scales_of
from fewshot.datasets._digests import warn_copies
from fewshot.datasets._fills import inner_of_each
from fewshot.datasets._npz_images import image_arrays
from fewshot.datasets._partitions import check_partitions
from fewshot.datasets._pictures import BROKEN, PictureFacts, blank_rows, check_content, sign_of_contrast, warn_pictures
from fewshot.datasets.labelled_vectors import texts
from fewshot.episodes.flat import Ints
from fewshot.files.npz import Header, NpzFile
from fewshot.files.quoting import quoted
from fewshot.files.stored import StoredArray

_KINDS = {
    "u1": EIGHT, "u2": "unsigned 16-bit", "i2": "signed 16-bit", "i4": "signed 32-bit", "u4": "unsigned 32-bit",
    "f2": "float", "f4": "float", "f8": "float",
}  # fmt: skip
_AT_ONCE = 1 << 22  # numbers of a block
_MOST_PIXELS = 178_956_970  # of an image: Pillow refuses files of more
_log = logging.getLogger("fewshot")
_Rows = NDArray[Any] | StoredArray  # images in memory, or read from the file on access


@dataclass(frozen=True)
class ImageArrays(Dataset):
    """Images and labels from an .npz file: `images` [n, H, W] or [n, H, W, 3], and `labels` [n], integers or strings.

    With `train_images`, `train_labels`, `val_images`, ... and `test_images`, ... (MedMNIST), train, val and test become
    the image group partition. Optional arrays: `class_names` [C] for labels that are places in it, `partition` and
    "group:NAME" [n] with `images`. Pixels are uint8; other types share one scale per file (docs/images.md).
    """

    short_name: ClassVar[str] = "[{path:stem}|images]"

    path: Path

    def class_list(self) -> ClassList:
        """The class names of the labels, without reading an image."""
        file = NpzFile.opened(Path(self.path), "images")
        labels = _all_labels(file, _sizes(file, _parts(file, SILENT)))
        return ClassList(Path(self.path).stem, _classes(file, labels)[0])

    def load(self) -> LabelledImages:
        """All images in the order of the file. A ValueError names the array that is missing or wrong."""
        path = Path(self.path)
        file = NpzFile.opened(path, "images")
        parts = _parts(file, _log)
        sizes = _sizes(file, parts)
        _check_groups(file, sum(sizes.values()))
        arrays = {name: file.rows(name, _checked_shape(file.header(name), name, path)) for name in sizes}
        partition = [part for part, name in parts.items() for _ in range(sizes[name])]
        groups = _groups(file) if "" in parts else {"partition": Group.of(partition)}
        check_partitions(groups, lambda row: f"image {row}", str(path))
        class_names, places = _classes(file, _all_labels(file, sizes))
        warn_of_names(class_names, places, str(path))
        images, digests, blank = _opened(arrays, str(path))
        warn_copies(str(path), digests, places, lambda row: f"image {row}", blank)
        return LabelledImages(
            name=path.stem,
            images=images,
            labels=places,
            class_names=class_names,
            images_digest=images_digest(digests),
            image_groups=groups,
        )


@dataclass(frozen=True, eq=False)
class _Arrays:
    """Images of several arrays, one after the other; `scales` are those of arrays that are not uint8."""

    arrays: Sequence[_Rows]
    scales: Sequence[Scale | None]

    @cached_property
    def _start(self) -> list[int]:
        return list(accumulate(map(len, self.arrays), initial=0))

    def __len__(self) -> int:
        return self._start[-1]

    def __getitem__(self, row: int, /) -> Image.Image:
        part = bisect_right(self._start, row) - 1
        start = row - self._start[part]
        return self._images(part, np.asarray(self.arrays[part][start : start + 1]))[0]

    def blocks(self) -> Iterator[ArrayImages]:
        """All images in order, some at once."""
        return (self._images(part, block) for part, array in enumerate(self.arrays) for block in _blocks(array))

    def _images(self, part: int, values: NDArray[Any]) -> ArrayImages:
        scale = self.scales[part]
        return ArrayImages(values if scale is None else scale.eight_bit(values))


def _opened(arrays: Mapping[str, _Rows], name: str) -> tuple[_Arrays, list[bytes], frozenset[int]]:
    """The images with one scale per type, their digests, and the rows of blank ones; pictures that look wrong are
    refused or warned of. `arrays` are those of the file `name`, by their names in it."""
    facts = [picture for inside, array in arrays.items() for picture in _ranges(array, f"{name}: {quoted(inside)}")]
    scales = scales_of((picture.kind, picture.low, picture.high) for picture in facts)
    images = _Arrays(list(arrays.values()), [scales.get(_kind(array.dtype)) for array in arrays.values()])

    def where(row: int) -> str:
        return f"image {row}"

    check_content(name, facts, scales, where)
    digests = [digest for block in images.blocks() for digest in block.digests()]
    warn_pictures(name, facts, scales, where)
    return images, digests, blank_rows(facts)


def _ranges(array: _Rows, where: str) -> Iterator[PictureFacts]:
    """The facts of every image of an array, without their digests. `where`: the file and the array, for an error."""
    kind, mode = _kind(array.dtype), "RGB" if array.ndim == 4 else "L"
    (height, width), start = array.shape[1:3], 0
    for block in _blocks(array):
        broken = np.zeros(len(block), np.bool_)
        if block.dtype.kind == "f":
            block, broken = _finite(block, where, start)
        start += len(block)
        low, high = block.min((1, 2)).reshape(len(block), -1), block.max((1, 2)).reshape(len(block), -1)
        contrast = (high.astype(np.float64) - low).max(1)
        inner = [None] * len(block) if kind == EIGHT else inner_of_each(block)
        for place, most in enumerate(contrast):
            signs = (sign_of_contrast(most, kind), BROKEN if broken[place] else "")
            ends = float(low[place].min()), float(high[place].max())
            yield PictureFacts(width, height, mode, kind, *ends, tuple(filter(None, signs)), inner=inner[place])


def _finite(block: NDArray[Any], where: str, start: int) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Images without NaN and infinite values, which become their smallest finite one, and which of them had some. A
    ValueError names an image of such values alone; `start` is the row of the first image."""
    finite = np.isfinite(block)
    axes = tuple(range(1, block.ndim))
    least = np.where(finite, block, np.inf).min(axes, keepdims=True)
    lost = np.flatnonzero(np.isinf(least).any(axes))
    if len(lost):
        raise ValueError(f"{where}: image {start + lost[0]} has no finite number; correct it, or remove it")
    return np.where(finite, block, least), ~finite.all(axes)


def _blocks(array: _Rows) -> Iterator[NDArray[Any]]:
    """All images in order, in blocks of about 4 million numbers."""
    step = max(1, _AT_ONCE // math.prod(array.shape[1:]))
    if isinstance(array, StoredArray):
        return array.blocks(step)
    return (np.asarray(array[start : start + step]) for start in range(0, len(array), step))


def _kind(dtype: np.dtype[Any]) -> str:
    return _KINDS.get(f"{dtype.kind}{dtype.itemsize}", "")


def _parts(file: NpzFile, log: logging.Logger) -> dict[str, str]:
    """The names of the arrays of images by partition. A file without any is a ValueError, and one with both forms: one
    of them would be ignored."""
    parts = image_arrays(file.members)
    if not parts:
        raise ValueError(
            f"{file.path} holds no array images and no train_images, but {', '.join(file.members) or 'nothing'}"
        )
    others = image_arrays(name for name in file.members if name != "images") if "" in parts else {}
    if others:
        both = f"'images' and {', '.join(map(repr, others.values()))}"
        raise ValueError(
            f"{file.path} holds {both}; keep one of the two forms: images and labels with an array partition, or "
            "images and labels of each partition"
        )
    return _without_empty(file, parts, log)


def _sizes(file: NpzFile, parts: Mapping[str, str]) -> dict[str, int]:
    """The number of images in each array, from the headers alone."""
    shapes = {name: _checked_shape(file.header(name), name, Path(file.path)) for name in parts.values()}
    return {name: _size(file, name, shape[0]) for name, shape in shapes.items()}


def _all_labels(file: NpzFile, sizes: Mapping[str, int]) -> NDArray[Any]:
    """The labels of all images, array by array."""
    return np.concatenate([_labels(file, name, size) for name, size in sizes.items()])


def _without_empty(file: NpzFile, parts: dict[str, str], log: logging.Logger) -> dict[str, str]:
    """The partitions that hold images; a warning names the others, and no image at all is a ValueError."""
    empty = {part: name for part, name in parts.items() if file.header(name)[0][:1] == (0,)}
    if len(empty) == len(parts):
        shown = ", ".join(f"{quoted(name)} of shape {list(file.header(name)[0])}" for name in empty.values())
        raise ValueError(f"{file.path} holds no images: found {shown}; save at least one image per class")
    for part in empty:
        log.warning("%s: skipped the partition %r, which is empty", file.path, part)
    return {part: name for part, name in parts.items() if part not in empty}


def _checked_shape(header: Header, name: str, path: Path) -> tuple[int, ...]:
    """The shape [n, H, W] or [n, H, W, 3] of images; a ValueError describes any other array."""
    shape, _, dtype = header
    found = f"{path}: {quoted(name)} is {dtype} of shape {list(shape)}"
    if not _kind(dtype):
        raise ValueError(f"{found}; images must be numbers, preferably uint8")
    if 0 in shape or len(shape) not in (3, 4):
        raise ValueError(f"{found}; images must have the shape [n, H, W] or [n, H, W, 3], volumes are not read")
    if len(shape) == 4 and shape[3] not in (1, 3):
        first = "move the colours to the end with np.moveaxis(images, 1, -1)" if shape[1] in (1, 3) else ""
        raise ValueError(f"{found}, but images have 1 or 3 colours in the last axis; {first or 'volumes are not read'}")
    if shape[1] * shape[2] > _MOST_PIXELS:
        raise ValueError(f"{found}; an image has at most {_MOST_PIXELS:,} pixels here; save smaller ones")
    return shape[:3] if shape[3:] == (1,) else shape


def _size(file: NpzFile, images: str, n_images: int) -> int:
    """The number of images, if the header of their labels has as many; else a ValueError. No array is read."""
    name = f"{images.removesuffix('images')}labels"
    shape, _, dtype = file.header(name)
    if len(shape) == 2 and shape[1] > 1:
        raise ValueError(
            f"{file.path}: {quoted(name)} of shape {list(shape)} has {shape[1]} labels per image (multi-label "
            "or one-hot), but an image has one class here; save the number of its class, such as labels.argmax(1) if "
            "every row has exactly one 1, and leave out images with several classes"
        )
    if dtype.kind not in "iuSU" or math.prod(shape) != n_images:
        raise ValueError(
            f"{file.path}: {quoted(name)} must be one integer or string for each of {n_images:,} images, "
            f"found {dtype} of shape {list(shape)}"
        )
    return n_images


def _labels(file: NpzFile, images: str, n_images: int) -> NDArray[Any]:
    """The labels [n] of an array of images: integers or strings."""
    labels = file.array(f"{images.removesuffix('images')}labels").reshape(n_images)
    known = labels if labels.dtype.kind in "iu" else texts(labels)
    assert known is not None  # by `_size`
    return known


def _classes(file: NpzFile, labels: NDArray[Any]) -> tuple[tuple[str, ...], Ints]:
    """The names of all classes with images, and the class of every image."""
    values, places = np.unique(labels, return_inverse=True)
    if "class_names" not in file.members or labels.dtype.kind not in "iu":
        return tuple(values.astype(np.str_).tolist()), places.astype(np.int64)
    names = texts(file.array("class_names"))
    if names is None or names.ndim != 1 or values[0] < 0 or values[-1] >= len(names):
        raise ValueError(
            f"{file.path}: class_names must be a list of strings, and labels places in it; the labels are "
            f"{values[0]} to {values[-1]}, class_names has the shape {list(file.array('class_names').shape)}"
        )
    return tuple(names[values].tolist()), places.astype(np.int64)


def _check_groups(file: NpzFile, n_images: int) -> None:
    """Raises a ValueError unless the headers of all groups have one value per image."""
    for name in filter(_is_group, file.members):
        shape = file.header(name)[0]
        if shape != (n_images,):
            raise ValueError(f"{file.path}: {quoted(name)} must have the shape [{n_images}], found {list(shape)}")


def _groups(file: NpzFile) -> dict[str, Group]:
    """The image groups that `partition` and "group:NAME" hold."""
    groups = {}
    for name in filter(_is_group, file.members):
        values = file.array(name)
        known = texts(values)
        groups[name.removeprefix("group:")] = Group.of(values.astype(np.str_) if known is None else known)
    return groups


def _is_group(name: str) -> bool:
    return name == "partition" or name.startswith("group:")
