"""What pre-training on icons in black on white is worth in labelled icons in colour, after Hernandez et al. (2021); a
demonstration.

    fewshot bench effective_data

The target is a classifier of the 107 seen classes of the icons in colour on D_F = 107 to 1070 of their images: three
networks, from scratch and from the network that was trained on 3200 icons in black on white (its 257 classes hold
these concepts: near), three seeds. Every one is the best of two rates by cross-entropy on validation images, each
stopped where that is least: the same trials from scratch and pre-trained. The loss is `seen_loss`, cross-entropy on
held-out images; `seen_error` the error there. Then:

    fewshot scaling transfer effective_data.jsonl --x unique_images --y seen_loss --by n_params --pretrained started_on

The episodes of a row (5-way, 1 shot, held-out images of these classes) come with it.

Found: an image is worth 3.2 to 4.4 with 107 of them, 1.8 to 3.9 with 150 to 340; from 600 on D_E is beyond the
from-scratch curve and only bounded; no ossification in 63 points. D_T = k D_F^alpha N^beta with alpha .79 [.61, .97]
and beta -.01 [-.08, .05]: no effect of the network's size is seen between 6 and 98 thousand weights. No point lies in
the low-data regime that the law speaks of (D_F below a tenth of D(N)), since the set ends long before. k, alpha and
beta of so little data mean nothing elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from fewshot.benchmarks.data_scaling import BATCH, BY_EPOCHS, DATA, SEEDS

from fewshot.backbones import BackboneSource
from fewshot.backbones.conv_net import ConvNet
from fewshot.backbones.pretrained import Pretrained
from fewshot.datasets.icons import Icons
from fewshot.datasets.partitioned import Partitioned
from fewshot.episodes.episodes import EpisodeShape
from fewshot.pretraining.cross_entropy import CrossEntropy
from fewshot.pretraining.ladders import data_ladder
from fewshot.pretraining.tuned import Tuned
from fewshot.runs.specs import RunSpec, Sampled

PROTOCOL = "effective_data@1"
WIDTHS = (4, 8, 16)
TARGET = Partitioned(Icons("colour"), test=3, validation=1)
FROM_SCRATCH = (107, 190, 340, 600, 1070)  # the curves that D_E is read off
D_F = (107, 150, 190, 270, 340, 600, 1070)  # the largest can only bound D_E: no curve goes on beyond it
N_SOURCE = 3200
RECIPE = Tuned(CrossEntropy(epochs=12.0, batch_size=BATCH), lr=(0.03, 0.1), weight_decay=(0.0005,))
EPISODES = Sampled(EpisodeShape(n_way=5, k_shot=1, n_query=2), sampler="Balanced('partition=test', 'partition=test')")


def suite() -> Iterator[RunSpec]:
    """The runs, seed by seed and network by network."""
    for seed in SEEDS:
        for width in WIDTHS:
            scratch = ConvNet(width=width)
            source = Pretrained(scratch, DATA, BY_EPOCHS, n_images=N_SOURCE)
            for start, sizes in ((scratch, FROM_SCRATCH), (source, D_F)):
                yield from (scored(rung) for rung in ladder(start, sizes, seed))


def ladder(start: BackboneSource, sizes: Sequence[int], seed: int) -> list[Pretrained]:
    """The classifiers of the target from a start."""
    return data_ladder(Pretrained(start, TARGET, RECIPE), sizes, (seed,))


def scored(backbone: Pretrained) -> RunSpec:
    """The row that holds the loss of a classifier."""
    run = RunSpec(repr(TARGET), repr(backbone), "Prototype()", EPISODES, "L2()", "seen")
    return replace(run, n_episodes=100, protocol=PROTOCOL)
