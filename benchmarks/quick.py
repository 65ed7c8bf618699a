"""Four backbones and two evaluators on embedded icons, 1 and 5 shot, and what fine-tuning adds.

    make bench        or        fewshot bench quick

TODO: minutes on 2 cores. A second call computes nothing. 600 episodes over the 88 novel classes of `mono` (15 queries),
the 45 of `colour` (5 queries), and with supports in black on white and queries in colour (5 queries); 1 shot / 5 shots
in percent, every interval within 1.2:

                              mono         colour       mono to colour
    lite0, Prototype          62.4 / 82.7  64.9 / 84.6  58.0 / 73.0
    lite0, LinearProbe        63.0 / 84.0  65.5 / 85.8  56.3 / 74.4
    mobilenetv2, Prototype    56.6 / 78.5  58.1 / 80.0  49.9 / 63.9
    mobilenetv2, LinearProbe  57.0 / 80.3  58.3 / 81.4  48.3 / 66.6
    pixels, Prototype         50.8 / 72.4  44.6 / 64.1  30.5 / 43.8
    pixels, LinearProbe       53.6 / 73.3  47.0 / 64.9  34.5 / 48.2
    random, Prototype         36.4 / 54.0  39.3 / 59.7  29.5 / 41.5
    random, LinearProbe       36.8 / 53.9  41.1 / 60.1  30.6 / 41.5

The two fine-tuned runs are short: the first 20 of the same mono episodes, 5 shots, at 64 pixels:
81.0 ± 3.5 for the whole network, 79.4 ± 2.8 for the head alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from fewshot.episodes import EpisodeShape
from fewshot.specs import RunSpec, Sampled

PROTOCOL = "quick@1"
BACKBONES = (
    "Packaged('tf_efficientnet_lite0', image_size=128)",
    "Packaged('mobilenetv2_100', image_size=128)",
    "RawPixels()",
    "RandomInit('tf_efficientnet_lite0', image_size=128)",
)
EVALUATORS = ("Prototype()", "LinearProbe(C=1.0)")
SHOTS = (1, 5)
# Steps and rate did best of a few on 12 episodes of the validation classes.
TUNED = ("FineTune(tune='all', steps=10, lr=0.003)", "FineTune(tune='head', steps=50, lr=0.003)")
N_TUNED = 25


@dataclass(frozen=True)
class Setting:
    """Images, and how episodes are made of them."""

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
    """The runs, backbone by backbone, those on one data set together."""
    for setting, backbone, k_shot, evaluator in product(SETTINGS, BACKBONES, SHOTS, EVALUATORS):
        yield RunSpec(setting.dataset, backbone, evaluator, setting.episodes(k_shot), "L2()", protocol=PROTOCOL)
    for evaluator in TUNED:
        yield RunSpec(MONO.dataset, BACKBONES[0], evaluator, MONO.episodes(5), n_episodes=N_TUNED, protocol=PROTOCOL)
