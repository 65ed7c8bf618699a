"""How much does fine-tuning add to a frozen network? Head, last block, all blocks and probe-then-tune on the mono icons
at 1, 5 and 10 shots.

    fewshot bench tuning

Tuning the whole network takes 7 seconds per 5-shot episode on 2 cores, and 20 per 10-shot episode on a busy machine.

All runs use EfficientNet-Lite0 at 128 px, 5 ways and 15 queries per class (10 at 10 shots). Prototype and LinearProbe
solve 600 episodes; the tuned runs solve the first 25 of them, so every pair is compared on the same episodes. Steps and
learning rates come from validation classes only. Those of the head and of the whole network were chosen on 12 5-shot
episodes at 64 pixels (the suite `quick`) and serve all shots. The last block has the steps of the head. Probe-then-tune
has the steps of the whole network and a third of its learning rate, because it starts at an optimum. Novel classes
chose nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from fewshot.episodes.shape import EpisodeShape
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
QUERIES_OF = {1: 15, 5: 15, 10: 10}  # by shots; the smallest icon classes have 20 images
N_TUNED = 25


def suite() -> Iterator[RunSpec]:
    """The runs, shot by shot."""
    for k_shot, n_query in QUERIES_OF.items():
        episodes = Sampled(EpisodeShape(n_way=5, k_shot=k_shot, n_query=n_query))
        for evaluator in FROZEN:
            yield RunSpec("Icons('mono')", BACKBONE, evaluator, episodes, "L2()", protocol=PROTOCOL)
        for evaluator in TUNED:
            yield RunSpec("Icons('mono')", BACKBONE, evaluator, episodes, n_episodes=N_TUNED, protocol=PROTOCOL)
