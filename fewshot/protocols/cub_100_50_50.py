"""CUB 100/50/50: 5-way 1-shot and 5-shot on Caltech-UCSD Birds, with the split of A Closer Look."""

from __future__ import annotations

from fewshot.datasets._known_sets import edition
from fewshot.protocols import Benchmark, BenchmarkSet, Head, Place
from fewshot.protocols._class_splits import CLASS_NAMES, FIVE_WAY, SEEN_BY_NETWORK

PLACES = (
    Place("CUB_200_2011/images"),
    Place("CUB_200_2011"),
    Place("cub/images"),
    Place("images/001.Black_footed_Albatross", "ImageFolderSet({folder})"),
    Place("001.Black_footed_Albatross", "ImageFolderSet({root})"),
)
EDITION = edition("cub_200_2011", "without partitions")
GET = f"{EDITION.address} (CUB_200_2011.tgz, unpacked)"
LICENCE = "the authors do not own the images' copyrights; research and education only"
TWO_SPLITS = "Two splits are called CUB: 14 of the 30 novel classes of 140/30/30 are training classes of 100/50/50."

BENCHMARK = Benchmark(
    name="cub_100_50_50",
    version=1,
    title="CUB with 100/50/50 classes, 5-way 1-shot and 5-shot",
    source="Chen et al. 2019 (A Closer Look at Few-shot Classification), arXiv 1904.04232",
    licence=LICENCE,
    sets=(BenchmarkSet("cub_100_50_50", PLACES, GET, split="Published('cub_100_50_50')", edition=EDITION),),
    shapes=FIVE_WAY,
    n_episodes=600,
    heads=(Head("Identity()", "Prototype()"),),
    image_size=224,
    deviations=(
        SEEN_BY_NETWORK,
        "The default head is that of its ProtoNet; its baselines train a linear or cosine head with SGD.",
        TWO_SPLITS,
    ),
    confirm=(CLASS_NAMES,),
)
