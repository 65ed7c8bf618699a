"""Well-known data sets, and the published counts of their editions.

data/known_sets.json lists for each set its usual names, where to get it, and its editions: that of its publisher,
CoOp's, VTAB's, MIEB's, ... An edition has a number of classes, the images per partition, the source of these numbers,
and an address of its own if it is offered elsewhere. Everything that fewshot knows of counts, pixels, checksums and
addresses is in this table: a benchmark names the edition that it needs.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fewshot.data import FOLDER
from fewshot.datasets import LabelledImages
from fewshot.datasets._known_counts import Counts, agrees, counts_of, difference, names_with
from fewshot.datasets._known_pixels import other_size, size_in_name
from fewshot.datasets._published_classes import matched, published_split
from fewshot.files.regular import md5_of
from fewshot.plugins.wording import agreeing, listed

_log = logging.getLogger("fewshot")


@dataclass(frozen=True)
class Edition:
    """An edition of a well-known data set: its number of classes, its images per partition, train, val and test, or
    "all" without partitions, and the edges of its square images, that of files without a size in their name first."""

    of: str  # the key of its set
    name: str
    classes: int
    images: Mapping[str, int]
    source: str  # of the numbers
    pixels: Sequence[int] = ()  # none: images of any size
    address: str = ""  # where to get it, as the words after "from"


@dataclass(frozen=True)
class KnownSet:
    """A well-known data set with its editions by name."""

    title: str
    names: tuple[str, ...]
    address: str  # where to get it, as the words after "from"
    editions: Mapping[str, Edition]
    split: str | None = None  # the published split that lists its classes, or some of them
    md5: Mapping[str, str] | None = None  # of its files, by image size

    @property
    def classes(self) -> frozenset[int]:
        """The numbers of classes of its editions."""
        return frozenset(each.classes for each in self.editions.values())


@cache
def known_sets() -> Mapping[str, KnownSet]:
    """All well-known data sets by key."""
    content = json.loads((FOLDER / "known_sets.json").read_text(encoding="utf-8"))
    return {key: _known_set(key, **entry) for key, entry in content.items()}


def _known_set(
    key: str, names: list[str], address: str, editions: dict[str, dict[str, object]], **rest: object
) -> KnownSet:
    read = {
        name: Edition(key, name, **{"address": address} | fields)  # type: ignore[arg-type]
        for name, fields in editions.items()
    }
    return KnownSet(names=tuple(names), address=address, editions=read, **rest)  # type: ignore[arg-type]


def edition(of: str, name: str) -> Edition:
    """The edition with this name of the set with this key."""
    return known_sets()[of].editions[name]


def report_known(images: LabelledImages, likely: str = "", path: object = None) -> None:
    """Reports the editions of a well-known data set that have the classes and counts of these images, and warns if
    there is none, or if the file `path` is not the published one. The warning compares with the edition of the name
    `likely`, or else with the nearest."""
    known = recognised(images)
    if known is None:
        return
    differs = difference_of(images, known, likely)
    names = names_with(len(images.class_names), counts_of(images), list(known.editions.values()), likely)
    if names and not differs:
        word = agreeing(len(names), "edition", "editions")
        _log.info("%s: this copy of %s has the counts of the %s %s", images.name, known.title, word, listed(names))
    differs = differs or other_checksum(images, known, path)
    if differs:
        edition = known.editions.get(likely)
        _log.warning(
            "%s: this copy of %s %s; published numbers may not apply; get it from %s",
            images.name,
            known.title,
            differs,
            known.address if edition is None else edition.address,
        )


def other_checksum(images: LabelledImages, known: KnownSet, path: object) -> str | None:
    """How the md5 of a file differs from the published one, as the end of a sentence "this copy ..."; None if it does
    not, or if none is published."""
    if known.md5 is None or not isinstance(path, str) or not Path(path).is_file():
        return None
    size = str(size_in_name(images.name, list(map(int, known.md5))))
    digest, published = md5_of(Path(path)), known.md5[size]
    if digest == published:
        return None
    return (
        f"has the md5 {digest} instead of {published}, that of the published file of {size} pixels, so its images or "
        "labels may be other ones"
    )


def difference_of(images: LabelledImages, known: KnownSet, likely: str = "") -> str | None:
    """How images differ from every edition, as the end of a sentence "this copy ..."; None if one agrees."""
    return difference_from(images, counts_of(images), list(known.editions.values()), likely)


def difference_from(
    images: LabelledImages, counts: Counts, editions: Sequence[Edition], likely: str = ""
) -> str | None:
    """How images with these counts differ from all of these editions, in counts or in pixels, as the end of a sentence
    "this copy ..."; None if one agrees."""
    own = [each for each in editions if len(images.class_names) == each.classes and agrees(counts, each.images)]
    possible = own or editions  # one of any size says nothing about these images
    fixed = all(each.pixels for each in possible)
    sizes = tuple(dict.fromkeys(size for each in possible for size in each.pixels)) if fixed else ()
    differences = difference(len(images.class_names), counts, editions, likely), other_size(images, sizes)
    return " and ".join(filter(None, differences)) or None


def recognised(images: LabelledImages, sets: Sequence[KnownSet] | None = None) -> KnownSet | None:
    """The well-known data set with the name of these images and with half of its classes; None if there is none."""
    name = _plain(images.name)
    for known in list(known_sets().values()) if sets is None else sets:
        if name in map(_plain, known.names) and _has_its_classes(images, known):
            return known
    return None


def _has_its_classes(images: LabelledImages, known: KnownSet) -> bool:
    most = max(known.classes)
    if not most <= 2 * len(images.class_names) <= 3 * most:
        return False
    if known.split is None or all(name.isdecimal() for name in images.class_names):
        return True
    listed = published_split(known.split).classes
    return 2 * len(matched(listed, images.class_names)) >= min(len(listed), len(images.class_names))


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())
