"""How to load torchvision's classification data sets: one row per set, for `torchvision_set.py`.

Not included: sets without one class per image (detection, flow, captions, pairs), videos, LSUN (it needs lmdb and an
unsigned pickle), and `FakeData` and `ImageFolder`, which are not published sets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

Arguments = Mapping[str, Any]
Getter = Callable[[Any], Any]  # of a torchvision data set


@dataclass(frozen=True)
class Source:
    """A data set of torchvision: its loader, the arguments for each partition, and how to get labels, files and class
    names from the loaded object (None: labels only by indexing, arrays instead of files, no class names)."""

    loader: str
    expects: str  # relative to the root; it exists if the data set does
    partitions: Mapping[str, Arguments]
    labels: Getter | None
    files: Getter | None = None
    classes: Getter | None = attrgetter("classes")
    by_hand: str = ""  # why it cannot be downloaded, or how to get it
    needs: str = ""  # a package that reads it
    needs_to_download: str = ""
    debian: str = ""  # Debian's package with its .gz files


DEBIAN_SETS = Path("/usr/share/datasets")  # one folder per package, without the prefix "dataset-"


def _splits(*same: str, **renamed: str) -> dict[str, Arguments]:
    """Partitions of a loader with the argument `split`, under torchvision's name or another."""
    return {name: {"split": split} for name, split in {**{name: name for name in same}, **renamed}.items()}


def _with(partitions: Mapping[str, Arguments], **more: Any) -> dict[str, Arguments]:
    return {name: {**arguments, **more} for name, arguments in partitions.items()}


def _firsts(attribute: str) -> Getter:
    return lambda dataset: [pair[0] for pair in getattr(dataset, attribute)]


def _seconds(attribute: str) -> Getter:
    return lambda dataset: [pair[1] for pair in getattr(dataset, attribute)]


def _omniglot_files(dataset: Any) -> list[Path]:
    return [
        Path(dataset.target_folder, dataset._characters[label], name) for name, label in dataset._flat_character_images
    ]


def _caltech_files(folder: str, name: str) -> Getter:
    def files(dataset: Any) -> list[Path]:
        return [
            Path(dataset.root, folder, dataset.categories[label], name.format(label + 1, number))
            for label, number in zip(dataset.y, dataset.index, strict=True)
        ]

    return files


def _inaturalist_files(dataset: Any) -> list[Path]:
    return [Path(dataset.root, dataset.all_categories[label], name) for label, name in dataset.index]


def _celeba_files(dataset: Any) -> list[Path]:
    return [Path(dataset.root, dataset.base_folder, "img_align_celeba", name) for name in dataset.filename]


def _names_by_index(dataset: Any) -> list[str]:
    return sorted(dataset.class_to_idx, key=dataset.class_to_idx.get)


_WHOLE: dict[str, Arguments] = {"": {}}
_TRAIN: dict[str, Arguments] = {"train": {"train": True}, "test": {"train": False}}
_targets, _labels, _files = attrgetter("targets"), attrgetter("_labels"), attrgetter("_image_files")


def _idx(loader: str, debian: str = "") -> Source:
    return Source(loader, f"{loader}/raw/train-images-idx3-ubyte", _TRAIN, _targets, debian=debian)


def _emnist(split: str) -> Source:
    return Source("EMNIST", f"EMNIST/raw/emnist-{split}-train-images-idx3-ubyte", _with(_TRAIN, split=split), _targets)


def _places(small: bool, *, train: bool = True) -> Source:
    partitions = _splits("val", **({"train": "train-standard"} if train else {}))
    return Source("Places365", "categories_places365.txt", _with(partitions, small=small), _targets, _firsts("imgs"))


def _imagenet(*splits: str) -> Source:
    page = "get ImageNet from image-net.org after registration"
    files = _firsts("samples")
    return Source("ImageNet", "ILSVRC2012_devkit_t12.tar.gz", _splits(*splits), _targets, files, by_hand=page)


def _imagenette(folder: str, size: str) -> Source:
    partitions = _with(_splits("train", "val"), size=size)
    return Source("Imagenette", folder, partitions, _seconds("_samples"), _firsts("_samples"))


def _aircraft(level: str) -> Source:
    partitions = _with(_splits("train", "val", "test"), annotation_level=level)
    return Source("FGVCAircraft", "fgvc-aircraft-2013b/data", partitions, _labels, _files)


def _inaturalist(train: str) -> Source:
    partitions = {"train": {"version": train}, "val": {"version": "2021_valid"}}
    names = attrgetter("all_categories")
    return Source("INaturalist", train, partitions, _firsts("index"), _inaturalist_files, names)


