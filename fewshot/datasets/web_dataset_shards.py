"""Images in shards of the package webdataset: .tar files with pairs such as 0001.jpg and 0001.cls.

fewshot run --data wds_vtab-dtd --backbone tf_efficientnet_lite0 --evaluator LinearProbe
fewshot run --data 's3://bucket/dtd/test/{0..3}.tar' --backbone tf_efficientnet_lite0 --evaluator Prototype
"""

from __future__ import annotations

import glob
import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from fewshot.datasets import ClassList, Dataset, Group, LabelledImages, images_digest
from fewshot.datasets._class_names import warn_of_names
from fewshot.datasets._digests import open_pictures
from fewshot.datasets._partitions import is_partition, report_partitions, with_partitions
from fewshot.datasets._tar_shards import Sample, ShardImages, is_of_shards, samples_of
from fewshot.episodes.flat import Ints
from fewshot.files.progress import with_progress
from fewshot.files.quoting import quoted
from fewshot.files.regular import read_text
from fewshot.plugins.folder_names import telling_file_name

_BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}")
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?", re.ASCII)
_MOST_SHARDS = 100_000
_FEWEST_SHOWN = 4  # shards from which on a progress bar is shown
_MOST_NAMED = 3  # labels in a message
_log = logging.getLogger("fewshot")


@dataclass(frozen=True)
class WebDatasetShards(Dataset):
    """Images in .tar files: each sample has an image (key.jpg, key.png, key.webp) and a label (key.cls).

    `path` is a folder of .tar files, or one of them. `names` are several with braces, such as "train-{000..012}.tar",
    or a URL of any kind that fsspec opens (the extra "hub"). Shards in folders named train, val or test, or whose names
    begin so, are partitions. Labels are class names, or numbers: then names come from classnames.txt beside the shards
    or one folder above. Shards are never unpacked: labels and places are read first, then the images in their order.
    """

    short_name: ClassVar[str] = "[{path:shards}|{names:shards}|shards]"
    file_names: ClassVar[tuple[str, ...]] = ("*.tar",)
    folder_files: ClassVar[tuple[tuple[str, ...], ...]] = (("*.tar",), ("test/*.tar",), ("train/*.tar",))

    path: Path | None = None
    names: str | None = None

    @classmethod
    def reads(cls, place: str) -> str | None:
        """The field `names` for names with braces and URLs, and `path` for shards that hold samples with labels."""
        if "://" in place or _BRACES.search(place):
            return "names"
        first = Path(place)
        if first.is_dir():
            first = next(iter(sorted(first.glob("*.tar")) or sorted(first.glob("*/*.tar"))))
        return "path" if is_of_shards(first) else None

    def class_list(self) -> ClassList | None:
        """The class names of the labels, without opening an image; None behind a URL, where a pass over the shards is
        as slow as loading."""
        where = self._where()
        if "://" in where:
            return None
        shards, samples = _index(where)
        return ClassList(_title(where), _classes(where, shards, samples)[0])

    def load(self) -> LabelledImages:
        """All images in the order of the shards. A ValueError names a shard that is missing or wrong."""
        where = self._where()
        shards, samples = _index(where)
        parts = [_partition(shard) for shard in shards]
        names = [f"{parts[s.shard] or s.shard}/{s.key}" for s in samples]
        _check_keys(where, names)
        class_names, labels = _classes(where, shards, samples)
        images, digests = open_pictures(where, ShardImages(shards, samples), labels, names.__getitem__)
        warn_of_names(class_names, labels, where)
        groups = {"partition": Group.of(parts[s.shard] for s in samples)} if any(parts) else {}
        own = with_partitions(groups, {}, labels, len(class_names))
        report_partitions(groups.get("partition"), own.get("partition"), labels, where)
        return LabelledImages(
            _title(where), images, labels, class_names, images_digest(digests), groups, own, image_names=names
        )  # fmt: skip

    def _where(self) -> str:
        if (self.path is None) == (self.names is None):
            raise ValueError("WebDatasetShards needs a path, or names with braces or a URL; give one of the two")
        return str(self.names or self.path)


def _title(where: str) -> str:
    """The name of the data set."""
    return telling_file_name(where if "://" in where else Path(where).resolve())


def _index(where: str) -> tuple[list[str], list[Sample]]:
    """The shards, and the samples in them: labels and places, no image."""
    shards = _shards(where)
    progress = with_progress(enumerate(shards), len(shards), "reading labels", "shard", len(shards) >= _FEWEST_SHOWN)
    samples = [sample for number, shard in progress for sample in samples_of(shard, number)]
    if not samples:
        raise ValueError(f"{where} holds no samples; expected pairs such as 0001.jpg and 0001.cls in .tar files")
    return shards, samples


