"""How much does a balanced prior help? A transductive head with balanced queries and with unequal query shares.

    fewshot bench transductive

The suite runs two inductive heads and TIM on the same 60 episodes of the mono icons at 1 and 5 shots, once with equally
many queries per class and once with shares from a Dirichlet distribution. docs/results.md has the tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from fewshot.episodes.shape import EpisodeShape
from fewshot.runs.specs import RunSpec, Sampled

PROTOCOL = "transductive@1"
BACKBONE = "Packaged('tf_efficientnet_lite0', image_size=128)"
SAMPLERS = ("Balanced()", "DirichletQuery(support_reserve=5)")
SHOTS = (1, 5)
N_QUERY = 10  # per class on average; the novel classes have 20 to 40 images
INDUCTIVE = ("Prototype()", "LinearProbe(C=1.0)")
# The settings of both papers: alpha is 2 at 1 shot and 7 from 5 shots on.
ALPHA = {1: 2.0, 5: 7.0}
N_EPISODES = 60


def suite() -> Iterator[RunSpec]:
    """Every head at 1 and 5 shots, its balanced run before its Dirichlet run."""
    for k_shot in SHOTS:
        heads = (*INDUCTIVE, "TIM()", f"TIM(alpha={ALPHA[k_shot]}, weights=(1.0, 1.0, 1.0))")
        for head, sampler in product(heads, SAMPLERS):
            episodes = Sampled(EpisodeShape(n_way=5, k_shot=k_shot, n_query=N_QUERY), sampler=sampler)
            yield RunSpec("Icons('mono')", BACKBONE, head, episodes, "L2()", n_episodes=N_EPISODES, protocol=PROTOCOL)
