"""torchvision's classification data sets by name, from files on disk or downloaded.

FashionMNIST without a hub, from Debian's package (31 MB):

    apt-get install dataset-fashion-mnist
    fewshot run --data "TorchvisionSet('FashionMNIST')" --support-from partition=train --query-from partition=test
"""

from __future__ import annotations

import importlib.util
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import accumulate
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from fewshot.datasets import ClassList, Dataset, Group, LabelledImages, image_digest, images_digest
from fewshot.datasets._decoding import to_rgb
from fewshot.datasets._digests import Files, open_files, warn_copies
from fewshot.datasets._torchvision_files import NotPublishedError, check_files, load_cifar, unpack_gz
from fewshot.datasets._torchvision_sources import DEBIAN_SETS, SOURCES, Source
from fewshot.episodes.flat import Ints
from fewshot.files.atomic import home, make_folder
from fewshot.files.progress import with_progress
from fewshot.files.quoting import message
from fewshot.plugins.suggestions import nearest
from fewshot.plugins.wording import counted

_MOST_CLASSES = 1_000_000  # of a set without class names, whose numbers may be damaged


@dataclass(frozen=True)
class TorchvisionSet(Dataset):
    """A classification data set of torchvision by its name, such as "FashionMNIST", "EMNIST-letters" or "Food101".

    `root` is the folder that torchvision expects, by default "torchvision" beside the caches; `download` downloads the
    set first. Train, val and test become the image group partition. MNIST and its relatives may be .gz files, also
    those of Debian's packages. Class names come from the loader, else they are numbers; classes without images are
    skipped. Images in files are sorted by path and turned upright. Pickles (CIFAR) are loaded after their checksum, and
    only numbers, text and arrays in them. There is no default split: only the user knows whether the backbone was
    trained on these classes.
    """

    short_name: ClassVar[str] = "{name}"

    name: str
    root: Path | None = None
    download: bool = False

    def class_list(self) -> ClassList | None:
        """The class names of the loader; None if only images have labels, or if they have to be downloaded."""
        source = self._source()
        if source.labels is None or self.download:
            return None
        return ClassList(self.name, _joined_labels(self._parts(source))[0])

    def load(self) -> LabelledImages:
        """All images of all partitions. A ValueError names missing or damaged files and their place."""
        source = self._source()
        parts = self._parts(source)
        class_names, labels = _joined_labels(parts)
        partition = [name for name, part in zip(source.partitions, parts, strict=True) for _ in part.labels]
        images, digests = _opened(self.name, parts, labels, partition)
        return LabelledImages(
            name=self.name,
            images=images,
            labels=labels,
            class_names=class_names,
            images_digest=images_digest(digests),
            image_groups={"partition": Group.of(partition)} if partition[0] else {},
        )

    def _source(self) -> Source:
        if self.name not in SOURCES:
            near = nearest(self.name, SOURCES)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(f"unknown name {self.name!r} of TorchvisionSet; known: {', '.join(SOURCES)}{meant}")
        return SOURCES[self.name]

    def _checked_root(self, source: Source) -> Path:
        """The folder that holds the set, or that it can be downloaded to; else a ValueError."""
        root = home() / "torchvision" if self.root is None else Path(self.root).expanduser()
        for package in (source.needs, source.needs_to_download if self.download else ""):
            if package and importlib.util.find_spec(package) is None:
                raise ValueError(f"{self.name} needs the package {package}; install it with `pip install {package}`")
        if self.download and source.by_hand:
            raise ValueError(f"{self.name} cannot be downloaded: {source.by_hand}; then put it into {root}")
        _unpack(source.loader, root, _debian_folder(source) if self.root is None else None)
        check_files(root / source.expects)
        if self.download:
            return make_folder(root)
        if not (root / source.expects).exists():
            raise ValueError(
                f"{self.name} is not in {root}: torchvision expects {source.expects} there; "
                f"set root to the folder that holds it, or {self._otherwise(source)}"
            )
        return root

    def _otherwise(self, source: Source) -> str:
        """How to get the files."""
        rootless = "" if self.root is None else " and leave root out"
        packaged = f"run `apt-get install {source.debian}`{rootless}, or " if source.debian else ""
        return packaged + (source.by_hand or "use download=True with a network connection")

    def _parts(self, source: Source) -> list[_Part]:
        root = self._checked_root(source)
        return [self._part(source, root, name) for name in source.partitions]

    def _part(self, source: Source, root: Path, partition: str) -> _Part:
        """One partition, read by torchvision. Any error of its loaders becomes a ValueError."""
        loader = getattr(importlib.import_module("torchvision.datasets"), source.loader)
        arguments = dict(source.partitions[partition])
        if not source.by_hand:  # the loaders of the others do not all have this argument
            arguments["download"] = self.download
        try:
            read = partial(load_cifar, loader) if source.loader.startswith("CIFAR") else loader
            return _read_part(source, read(root, **arguments))
        except NotPublishedError as error:
            raise ValueError(f"{self.name} in {root} is not the published data set: {error}") from error
        except Exception as error:  # of any kind
            what = "cannot be downloaded or read" if self.download else "is incomplete or damaged"
            raise ValueError(f"{self.name} {what} in {root} ({partition or 'all images'}): {message(error)}") from error


