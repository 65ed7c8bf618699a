"""tiered-ImageNet: 5-way 1-shot and 5-shot on 351/97/160 classes of ImageNet, divided by their higher categories."""

from __future__ import annotations

from fewshot.datasets._known_sets import edition
from fewshot.protocols import Benchmark, BenchmarkSet, Head, Place
from fewshot.protocols._class_splits import CLASS_NAMES, EXACT_IMAGES, FIVE_WAY, SEEN_BY_NETWORK

_EDITION = edition("tiered_imagenet", "without partitions")
NEEDS = ("Its head needs seen classes, which its split has.",)
BENCHMARK = Benchmark(
    name="tiered_imagenet",
    version=1,
    title="tiered-ImageNet, 351/97/160 classes of ImageNet, 5-way 1-shot and 5-shot",
    source="split of Ren et al. 2018, arXiv 1803.00676; 10 000 episodes and head of Wang et al. 2019, arXiv 1911.04623",
    licence="ImageNet's terms of access: research only, no copies to others",
    sets=(
        BenchmarkSet(
            "tiered_imagenet",
            (
                *map(Place, ("tiered_imagenet", "tiered-imagenet", "tieredimagenet", "tieredImageNet")),
                Place("ILSVRC2012/train", "ClassesOf('tiered_imagenet', ImageFolderSet({path}))"),
            ),
            f"{_EDITION.address}; folders of synset ids, with or without train, val and test above them",
            split="Published('tiered_imagenet')",
            edition=_EDITION,
        ),
    ),
    shapes=FIVE_WAY,
    n_episodes=10_000,
    heads=(Head("CentredL2()", "Prototype()"),),
    image_size=84,
    expected=(
        "SimpleShot CL2N with its own WRN: 70.90 (1-shot), 85.76 (5-shot) (1911.04623).",
        "Prototypes of FEAT's ResNet-12 features: 68.23, 84.03; FEAT itself 70.80, 84.79 (1812.03664).",
    ),
    deviations=(SEEN_BY_NETWORK,),
    confirm=(CLASS_NAMES, EXACT_IMAGES),
)
