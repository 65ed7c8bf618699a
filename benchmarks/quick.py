"""Four backbones and two evaluators on the bundled icons at 1 and 5 shots, and the gain from fine-tuning.

    make bench        or        fewshot bench quick

The suite takes 2 min 20 s on 2 cores; a second call computes nothing. It has 600 episodes of the 88 novel mono icons
(15 queries per class), of the 45 novel colour icons (5 queries), and of mono supports with colour queries (5 queries).
1 shot / 5 shots in %, all intervals within ± 1.2:

                              mono         colour       mono to colour
    lite0, Prototype          62.3 / 82.9  64.9 / 85.0  59.2 / 72.9
    lite0, LinearProbe        62.7 / 84.3  65.9 / 86.7  57.5 / 74.6
    mobilenetv2, Prototype    56.8 / 78.6  58.0 / 81.0  50.5 / 63.9
    mobilenetv2, LinearProbe  57.0 / 80.3  58.8 / 82.1  49.3 / 66.5
    pixels, Prototype         49.8 / 72.2  43.9 / 64.5  30.1 / 44.6
    pixels, LinearProbe       52.4 / 73.3  47.2 / 65.6  35.0 / 48.7
    random, Prototype         36.0 / 53.8  39.7 / 60.4  30.0 / 42.0
    random, LinearProbe       36.5 / 53.3  41.5 / 60.0  30.9 / 41.7

The two fine-tuned runs have only the first 25 of the same mono episodes, at 5 shots: 87.0 ± 2.9 for the whole network,
85.9 ± 3.2 for the head alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from fewshot.episodes.shape import EpisodeShape
from fewshot.runs.specs import RunSpec, Sampled

PROTOCOL = "quick@1"
BACKBONES = (
    "Packaged('tf_efficientnet_lite0', image_size=128)",
    "Packaged('mobilenetv2_100', image_size=128)",
    "RawPixels()",
    "RandomInit('tf_efficientnet_lite0', image_size=128)",
)
EVALUATORS = ("Prototype()", "LinearProbe(C=1.0)")
SHOTS = (1, 5)
# The best of a few numbers of steps and learning rates on 12 episodes of the validation classes, at 64 pixels.
TUNED = ("FineTune(tune='all', steps=10, lr=0.003)", "FineTune(tune='head', steps=50, lr=0.003)")
N_TUNED = 25


@dataclass(frozen=True)
class Setting:
    """A data set, and how to sample episodes of it."""

    dataset: str
    n_query: int
    sampler: str = "Balanced()"

    def episodes(self, k_shot: int) -> Sampled:
        """5-way episodes."""
        return Sampled(EpisodeShape(n_way=5, k_shot=k_shot, n_query=self.n_query), sampler=self.sampler)


MONO = Setting("Icons('mono')", n_query=15)
SETTINGS = (
    MONO,
    Setting("Icons('colour')", n_query=5),
    Setting("Icons('both')", n_query=5, sampler="Balanced(support_from='domain=mono', query_from='domain=colour')"),
)


def suite() -> Iterator[RunSpec]:
    """The runs, data set by data set and backbone by backbone."""
    for setting, backbone, k_shot, evaluator in product(SETTINGS, BACKBONES, SHOTS, EVALUATORS):
        yield RunSpec(setting.dataset, backbone, evaluator, setting.episodes(k_shot), "L2()", protocol=PROTOCOL)
    for evaluator in TUNED:
        yield RunSpec(MONO.dataset, BACKBONES[0], evaluator, MONO.episodes(5), n_episodes=N_TUNED, protocol=PROTOCOL)
