"""Data sets with a test partition that several benchmarks share: their copies, and who offers them."""

from __future__ import annotations

from fewshot.datasets._known_sets import edition
from fewshot.protocols import BenchmarkSet, Place

WHOLE_TEST_SET = "Balanced({train}, {test})"  # support from train; every query of test
Source = tuple[tuple[Place, ...], str]
_KEYS = {"oxford_flowers": "flowers102"}  # among the known sets, where the names differ


def _partitions(folder: str, test: str = "test") -> Place:
    """A folder with one folder of classes for each partition."""
    reader = "ImageFolderSet({folder}, layout='partition/class')"
    return Place(f"{folder}/train", reader, test=test, test_beside=True)


def _torchvision(name: str, below: str, folder: str, get: str, test: str = "test") -> Source:
    """A set of torchvision, or a folder with the partitions train and test."""
    published = Place(below, f"TorchvisionSet({name!r}, root={{root}})", test=test)
    return (published, _partitions(folder)), get


def _folder(name: str, get: str) -> Source:
    return (_partitions(name),), get


_IMAGENET = "image-net.org after registration"
SOURCES: dict[str, Source] = {
    "birdsnap": _folder("birdsnap", "huggingface.co/datasets/isaacchung/birdsnap"),
    "caltech101": _folder("caltech101", "data.caltech.edu/records/mzrjq-6wc02, sorted into train and test"),
    "cifar10": _torchvision("CIFAR10", "cifar-10-batches-py", "cifar10", "cs.toronto.edu/~kriz/cifar.html"),
    "cifar100": _torchvision("CIFAR100", "cifar-100-python", "cifar100", "cs.toronto.edu/~kriz/cifar.html"),
    "country211": _torchvision(
        "Country211", "country211/valid", "country211_mieb", "github.com/openai/CLIP (Country211)"
    ),
    "dtd": _folder("dtd", "robots.ox.ac.uk/~vgg/data/dtd, sorted into train and test"),
    "eurosat": _folder("eurosat", "github.com/phelber/EuroSAT, sorted into train and test"),
    "fer2013": _torchvision("FER2013", "fer2013/fer2013.csv", "fer2013", "kaggle.com (fer2013.csv)"),
    "fgvc_aircraft": _torchvision(
        "FGVCAircraft", "fgvc-aircraft-2013b/data", "fgvc_aircraft", "robots.ox.ac.uk/~vgg/data/fgvc-aircraft"
    ),
    "food101": _torchvision(
        "Food101", "food-101/images", "food101", "data.vision.ee.ethz.ch/cvl/datasets_extra/food-101"
    ),
    "gtsrb": _torchvision("GTSRB", "gtsrb/GTSRB", "gtsrb", "benchmark.ini.rub.de (GTSRB)"),
    "imagenet": (
        (
            Place("ILSVRC2012_devkit_t12.tar.gz", "TorchvisionSet('ImageNet', root={root})", test="val"),
            _partitions("imagenet", test="val"),
            _partitions("ILSVRC2012", test="val"),
        ),
        _IMAGENET,
    ),
    "mnist": _torchvision("MNIST", "MNIST/raw", "mnist", "yann.lecun.com/exdb/mnist"),
    "oxford_flowers": _folder("oxford_flowers", "huggingface.co/datasets/nelorth/oxford-flowers"),
    "oxford_pets": _torchvision(
        "OxfordIIITPet", "oxford-iiit-pet/images", "oxford_pets", "robots.ox.ac.uk/~vgg/data/pets"
    ),
    "patch_camelyon": _torchvision(
        "PCAM", "pcam/camelyonpatch_level_2_split_train_x.h5", "patch_camelyon", "github.com/basveeling/pcam"
    ),
    "resisc45": _folder("resisc45", "the authors of NWPU-RESISC45 (arXiv 1703.00121), sorted into train and test"),
    "stanford_cars": _torchvision(
        "StanfordCars", "stanford_cars/devkit", "cars", "kaggle.com (Stanford Cars), laid out as torchvision documents"
    ),
    "stl10": _torchvision("STL10", "stl10_binary", "stl10", "cs.stanford.edu/~acoates/stl10"),
    "sun397": _folder("sun397", "vision.princeton.edu/projects/2010/SUN, sorted into train and test"),
    "uc_merced": _folder("uc_merced", "weegee.vision.ucmerced.edu/datasets/landuse.html, sorted into train and test"),
    "ucf101": _folder("ucf101", "crcv.ucf.edu/data/UCF101.php, middle frames sorted into train and test"),
}


def set_of(name: str, edition_name: str, sampler: str = WHOLE_TEST_SET) -> BenchmarkSet:
    """The set, of this edition."""
    places, get = SOURCES[name]
    return BenchmarkSet(name, places, get, sampler, edition=edition(_KEYS.get(name, name), edition_name))
