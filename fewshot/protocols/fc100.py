"""FC100: 5-way 1-shot and 5-shot on 60/20/20 classes of CIFAR-100, divided by superclass (12/4/4)."""

from __future__ import annotations

from fewshot.protocols import Benchmark, BenchmarkSet, Head, Place
from fewshot.protocols._class_splits import CLASS_NAMES, FIVE_WAY, ONE_VIEW, SEEN_BY_NETWORK
from fewshot.protocols.cifar_fs import COUNTS, GET, PLACES

BENCHMARK = Benchmark(
    name="fc100",
    version=1,
    title="FC100, 60/20/20 classes (12/4/4 superclasses) of CIFAR-100, 5-way 1-shot and 5-shot",
    source="split of Oreshkin et al. 2018, arXiv 1805.10123; episodes and head of Tian et al. 2020, arXiv 2003.11539",
    licence="CIFAR-100 names none; cite Krizhevsky 2009",
    sets=(
        BenchmarkSet(
            "fc100",
            (*PLACES, Place("fc100"), Place("FC100")),
            GET,
            split="Published('fc100')",
            counts=COUNTS,
        ),
    ),
    shapes=FIVE_WAY,
    n_episodes=600,
    heads=(Head("L2()", "LinearProbe(C=1.0)"),),
    image_size=32,
    deviations=(ONE_VIEW, SEEN_BY_NETWORK),
    confirm=(CLASS_NAMES,),
)
