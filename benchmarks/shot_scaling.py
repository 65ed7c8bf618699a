"""Error over the labels a class, and how many labels a target accuracy needs: nested shots on the mono icons; a
demonstration.

    fewshot bench shot_scaling
    fewshot scaling budget benchmarks/results/shot_scaling.jsonl --target 0.9 --by backbone,evaluator,n_way

1, 2, 3, 5, 8 and 12 shots, 5 and 20 ways, 5 queries, of the 88 new classes: the support of fewer shots is the first
part of that of more, and the queries are the same, so that curves are smooth and runs are paired. EfficientNet-Lite0
at 128 px against pixels, nearest mean and linear probe. Predictions beyond 12 labels are those of the laws: `budget`
gives their bracket and says how far they may be trusted.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from fewshot.episodes.episodes import EpisodeShape
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
