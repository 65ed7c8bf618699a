"""FC100: 5-way 1-shot and 5-shot on 60/20/20 classes of CIFAR-100, divided by superclass (12/4/4)."""

from __future__ import annotations

from dataclasses import replace

from fewshot.protocols import BenchmarkSet, Place, cifar_fs

BENCHMARK = replace(
    cifar_fs.BENCHMARK,
    name="fc100",
    title="FC100, 60/20/20 classes (12/4/4 superclasses) of CIFAR-100, 5-way 1-shot and 5-shot",
    source="split of Oreshkin et al. 2018, arXiv 1805.10123; episodes and head of Tian et al. 2020, arXiv 2003.11539",
    sets=(
        BenchmarkSet(
            "fc100",
            (*cifar_fs.PLACES, Place("fc100"), Place("FC100")),
            cifar_fs.GET,
            split="Published('fc100')",
            edition=cifar_fs.EDITION,
        ),
    ),
)
