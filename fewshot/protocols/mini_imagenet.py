"""mini-ImageNet: 5-way 1-shot and 5-shot on 64/16/20 classes of ImageNet, 600 images each."""

from __future__ import annotations

from fewshot.datasets._known_sets import edition
from fewshot.protocols import Benchmark, BenchmarkSet, Head, Place
from fewshot.protocols._class_splits import CLASS_NAMES, EXACT_IMAGES, FIVE_WAY, SEEN_BY_NETWORK

_EDITION = edition("mini_imagenet", "without partitions")
_NAMES = ("mini_imagenet", "mini-imagenet", "miniimagenet", "miniImageNet", "miniImagenet")

NEEDS = ("Its head needs seen classes, which its split has.",)
BENCHMARK = Benchmark(
    name="mini_imagenet",
    version=1,
    title="mini-ImageNet, 64/16/20 classes of ImageNet, 5-way 1-shot and 5-shot",
    source="split of Ravi and Larochelle 2017; 10 000 episodes and head of Wang et al. 2019, arXiv 1911.04623",
    licence="ImageNet's terms of access: research only, no copies to others",
    sets=(
        BenchmarkSet(
            "mini_imagenet",
            (
                *(Place(f"{name}/train.csv", "ClassTables({folder})") for name in _NAMES),
                Place("train.csv", "ClassTables({folder})"),
                *map(Place, _NAMES),
                Place("n01532829", "ImageFolderSet({root})"),
                Place("test/n01930112", "ImageFolderSet({root})"),
                Place("ILSVRC2012/train", "ClassesOf('mini_imagenet', ImageFolderSet({path}))"),
            ),
            f"{_EDITION.address}; as folders of synset ids, with or without train, val and test above them, or as "
            "images/ with train.csv, val.csv and test.csv",
            split="Published('mini_imagenet')",
            edition=_EDITION,
        ),
    ),
    shapes=FIVE_WAY,
    n_episodes=10_000,
    heads=(Head("CentredL2()", "Prototype()"),),
    image_size=84,
    expected=(
        "SimpleShot CL2N with its own ResNet-18: 63.0 (1-shot), 80.1 (5-shot) (1911.04623).",
        "Prototypes of FEAT's ResNet-12 features: 62.39, 80.53; FEAT itself 66.78, 82.05 (1812.03664).",
        "The same method and network is reported as 54.25, 56.13, 60.37 and 62.39 by four code bases.",
    ),
    deviations=(SEEN_BY_NETWORK,),
    confirm=(
        CLASS_NAMES,
        EXACT_IMAGES,
        "The folders of ImageNet have up to 1,300 images per class, so fewshot refuses them by their count: keep the "
        "600 of the published lists.",
    ),
)
