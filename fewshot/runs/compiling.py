"""The compiled loops of the solvers, compiled before a run needs them.

numba compiles a loop at its first call, for half a minute in all, and keeps it on disk. `make setup` and
`fewshot doctor --compile` do so in advance; where nobody did, background.py runs this file beside a run:

    python -m fewshot.runs.compiling "LinearProbe()"
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from fewshot.datasets.labelled_vectors import labelled_vectors
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.registry import DATASETS
from fewshot.runs.background import WITH_LOOPS
from fewshot.runs.pipeline import run
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.runs.workbench import Workbench
from fewshot.solvers import loop_cache

_DIM = 32  # more features than support rows, as the loops want


def compile_loops(evaluators: Iterable[str] = WITH_LOOPS) -> int:
    """The number of evaluators whose loops are compiled now: each solves two tiny episodes as any run does. Only the
    loops are kept; 0 without numba."""
    if not loop_cache.installed():
        return 0
    evaluators, labels = list(evaluators), np.repeat(np.arange(3), 6)
    vectors = np.random.default_rng(0).normal(size=(len(labels), _DIM)).astype(np.float32)
    data, episodes = DATASETS.named(labelled_vectors(vectors, labels)), Sampled(EpisodeShape(3, 2, 2))
    with tempfile.TemporaryDirectory() as folder:
        for evaluator in evaluators:
            spec = RunSpec(data, "Given()", evaluator, episodes, split="AllNovel()", n_episodes=2)
            run(spec, Path(folder) / "rows.jsonl", Workbench(progress=False))
            loop_cache.mark(evaluator)
    return len(evaluators)


if __name__ == "__main__":
    compile_loops(sys.argv[1:])
