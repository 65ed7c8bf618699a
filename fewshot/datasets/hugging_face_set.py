"""Images and labels of the package datasets: by their name on the Hugging Face hub, or from a folder or parquet file.

fewshot run --data "HuggingFaceSet('ylecun/mnist', revision='main')" --backbone pixels --evaluator Prototype
fewshot run --data exported/beans --backbone tf_efficientnet_lite0 --evaluator LinearProbe
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from fewshot.datasets import ClassList, Dataset, Group, LabelledImages, images_digest
from fewshot.datasets._class_names import SILENT, warn_of_names
from fewshot.datasets._decoding import is_picture
from fewshot.datasets._digests import open_pictures
from fewshot.datasets._hub_columns import HubImages, image_column, label_column, labels_of, quiet, typed_images
from fewshot.datasets._image_files import folders_in
from fewshot.datasets._partitions import report_partitions, with_partitions
from fewshot.episodes.flat import Ints
from fewshot.files.quoting import quoted
from fewshot.files.regular import check_regular
from fewshot.plugins.folder_names import telling_file_name

_log = logging.getLogger("fewshot")
_SAVED = ("dataset_dict.json", "state.json")  # files of save_to_disk


@dataclass(frozen=True)
class HuggingFaceSet(Dataset):
    """A data set of the hub by its `name`, or a `path`: a folder that `save_to_disk` wrote, a folder of parquet files
    or of image folders as on the hub, or one parquet file.

    Its splits are the partitions. The columns of images and labels come from their types (Image, or a struct of bytes
    and path; ClassLabel), or are named; a named column of images may hold the bytes alone. Rows without a label (-1)
    are skipped with a warning. Labels are read first, images are decoded on access. Runs store the commit of the hub in
    the column data_revision.
    Needs the extra "hub".
    """

    short_name: ClassVar[str] = "[{name}|{path:shards}|from the hub][ {config}][ @{revision}]"
    file_names: ClassVar[tuple[str, ...]] = ("*.parquet",)
    folder_files: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("dataset_dict.json",),
        ("dataset_info.json", "state.json"),
        ("*.parquet",),
        ("data/*.parquet",),
    )

    name: str | None = None
    path: Path | None = None
    config: str | None = None
    image: str | None = None
    label: str | None = None
    revision: str | None = None

    @classmethod
    def reads(cls, place: str) -> str | None:
        """The field `path` for a folder that the package saved, and for parquet files with a column of images."""
        folder = Path(place)
        if not folder.is_dir() or any((folder / name).exists() for name in _SAVED):
            return "path" if folder.is_dir() or _has_images(folder) else None
        files = sorted(folder.glob("*.parquet")) or sorted((folder / "data").glob("*.parquet"))
        return "path" if all(map(_has_images, files)) and not _has_class_folders(folder) else None

    def class_list(self) -> ClassList:
        """The class names of the labels, without decoding an image."""
        where, parts = self._where(), self._parts(SILENT)
        return ClassList(self._title(), _joined(where, list(parts), self._labels(where, parts), SILENT)[0])

    def load(self) -> LabelledImages:
        """All images in the order of the splits. A ValueError says what is missing, and where to put it."""
        where, parts = self._where(), self._parts(_log)
        image = image_column(where, next(iter(parts.values())).features, self.image)
        class_names, labels, partition, rows = _joined(where, list(parts), self._labels(where, parts), _log)
        names = [f"{list(parts)[of]}/{row}" for of, row in zip(partition, rows, strict=True)]
        tables = [_encoded(part, image) for part in parts.values()]
        folders = [Path(place) for place in (self.path, _cache()) if place]
        pictures = HubImages(tables, image, partition, rows, names, folders)
        opened, digests = open_pictures(where, pictures, labels, names.__getitem__)
        warn_of_names(class_names, labels, where)
        groups = {"partition": Group.of(name.rpartition("/")[0] for name in names)} if len(parts) > 1 else {}
        own = with_partitions(groups, {}, labels, len(class_names))
        report_partitions(groups.get("partition"), own.get("partition"), labels, where)
        return LabelledImages(
            self._title(),
            opened,
            labels,
            class_names,
            images_digest(digests),
            groups,
            own,
            image_names=names,
            revision=" ".join(sorted({one for part in parts.values() for one in _revisions(part)})),
        )

    def _where(self) -> str:
        if (self.name is None) == (self.path is None):
            raise ValueError(
                "HuggingFaceSet needs the name of a data set on the hub, or the path of a local copy; write "
                "HuggingFaceSet('owner/name') or HuggingFaceSet(path='folder')"
            )
        return self.name or str(self.path)

    def _title(self) -> str:
        """The name of the data set: that of the hub without its owner, or that of the file or folder."""
        return (self.name or "").rpartition("/")[2] or telling_file_name(Path(self.path or "").resolve())

    def _labels(self, where: str, parts: Mapping[str, Any]) -> list[tuple[list[str], Ints]]:
        """The class names and the labels of each split."""
        column = label_column(where, next(iter(parts.values())).features, self.label)
        return [labels_of(where, part, column, part.features.get(column)) for part in parts.values()]

    def _parts(self, log: logging.Logger) -> dict[str, Any]:
        """The table of each split that has rows; a ValueError if none has."""
        try:
            import datasets
        except ImportError as error:
            raise ValueError(f"{self._where()} needs the package datasets: pip install 'fewshot[hub]'") from error
        if self.path is not None and not Path(self.path).exists():
            raise ValueError(
                f"there is no {self.path}; give a folder or a parquet file, or the name of a set on the hub"
            )
        try:
            with quiet(datasets):
                read = self._read(datasets)
        except Exception as error:  # of any kind: of the network, of files, of arrow
            raise ValueError(self._unreadable(error)) from error
        read = read if hasattr(read, "items") else {"all": read}
        parts = {str(name): typed_images(part, self.image) for name, part in read.items()}
        for name, part in parts.items():
            for found in _revisions(part)[:1]:
                log.info("%s: the split %s is of the revision %s", self._where(), name, found)
        held = {name: part for name, part in parts.items() if len(part)}
        if not held:
            raise ValueError(f"{self._where()} has no rows in {', '.join(parts) or 'any split'}; save it once more")
        return held

    def _read(self, datasets: Any) -> Any:
        if self.path is None:
            return datasets.load_dataset(self.name, self.config, revision=self.revision)
        path = Path(self.path)
        if path.is_file():
            return datasets.load_dataset("parquet", data_files=str(check_regular(path)), split="train")
        if any((path / name).exists() for name in _SAVED):
            return datasets.load_from_disk(str(path))
        return datasets.load_dataset(str(path), self.config)

    def _unreadable(self, error: Exception) -> str:
        cause = str(error).strip().partition("\n")[0] or type(error).__name__
        if self.path is not None:
            return f"{self.path} cannot be read by the package datasets: {cause}; save it once more with save_to_disk"
        return (
            f"the data set {self.name} is not in the cache of this machine and cannot be read from the hub ({cause}); "
            f"where there is a network, run `hf download --repo-type dataset {self.name} --local-dir FOLDER`, copy "
            "FOLDER here, and give HuggingFaceSet(path='FOLDER')"
        )


def _joined(
    where: str, parts: Sequence[str], named: Sequence[tuple[list[str], Ints]], log: logging.Logger
) -> tuple[tuple[str, ...], Ints, Ints, Ints]:
    """The names of the classes with images; and of each image with a label its class, its split and its row there."""
    known = list(dict.fromkeys(name for names, _ in named for name in names))
    place = {name: label for label, name in enumerate(known)}
    tables = [np.array([*(place[name] for name in names), -1], dtype=np.int64) for names, _ in named]
    labels = np.concatenate([table[own] for table, (_, own) in zip(tables, named, strict=True)])
    partition = np.repeat(np.arange(len(named)), [len(own) for _, own in named])
    rows = np.concatenate([np.arange(len(own)) for _, own in named])
    kept = labels >= 0
    without = {name: int((~kept[partition == of]).sum()) for of, name in enumerate(parts)}
    for name, count in without.items():
        if count:
            log.warning("%s: skipped %d images without a label in the split %r", where, count, name)
    if not kept.any():
        raise ValueError(f"{where} has no image with a label; name another column with label=...")
    used, classes = np.unique(labels[kept], return_inverse=True)
    return tuple(known[label] for label in used), classes.astype(np.int64), partition[kept], rows[kept]


def _encoded(part: Any, image: str) -> Any:
    """The table of one split with its images alone, not decoded."""
    import datasets

    if type(part.features[image]).__name__ != "Image":
        raise ValueError(
            f"the column {quoted(image)} holds {part.features[image]}, not images; name another with image=..."
        )
    return part.select_columns([image]).cast_column(image, datasets.Image(decode=False))


def _cache() -> str:
    import datasets

    return str(datasets.config.HF_CACHE_HOME)


def _revisions(part: Any) -> list[str]:
    """The commits of the hub that a split was read from."""
    sources = getattr(part.info, "download_checksums", None) or {}
    return sorted({found[1] for source in sources if (found := re.search(r"@([0-9a-f]{40})/", str(source)))})


def _has_class_folders(folder: Path) -> bool:
    """Whether a folder holds folders of pictures, which `ImageFolderSet` reads."""
    return any(is_picture(file.suffix) for inside in folders_in(folder) for file in inside.iterdir())


def _has_images(file: Path) -> bool:
    """Whether a parquet file has a column of encoded images; False if it cannot be read."""
    try:
        import pyarrow.parquet

        schema = pyarrow.parquet.read_schema(check_regular(file))
    except (ImportError, OSError, ValueError):  # pyarrow's errors are ValueErrors
        return False
    structs = [one.type for one in schema if str(one.type).startswith("struct")]
    return any({"bytes", "path"} <= {inner.name for inner in kind} for kind in structs)
