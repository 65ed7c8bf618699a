"""CUB 140/30/30: 5-way 1-shot and 5-shot on Caltech-UCSD Birds, with the split of Meta-Dataset."""

from __future__ import annotations

from dataclasses import replace

from fewshot.protocols import BenchmarkSet, cub_100_50_50
from fewshot.protocols._class_splits import SEEN_BY_NETWORK
from fewshot.protocols.cub_100_50_50 import EDITION, GET, PLACES, TWO_SPLITS

BENCHMARK = replace(
    cub_100_50_50.BENCHMARK,
    name="cub_140_30_30",
    title="CUB with 140/30/30 classes, 5-way 1-shot and 5-shot",
    source="split of Triantafillou et al. 2020 (Meta-Dataset), arXiv 1903.03096; 5-way episodes as in 100/50/50",
    sets=(BenchmarkSet("cub_140_30_30", PLACES, GET, split="Published('cub_140_30_30')", edition=EDITION),),
    deviations=(
        SEEN_BY_NETWORK,
        "Meta-Dataset itself uses this split with variable ways and shots: that is the set cu_birds of meta_dataset.",
        TWO_SPLITS,
    ),
)
