"""CUB 140/30/30: 5-way 1-shot and 5-shot on Caltech-UCSD Birds, with the split of Meta-Dataset."""

from __future__ import annotations

from fewshot.protocols import Benchmark, BenchmarkSet, Head
from fewshot.protocols._class_splits import CLASS_NAMES, FIVE_WAY, SEEN_BY_NETWORK
from fewshot.protocols.cub_100_50_50 import COUNTS, GET, LICENCE, PLACES, TWO_SPLITS

BENCHMARK = Benchmark(
    name="cub_140_30_30",
    version=1,
    title="CUB with 140/30/30 classes, 5-way 1-shot and 5-shot",
    source="split of Triantafillou et al. 2020 (Meta-Dataset), arXiv 1903.03096; 5-way episodes as in 100/50/50",
    licence=LICENCE,
    sets=(BenchmarkSet("cub_140_30_30", PLACES, GET, split="Published('cub_140_30_30')", counts=COUNTS),),
    shapes=FIVE_WAY,
    n_episodes=600,
    heads=(Head("Identity()", "Prototype()"),),
    image_size=224,
    deviations=(
        SEEN_BY_NETWORK,
        "Meta-Dataset itself uses this split with variable ways and shots: that is the set cu_birds of meta_dataset.",
        TWO_SPLITS,
    ),
    confirm=(CLASS_NAMES,),
)