def _shards(where: str) -> list[str]:
    """The paths or URLs of all shards, in order."""
    expanded = [where]
    while braces := _BRACES.search(expanded[0]):
        first, last = map(int, braces.groups())
        if last < first or (last - first + 1) * len(expanded) > _MOST_SHARDS:
            raise ValueError(f"{where}: {braces.group()} must count upwards, to at most {_MOST_SHARDS:,} shards")
        numbers = [f"{number:0{len(braces.group(1))}}" for number in range(first, last + 1)]
        expanded = [_BRACES.sub(number, one, count=1) for one in expanded for number in numbers]
    if len(expanded) == 1 and Path(where).is_dir():
        expanded = sorted(glob.glob(f"{glob.escape(where)}/**/*.tar", recursive=True))
    missing = [one for one in expanded if "://" not in one and not Path(one).is_file()]
    if missing or not expanded:
        found = (
            f"{len(missing)} of {len(expanded)} shards are missing, such as {missing[0]}" if missing else "no .tar file"
        )
        raise ValueError(f"{where}: {found}; give a folder of shards, or names such as train-{{000..012}}.tar")
    return expanded


def _partition(shard: str) -> str:
    """The partition of a shard: the name of its folder, or the first word of its own name; "" if neither is usual."""
    *folders, file = shard.split("/")
    words = [re.split(r"[-_.]", file)[0], *folders[-1:]]
    return next((word for word in words if is_partition(word)), "")


def _check_keys(where: str, names: Sequence[str]) -> None:
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise ValueError(
            f"{where}: the key {quoted(name)} occurs {count} times; keys must differ, so keep one copy of a shard"
        )


def _classes(where: str, shards: Sequence[str], samples: Sequence[Sample]) -> tuple[tuple[str, ...], Ints]:
    """The class names, and the class of each sample."""
    texts = [sample.label for sample in samples]
    known = _class_names(where, shards)
    if not all(text.isascii() and text.isdigit() and len(text) < 10 for text in texts):
        written, labels = np.unique(texts, return_inverse=True)
        _check_unused(where, written.tolist(), known)
        return tuple(map(str, written)), labels.astype(np.int64)
    values, labels = np.unique([int(text) for text in texts], return_inverse=True)
    return _names_of(where, values.tolist(), known), labels.astype(np.int64)


def _check_unused(where: str, written: Sequence[str], known: Sequence[str]) -> None:
    """Raises a ValueError for labels that are numbers but no lines of classnames.txt; a warning says where labels are
    names that it does not have."""
    others = [text for text in written if text not in known]
    if not known or not others:
        return
    if any(_NUMBER.fullmatch(text) for text in written):
        wrong = next((text for text in others if not text.isdigit() or int(text) >= len(known)), others[0])
        raise ValueError(
            f"{where}: classnames.txt has {len(known)} names, for the labels 0 to {len(known) - 1}, but there is a "
            f"label {wrong[:40]}; correct the label, or remove classnames.txt"
        )
    message = "%s: the labels are names, so fewshot ignores classnames.txt, which lacks %s"
    _log.warning(message, where, ", ".join(map(repr, others[:_MOST_NAMED])))


def _names_of(where: str, values: Sequence[int], known: Sequence[str]) -> tuple[str, ...]:
    """The names of the labels by the lines of classnames.txt, with the number where two labels share a name ("crane
    134"); the numbers themselves without such lines."""
    if not known:
        return tuple(str(value).zfill(len(str(values[-1]))) for value in values)
    if len(known) <= values[-1]:
        raise ValueError(
            f"{where}: classnames.txt has {len(known)} names, but there is a label {values[-1]}; add the others"
        )
    counts = Counter(known[value] for value in values)
    return tuple(known[value] if counts[known[value]] == 1 else f"{known[value]} {value}" for value in values)


def _class_names(where: str, shards: Sequence[str]) -> list[str]:
    """The lines of classnames.txt beside the shards or above them; none if there is no such file here."""
    if "://" in where:
        return []
    folders = [Path(where), Path(shards[0]).parent, Path(shards[0]).parent.parent]
    file = next((folder / "classnames.txt" for folder in folders if (folder / "classnames.txt").is_file()), None)
    try:
        return [line.strip() for line in read_text(file, "list").splitlines() if line.strip()] if file else []
    except (UnicodeDecodeError, OSError) as error:
        raise ValueError(f"cannot read {file}: {error}; save it as UTF-8") from error
