"""A whole benchmark in about a minute: two backbones, two evaluators, 1 and 5 shots, few episodes of the mono icons.

    make bench SUITE=smoke        or        fewshot bench smoke

The suite takes 45 s on 2 cores. It shows that everything works; its intervals of 3 to 4 points are too wide for
comparisons.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from fewshot.episodes.shape import EpisodeShape
from fewshot.runs.specs import RunSpec, Sampled

PROTOCOL = "smoke@1"
BACKBONES = ("Packaged('tf_efficientnet_lite0', image_size=128)", "RawPixels()")
EVALUATORS = ("Prototype()", "LinearProbe(C=1.0)")
N_EPISODES = 50


def suite() -> Iterator[RunSpec]:
    """The runs, backbone by backbone."""
    for backbone, k_shot, evaluator in product(BACKBONES, (1, 5), EVALUATORS):
        episodes = Sampled(EpisodeShape(n_way=5, k_shot=k_shot, n_query=5))
        yield RunSpec("Icons('mono')", backbone, evaluator, episodes, "L2()", n_episodes=N_EPISODES, protocol=PROTOCOL)
