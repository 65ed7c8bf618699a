"""Data sets with a test partition that several benchmarks share: their copies, and the form that they need."""

from __future__ import annotations

from fewshot.datasets._known_sets import edition
from fewshot.protocols import BenchmarkSet, Place

WHOLE_TEST_SET = "Balanced({train}, {test})"  # support from train; every query of test
Source = tuple[tuple[Place, ...], str]  # the copies, and how to lay out what the address of the edition offers
_SORTED = ", sorted into train and test"
_KEYS = {"oxford_flowers": "flowers102"}  # among the known sets, where the names differ


def _partitions(folder: str, test: str = "test") -> Place:
    """A folder with one folder of classes for each partition."""
    reader = "ImageFolderSet({folder}, layout='partition/class')"
    return Place(f"{folder}/train", reader, test=test, test_beside=True)


def _torchvision(name: str, below: str, folder: str, form: str = "", test: str = "test") -> Source:
    """A set of torchvision, or a folder with the partitions train and test."""
    published = Place(below, f"TorchvisionSet({name!r}, root={{root}})", test=test)
    return (published, _partitions(folder)), form


def _folder(name: str, form: str = _SORTED) -> Source:
    return (_partitions(name),), form


SOURCES: dict[str, Source] = {
    "birdsnap": _folder("birdsnap", ""),
    "caltech101": _folder("caltech101"),
    "cifar10": _torchvision("CIFAR10", "cifar-10-batches-py", "cifar10"),
    "cifar100": _torchvision("CIFAR100", "cifar-100-python", "cifar100"),
    "country211": _torchvision("Country211", "country211/valid", "country211_mieb"),
    "dtd": _folder("dtd"),
    "eurosat": _folder("eurosat"),
    "fer2013": _torchvision("FER2013", "fer2013/fer2013.csv", "fer2013"),
    "fgvc_aircraft": _torchvision("FGVCAircraft", "fgvc-aircraft-2013b/data", "fgvc_aircraft"),
    "food101": _torchvision("Food101", "food-101/images", "food101"),
    "gtsrb": _torchvision("GTSRB", "gtsrb/GTSRB", "gtsrb"),
    "imagenet": (
        (
            Place("ILSVRC2012_devkit_t12.tar.gz", "TorchvisionSet('ImageNet', root={root})", test="val"),
            _partitions("imagenet", test="val"),
            _partitions("ILSVRC2012", test="val"),
        ),
        "",
    ),
    "mnist": _torchvision("MNIST", "MNIST/raw", "mnist"),
    "oxford_flowers": _folder("oxford_flowers", ""),
    "oxford_pets": _torchvision("OxfordIIITPet", "oxford-iiit-pet/images", "oxford_pets"),
    "patch_camelyon": _torchvision("PCAM", "pcam/camelyonpatch_level_2_split_train_x.h5", "patch_camelyon"),
    "resisc45": _folder("resisc45"),
    "stanford_cars": _torchvision(
        "StanfordCars", "stanford_cars/devkit", "cars", ", laid out as torchvision documents"
    ),
    "stl10": _torchvision("STL10", "stl10_binary", "stl10"),
    "sun397": _folder("sun397"),
    "uc_merced": _folder("uc_merced"),
    "ucf101": _folder("ucf101", ", middle frames sorted into train and test"),
}


def set_of(name: str, edition_name: str, sampler: str = WHOLE_TEST_SET) -> BenchmarkSet:
    """The set, of this edition."""
    (places, form), counts = SOURCES[name], edition(_KEYS.get(name, name), edition_name)
    return BenchmarkSet(name, places, f"{counts.address}{form}", sampler, edition=counts)
