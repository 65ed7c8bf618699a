"""All ways on a whole test set, the protocol of BiT, big_vision and DINOv2: 88 classes of icons at 1, 5 and 10 shots.

    make bench SUITE=all_way        or        fewshot bench all_way

The suite samples 5 supports from the 88 novel classes of the mono icons, embedded by EfficientNet-Lite0. Each support
answers all other images of these classes, and the 1-shot support is the first image of the 5-shot support. The field
reports the median of such draws; the table shows the median, every draw, their range (which covers the median of all
draws in 93.75 % of such experiments) and the interval for new draws. There is no interval for new classes, because
every episode holds every class. Measured medians in % at 1 / 5 / 10 shots, 80 s on 2 busy cores with cached features:

    LinearProbe          30.4 / 49.4 / 57.7
    big_vision           26.8 / 57.9 / 69.5
    DINOv2-kNN           29.8 / 54.7 / 63.8

25 shots, as in big_vision, are more than the 20 images of the smallest class.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from fewshot.episodes.shape import EpisodeShape
from fewshot.runs.presets import preset
from fewshot.runs.specs import RunSpec, Sampled

PROTOCOL = "all_way@1"
DATASET = "Icons('mono')"
BACKBONE = "Packaged('tf_efficientnet_lite0', image_size=128)"
SHOTS = (1, 5, 10)
HEADS = (
    ("L2()", "LinearProbe(C=1.0)"),
    *((preset(name).transform, preset(name).evaluator) for name in ("big_vision", "DINOv2-kNN")),
)
N_DRAWS = 5


def suite() -> Iterator[RunSpec]:
    """The runs, shot by shot."""
    for k_shot, (transform, evaluator) in product(SHOTS, HEADS):
        episodes = Sampled(EpisodeShape(n_way=None, k_shot=k_shot, n_query=None))
        yield RunSpec(DATASET, BACKBONE, evaluator, episodes, transform, protocol=PROTOCOL, n_episodes=N_DRAWS)
