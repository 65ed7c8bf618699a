"""CIFAR-FS: 5-way 1-shot and 5-shot on 64/16/20 classes of CIFAR-100, divided at random."""

from __future__ import annotations

from fewshot.datasets._known_sets import edition
from fewshot.protocols import Benchmark, BenchmarkSet, Head, Place
from fewshot.protocols._class_splits import CLASS_NAMES, FIVE_WAY, ONE_VIEW, SEEN_BY_NETWORK

PLACES = (
    Place("cifar-100-python", "TorchvisionSet('CIFAR100', root={root})"),
    Place("cifar100/data"),
)
EDITION = edition("cifar100", "without partitions")
GET = f"{EDITION.address} (cifar-100-python.tar.gz, unpacked)"

BENCHMARK = Benchmark(
    name="cifar_fs",
    version=1,
    title="CIFAR-FS, 64/16/20 classes of CIFAR-100, 5-way 1-shot and 5-shot",
    source="split of Bertinetto et al. 2019, arXiv 1805.08136; episodes and head of Tian et al. 2020, arXiv 2003.11539",
    licence="CIFAR-100 names none; cite Krizhevsky 2009",
    sets=(
        BenchmarkSet(
            "cifar_fs",
            (*PLACES, Place("cifar-fs"), Place("CIFAR-FS")),
            GET,
            split="Published('cifar_fs')",
            edition=EDITION,
        ),
    ),
    shapes=FIVE_WAY,
    n_episodes=600,
    heads=(Head("L2()", "LinearProbe(C=1.0)"),),
    image_size=32,
    deviations=(ONE_VIEW, SEEN_BY_NETWORK),
    confirm=(CLASS_NAMES,),
)