SOURCES: Mapping[str, Source] = {
    "Caltech101": Source(
        "Caltech101",
        "caltech101/101_ObjectCategories",
        _WHOLE,
        attrgetter("y"),
        _caltech_files("101_ObjectCategories", "image_{1:04d}.jpg"),
        attrgetter("categories"),
    ),
    "Caltech256": Source(
        "Caltech256",
        "caltech256/256_ObjectCategories",
        _WHOLE,
        attrgetter("y"),
        _caltech_files("256_ObjectCategories", "{0:03d}_{1:04d}.jpg"),
        attrgetter("categories"),
    ),
    "CelebA": Source(  # a class is a person
        "CelebA",
        "celeba/img_align_celeba",
        _splits("train", "test", val="valid"),
        lambda dataset: dataset.identity[:, 0],
        _celeba_files,
        None,
        needs_to_download="gdown",
    ),
    "CIFAR10": Source("CIFAR10", "cifar-10-batches-py", _TRAIN, _targets),
    "CIFAR100": Source("CIFAR100", "cifar-100-python", _TRAIN, _targets),
    "CLEVRClassification": Source(  # its test images have no labels
        "CLEVRClassification", "clevr/CLEVR_v1.0", _splits("train", "val"), _labels, _files, None
    ),
    "Country211": Source(
        "Country211", "country211", _splits("train", "test", val="valid"), _targets, _firsts("samples")
    ),
    "DTD": Source("DTD", "dtd/dtd", _splits("train", "val", "test"), _labels, _files),
    **{f"EMNIST-{s}": _emnist(s) for s in ("byclass", "bymerge", "balanced", "letters", "digits", "mnist")},
    "EuroSAT": Source("EuroSAT", "eurosat/2750", _WHOLE, _targets, _firsts("samples")),
    "FashionMNIST": _idx("FashionMNIST", debian="dataset-fashion-mnist"),
    "FER2013": Source(
        "FER2013",
        "fer2013",
        _splits("train", "test"),
        _seconds("_samples"),
        classes=None,
        by_hand="get fer2013.csv or icml_face_data.csv from its competition page on kaggle.com",
    ),
    "FGVCAircraft": _aircraft("variant"),
    "FGVCAircraft-family": _aircraft("family"),
    "FGVCAircraft-manufacturer": _aircraft("manufacturer"),
    "Flowers102": Source("Flowers102", "flowers-102/jpg", _splits("train", "val", "test"), _labels, _files),
    "Food101": Source("Food101", "food-101/images", _splits("train", "test"), _labels, _files),
    "GTSRB": Source("GTSRB", "gtsrb/GTSRB", _splits("train", "test"), _seconds("_samples"), _firsts("_samples"), None),
    "ImageNet": _imagenet("train", "val"),
    "ImageNet-val": _imagenet("val"),
    "Imagenette": _imagenette("imagenette2", "full"),
    "Imagenette-160px": _imagenette("imagenette2-160", "160px"),
    "Imagenette-320px": _imagenette("imagenette2-320", "320px"),
    "INaturalist-2021": _inaturalist("2021_train"),
    "INaturalist-2021-mini": _inaturalist("2021_train_mini"),
    "KMNIST": _idx("KMNIST"),
    "LFWPeople": Source(
        "LFWPeople",
        "lfw-py/lfw_funneled",
        _splits("train", "test"),
        _targets,
        attrgetter("data"),
        _names_by_index,
        by_hand="its server is gone; torchvision's documentation names a mirror",
    ),
    "MNIST": _idx("MNIST"),
    "Omniglot": Source(  # the partitions share no class
        "Omniglot",
        "omniglot-py/images_background",
        {"background": {"background": True}, "evaluation": {"background": False}},
        _seconds("_flat_character_images"),
        _omniglot_files,
        attrgetter("_characters"),
    ),
    "OxfordIIITPet": Source(
        "OxfordIIITPet", "oxford-iiit-pet/images", _splits("test", train="trainval"), _labels, attrgetter("_images")
    ),
    "PCAM": Source(
        "PCAM",
        "pcam/camelyonpatch_level_2_split_train_x.h5",
        _splits("train", "val", "test"),
        None,
        classes=None,
        needs="h5py",
        needs_to_download="gdown",
    ),
    "Places365": _places(small=False),
    "Places365-small": _places(small=True),
    "Places365-small-val": _places(small=True, train=False),
    "QMNIST": Source(
        "QMNIST", "QMNIST/raw/qmnist-train-images-idx3-ubyte", _TRAIN, lambda dataset: dataset.targets[:, 0]
    ),
    "RenderedSST2": Source(
        "RenderedSST2", "rendered-sst2", _splits("train", "val", "test"), _seconds("_samples"), _firsts("_samples")
    ),
    "SEMEION": Source("SEMEION", "semeion.data", _WHOLE, attrgetter("labels"), classes=None),
    "StanfordCars": Source(
        "StanfordCars",
        "stanford_cars/devkit",
        _splits("train", "test"),
        _seconds("_samples"),
        _firsts("_samples"),
        by_hand="its server is gone; lay out a copy as torchvision's documentation says",
    ),
    "STL10": Source("STL10", "stl10_binary", _splits("train", "test"), attrgetter("labels")),
    "SUN397": Source("SUN397", "SUN397", _WHOLE, _labels, _files),
    "SVHN": Source("SVHN", "train_32x32.mat", _splits("train", "test"), attrgetter("labels"), classes=None),
    "USPS": Source("USPS", "usps.bz2", _TRAIN, _targets, classes=None),
}
