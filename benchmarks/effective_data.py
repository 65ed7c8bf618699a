"""Demonstration: how many labelled colour icons does pre-training on mono icons replace, after Hernandez et al. (2021)?

    fewshot bench effective_data

The target is a classifier of the 107 seen classes of the colour icons, trained on D_F = 107 to 1070 of their images.
Three networks start from scratch or from a training on 3200 mono icons (a near source: its 257 classes contain these
concepts), with three seeds. Every classifier is the best of two learning rates by cross-entropy on validation images,
each stopped at its least value, with the same trials from scratch and pre-trained. The loss is `seen_loss`, the
cross-entropy on held-out images; `seen_error` is the error there. Then run:

    fewshot scaling transfer effective_data.jsonl --x unique_images --y seen_loss --by n_params --pretrained started_on

A row also has the accuracy on episodes (5-way, 1 shot, held-out images of these classes).

Results: with pre-training, an image is worth 3.2 to 4.4 images at D_F = 107 and 1.8 to 3.9 at 150 to 340. From 600 on,
D_E is beyond the from-scratch curve and only bounded. None of the 63 points shows ossification. In
D_T = k D_F^alpha N^beta, alpha is .79 [.61, .97] and beta is -.01 [-.08, .05]: the size of the network has no visible
effect between 6 and 98 thousand weights. No point lies in the low-data regime of the law (D_F below a tenth of D(N)),
because the data set is too small. With so little data, k, alpha and beta do not apply elsewhere.
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
from fewshot.episodes.shape import EpisodeShape
from fewshot.pretraining.cross_entropy import CrossEntropy
from fewshot.pretraining.ladders import data_ladder
from fewshot.pretraining.tuned import Tuned
from fewshot.runs.specs import RunSpec, Sampled

PROTOCOL = "effective_data@1"
WIDTHS = (4, 8, 16)
TARGET = Partitioned(Icons("colour"), test=3, validation=1)
FROM_SCRATCH = (107, 190, 340, 600, 1070)  # the curves that give D_E
D_F = (107, 150, 190, 270, 340, 600, 1070)  # the largest only bounds D_E, because no curve goes beyond it
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
    """The classifiers of the target that start from one network."""
    return data_ladder(Pretrained(start, TARGET, RECIPE), sizes, (seed,))


def scored(backbone: Pretrained) -> RunSpec:
    """The run whose row has the loss of a classifier."""
    run = RunSpec(repr(TARGET), repr(backbone), "Prototype()", EPISODES, "L2()", "seen")
    return replace(run, n_episodes=100, protocol=PROTOCOL)