@dataclass(frozen=True, eq=False)
class _Part:
    """A loaded partition; images in files are sorted by path."""

    dataset: Any
    labels: Ints
    classes: Sequence[str] | None
    paths: Sequence[Path] | None


def _read_part(source: Source, dataset: Any) -> _Part:
    """Labels, files and class names of a torchvision data set; it decodes the images if only they have labels."""
    if source.labels is None:
        rows = with_progress(range(len(dataset)), len(dataset), "reading labels", "image")
        found = [dataset[row][1] for row in rows]
    else:
        found = source.labels(dataset)
    if any(label is None for label in found):
        raise ValueError("its files hold images without labels")
    labels = np.asarray(found).astype(np.int64)
    classes = None if source.classes is None else _distinct(source.classes(dataset))
    _check_labels(labels, len(dataset), classes)
    if source.files is None:
        return _Part(dataset, labels, classes, None)
    paths = [Path(path) for path in source.files(dataset)]
    order = sorted(range(len(paths)), key=paths.__getitem__)
    return _Part(dataset, labels[order], classes, [paths[row] for row in order])


def _check_labels(labels: Ints, n_images: int, classes: Sequence[str] | None) -> None:
    """Raises a ValueError unless every image has one label, and every label is a class."""
    if not n_images or labels.shape != (n_images,):
        raise ValueError(f"it holds {counted(n_images, 'image')} and {counted(labels.size, 'label')}")
    n_classes = _MOST_CLASSES if classes is None else len(classes)
    wrong = labels[(labels < 0) | (labels >= n_classes)]
    if len(wrong):
        raise ValueError(f"labels must be in [0, {n_classes}), found {wrong[0]}")


def _distinct(names: Iterable[str | Sequence[str]]) -> list[str]:
    """Class names, the first of several synonyms; equal names get their number ("crane 134")."""
    short = [name if isinstance(name, str) else name[0] for name in names]
    counts = Counter(short)
    return [name if counts[name] == 1 else f"{name} {label}" for label, name in enumerate(short)]


def _joined_labels(parts: Sequence[_Part]) -> tuple[tuple[str, ...], Ints]:
    """The names of all classes with images, and the class of every image of every part."""
    digits = len(str(max(part.labels.max() for part in parts)))
    named = [part.classes or [f"{label:0{digits}}" for label in range(part.labels.max() + 1)] for part in parts]
    used = {names[label] for part, names in zip(parts, named, strict=True) for label in np.unique(part.labels)}
    known = [name for name in dict.fromkeys(name for names in named for name in names) if name in used]
    if parts[0].paths is not None:
        known.sort()  # some loaders list folders in random order
    place = {name: label for label, name in enumerate(known)}
    tables = [np.array([place.get(name, -1) for name in names], dtype=np.int64) for names in named]
    return tuple(known), np.concatenate([table[part.labels] for table, part in zip(tables, parts, strict=True)])


def _look(image: Image.Image) -> tuple[bytes, bool]:
    """The digest of an RGB image, and whether it has one colour only."""
    return image_digest(image), all(low == high for low, high in image.getextrema())  # type: ignore[misc]


def _opened(
    name: str, parts: Sequence[_Part], labels: Ints, partition: Sequence[str]
) -> tuple[Files | _Decoded, list[bytes]]:
    """The images of all parts, and the digest of every image; those of files may come from the cache."""
    if parts[0].paths is not None:
        paths = [path for part in parts for path in part.paths or ()]
        return open_files(name, paths, labels, paths.__getitem__)
    images = _Decoded([part.dataset for part in parts])
    rows = with_progress(range(len(images)), len(images), "reading images", "image", len(images) > 2e5)
    looks = [_look(images[row]) for row in rows]
    digests, blank = [digest for digest, _ in looks], frozenset(row for row, (_, blank) in enumerate(looks) if blank)

    def where(row: int) -> str:
        return f"{partition[row]} {row - partition.index(partition[row])}".strip()

    warn_copies(name, digests, labels, where, blank)
    return images, digests


@dataclass(frozen=True)
class _Decoded:
    """Images that torchvision keeps as arrays, one partition after the other."""

    datasets: Sequence[Any]

    @cached_property
    def _start(self) -> list[int]:
        return list(accumulate(map(len, self.datasets), initial=0))

    def __len__(self) -> int:
        return self._start[-1]

    def __getitem__(self, row: int, /) -> Image.Image:
        part = bisect_right(self._start, row) - 1
        return to_rgb(self.datasets[part][row - self._start[part]][0])


def _debian_folder(source: Source) -> Path | None:
    """The folder of Debian's package; None if there is none."""
    return DEBIAN_SETS / source.debian.removeprefix("dataset-") if source.debian else None


def _unpack(loader_name: str, root: Path, elsewhere: Path | None) -> None:
    """Unpacks the .gz files of MNIST and its relatives; a ValueError names files of old torchvision releases."""
    loader = getattr(importlib.import_module("torchvision.datasets"), loader_name)
    resources = getattr(loader, "resources", None)
    if resources is None:
        return
    old = sorted((root / loader_name / "processed").glob("*.pt"))
    if old:
        raise ValueError(f"{old[0]} is a pickle of an old torchvision and is not loaded; delete {old[0].parent}")
    lists = resources.values() if isinstance(resources, dict) else [resources]
    unpack_gz(root / loader_name / "raw", [resource for some in lists for resource in some], elsewhere)
