"""The runs of a benchmark of the field on the copies of its data sets."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from fewshot.protocols import Benchmark, Head
from fewshot.protocols._places import Copy
from fewshot.runs.specs import RunSpec, Sampled


def benchmark_runs(
    benchmark: Benchmark, copies: Sequence[Copy], backbones: Sequence[str], heads: Sequence[Head], dtype: str
) -> list[RunSpec]:
    """Every run of these backbones and heads, set by set and backbone by backbone."""
    return [
        RunSpec(
            dataset=copy.dataset,
            backbone=backbone,
            evaluator=head.evaluator,
            episodes=Sampled(shape, benchmark.seed, copy.sampler),
            transform=head.transform,
            classes=copy.of.classes,
            split=copy.of.split,
            dtype=dtype,
            n_episodes=benchmark.n_episodes,
            protocol=benchmark.protocol,
            benchmark_set=copy.of.name,
            selection=head.selection,
        )
        for copy in copies
        for backbone, head, shape in product(backbones, heads, copy.of.shapes or benchmark.shapes)
    ]
