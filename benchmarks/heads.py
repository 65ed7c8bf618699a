"""Every head on the same features: icons and glyphs, EfficientNet-Lite0, 1, 5 and 10 shot.

    make bench SUITE=heads        or        fewshot bench heads

The suite has 600 5-way episodes with 10 queries per class of the 88 novel mono icons and of the 179 novel glyphs. All
heads have the hyperparameters of their papers or libraries; none was chosen on these episodes. The two TIM heads are
transductive: they see all queries of an episode at once, and their prior expects balanced queries. They need a thousand
steps per episode, so they solve only the first 100 of the same episodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from fewshot.episodes.shape import EpisodeShape
from fewshot.runs.specs import RunSpec, Sampled

PROTOCOL = "heads@1"
BACKBONE = "Packaged('tf_efficientnet_lite0', image_size=128)"
DATASETS = ("Icons('mono')", "Glyphs()")
SHOTS = (1, 5, 10)
HEADS = (
    ("L2()", "Prototype()"),
    ("CentredL2()", "Prototype()"),
    ("TukeyPower()", "Prototype()"),
    ("L2()", "NearestNeighbour()"),
    ("L2()", "Matching()"),
    ("L2()", "RidgeProbe(l2=1.0)"),
    ("Identity()", "Standardised(RidgeProbe(l2=1024.0, intercept_scaling=100.0))"),
    ("L2()", "LinearProbe(C=1.0)"),
    ("L2()", "LinearSVM(C=1.0)"),
    ("L2()", "GaussianHead()"),
    ("L2()", "Mahalanobis()"),
)
TRANSDUCTIVE = (("L2()", "TIM()"), ("L2()", "TIM(alpha=2.0, weights=(1.0, 1.0, 1.0))"))
N_TRANSDUCTIVE = 100


def suite() -> Iterator[RunSpec]:
    """The runs, data set by data set and shot by shot."""
    for dataset, k_shot in product(DATASETS, SHOTS):
        episodes = Sampled(EpisodeShape(n_way=5, k_shot=k_shot, n_query=10))
        for heads, count in ((HEADS, 600), (TRANSDUCTIVE, N_TRANSDUCTIVE)):
            for transform, evaluator in heads:
                yield RunSpec(dataset, BACKBONE, evaluator, episodes, transform, protocol=PROTOCOL, n_episodes=count)
