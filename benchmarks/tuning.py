"""What fine-tuning adds to a frozen network: head, last block, all, probe-then-tune; mono icons at 1, 5, 10 shots.

    fewshot bench tuning

Tuning the whole network takes 7 seconds an episode of 5 shots on 2 cores, and 20 an episode of 10 shots on a busy one.

EfficientNet-Lite0 at 128 px, 5 ways, 15 queries (10 shots: 10); Prototype and LinearProbe
on 600 episodes, whose first 25 are those of the tuned runs, so that every pair is compared on the same episodes.
Steps and rates were chosen on validation classes alone: for the head and the whole network on 12 episodes of 5 shots at
64 pixels (the suite `quick`), and kept for all shots; the last block takes the steps of the head, and probe-then-tune
those of the whole network at a third of its rate, because it starts at an optimum. No novel class chose anything.
"""

from __future__ import annotations

from collections.abc import Iterator

from fewshot.episodes.episodes import EpisodeShape
from fewshot.runs.specs import RunSpec, Sampled

PROTOCOL = "tuning@1"
BACKBONE = "Packaged('tf_efficientnet_lite0', image_size=128)"
FROZEN = ("Prototype()", "LinearProbe(C=1.0)")
TUNED = (
    "FineTune(tune='head', steps=50, lr=0.003)",
    "FineTune(tune='last 1', steps=50, lr=0.003)",
    "FineTune(tune='all', steps=10, lr=0.003)",
    "FineTune(tune='all', steps=10, lr=0.001, start='probe')",
)
QUERIES_OF = {1: 15, 5: 15, 10: 10}  # by shots: a class of the icons has 20 images
N_TUNED = 25


def suite() -> Iterator[RunSpec]:
    """The runs, shot by shot."""
    for k_shot, n_query in QUERIES_OF.items():
        episodes = Sampled(EpisodeShape(n_way=5, k_shot=k_shot, n_query=n_query))
        for evaluator in FROZEN:
            yield RunSpec("Icons('mono')", BACKBONE, evaluator, episodes, "L2()", protocol=PROTOCOL)
        for evaluator in TUNED:
            yield RunSpec("Icons('mono')", BACKBONE, evaluator, episodes, n_episodes=N_TUNED, protocol=PROTOCOL)
