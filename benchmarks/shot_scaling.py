"""Demonstration: error over labels per class, and the labels that a target accuracy needs, with nested shots on the
mono icons.

    fewshot bench shot_scaling
    fewshot scaling budget benchmarks/results/shot_scaling.jsonl --target 0.9 --by backbone,evaluator,n_way

The suite has 1, 2, 3, 5, 8 and 12 shots, 5 and 20 ways and 5 queries per class of the 88 new classes. The support of
fewer shots begins the support of more shots, and the queries are the same, so curves are smooth and runs are paired. It
compares EfficientNet-Lite0 at 128 px with raw pixels, and the nearest mean with a linear probe. Beyond 12 labels the
laws predict; `budget` gives the range of their predictions and says how far to trust it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from fewshot.episodes.shape import EpisodeShape
from fewshot.runs.specs import RunSpec, Sampled

PROTOCOL = "shot_scaling@1"
BACKBONES = ("Packaged('tf_efficientnet_lite0', image_size=128)", "RawPixels()")
EVALUATORS = ("Prototype()", "LinearProbe(C=1.0)")
SHOTS = (1, 2, 3, 5, 8, 12)
WAYS = (5, 20)


def suite() -> Iterator[RunSpec]:
    """The runs, curve by curve."""
    for backbone, n_way, evaluator, k_shot in product(BACKBONES, WAYS, EVALUATORS, SHOTS):
        episodes = Sampled(EpisodeShape(n_way=n_way, k_shot=k_shot, n_query=5))
        yield RunSpec("Icons('mono')", backbone, evaluator, episodes, "L2()", n_episodes=200, protocol=PROTOCOL)
