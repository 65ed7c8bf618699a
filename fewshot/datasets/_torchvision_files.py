"""Reads files of published data sets without trusting them: checksums of archives and pickles are verified first, and
the unpickler builds only numbers, text, lists, dicts and arrays.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import pickle
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from fewshot.datasets._known_sets import known_sets
from fewshot.files.atomic import write_atomically
from fewshot.files.quoting import message
from fewshot.files.regular import check_regular, read_bytes

_RECONSTRUCT = np.zeros(1).__reduce__()[
    0
]  # the first call in the pickle of an array; its place differs between numpy versions
_ARRAYS = {
    "numpy.core.multiarray._reconstruct": _RECONSTRUCT,
    "numpy._core.multiarray._reconstruct": _RECONSTRUCT,
    "numpy.ndarray": np.ndarray,
    "numpy.dtype": np.dtype,
}

# The published md5 of FashionMNIST's archives, and the sha256 of their content: distributions compress it again
# without name and time. With name and time restored, Debian's archives have the published md5.
_CONTENTS = {
    "8d4fb7e6c68d591d4c3dfef9ec88bf0d": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "25c81989df183df01b3e8a0aad5dffbe": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "bef4ecab320f06d8554ea6380940ec79": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "bb300cfdad3c16e7a12a480ee83cd310": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
_NO_OTHER_PICKLE = (
    ", or save its images in folders of classes and give that folder: fewshot loads no pickle that was not published"
)
_MOST_BYTES = 1 << 30  # of an unpacked file: bounds the memory for content that is not verified yet


def unpack_gz(raw: Path, resources: Iterable[tuple[str, str]], elsewhere: Path | None = None) -> None:
    """Unpacks every "<name>.gz" in `raw` or `elsewhere` into `raw`, unless that is done already.

    `resources` are pairs (address, md5); a ValueError names an archive with another md5 and unknown content."""
    for address, md5 in resources:
        name = Path(os.path.basename(address))
        archives = [folder / name for folder in (raw, elsewhere) if folder is not None and (folder / name).is_file()]
        if archives and name.suffix == ".gz" and not (raw / name.stem).exists():
            write_atomically(raw / name.stem, _unpacked(archives[0], md5))


def _unpacked(archive: Path, md5: str) -> bytes:
    try:
        with gzip.open(archive) as opened:
            content = opened.read(_MOST_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{archive} cannot be unpacked: {message(error)}; get it again") from error
    if hashlib.sha256(content).hexdigest() != _CONTENTS.get(md5):
        checked(archive, md5)
    return content


def check_files(folder: Path) -> None:
    """Raises a ValueError if a file below a folder is a pipe, a socket or a device: torchvision would wait for it."""
    for inside, _, names in os.walk(folder):
        for name in names:
            check_regular(Path(inside, name))


class NotPublishedError(ValueError):
    """A file is not the published one."""


def checked(path: Path, md5: str, advice: str = "get it again") -> bytes:
    """The content of a file; a NotPublishedError if it does not have this md5. `advice`: what the user
    can do."""
    try:
        content = read_bytes(path)
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from error
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != md5:
        raise NotPublishedError(f"{path} has the md5 {found} instead of {md5}, that of the published file; {advice}")
    return content


def load_cifar(loader: Any, root: Path, train: bool, download: bool = False) -> Any:
    """torchvision's CIFAR10 or CIFAR100 as its constructor builds it, with safe unpickling. Every file is read once, so
    the unpickled bytes are those that had the md5."""
    from torchvision.datasets import VisionDataset

    dataset = loader.__new__(loader)
    VisionDataset.__init__(dataset, root)
    dataset.train = train
    if download:
        dataset.download()
    folder = root / dataset.base_folder
    advice = f"get it from {known_sets()[loader.__name__.lower()].address}{_NO_OTHER_PICKLE}"
    batches = [
        unpickle(checked(folder / name, md5, advice), folder / name)
        for name, md5 in (dataset.train_list if train else dataset.test_list)
    ]
    meta = folder / dataset.meta["filename"]
    dataset.classes = unpickle(checked(meta, dataset.meta["md5"], advice), meta)[dataset.meta["key"]]
    dataset.data = np.vstack([batch["data"] for batch in batches]).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    dataset.targets = [label for batch in batches for label in batch.get("labels", batch.get("fine_labels"))]
    return dataset


class _Unpickler(pickle.Unpickler):
    """Resolves only the four names that arrays need."""

    def find_class(self, module: str, name: str) -> Any:
        if f"{module}.{name}" not in _ARRAYS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is not a number, text or array")
        return _ARRAYS[f"{module}.{name}"]


def unpickle(content: bytes, name: object) -> Any:
    """The numbers, text, lists, dicts and arrays of a pickle; a ValueError names anything else that it asks for, and
    none of it has run."""
    try:
        return _Unpickler(io.BytesIO(content), encoding="latin1").load()
    except Exception as error:  # a damaged pickle raises nearly anything
        raise ValueError(f"{name} is not loaded: {message(error)}") from error
