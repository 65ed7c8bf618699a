"""The claims that `data_scaling` cannot carry: three networks, five seeds, lr, weight decay and stopping point tuned at
every size; and ladders of classes. Hours.

    fewshot bench data_scaling_full

`--dry-run` prints the budget: 22 million image passes for the ladder of images, more for those of classes. It stops and
goes on at will, seed by seed.

Images: 400 to 6400 of the 257 seen classes; every rung is the best of six trainings (three rates x two weight decays),
each stopped where the cross-entropy on validation images of the seen classes is least. Classes: 32 to 256 of them with
16 images each, and with 512 images in all at every rung, scored on the 32 that every rung has and on new classes; by
epochs. Protocols, columns and partitions are those of `data_scaling`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fewshot.benchmarks.data_scaling import BATCH, DATA, SIZES, scored

from fewshot.backbones.conv_net import ConvNet
from fewshot.backbones.pretrained import Pretrained
from fewshot.pretraining.cross_entropy import CrossEntropy
from fewshot.pretraining.ladders import class_ladder, narrowed, network_ladder
from fewshot.pretraining.tuned import Tuned
from fewshot.specs import RunSpec

PROTOCOL = "data_scaling_full@1"
SEEDS = range(5)
NETWORKS = (ConvNet(width=8), ConvNet(width=16), ConvNet(width=32))
TUNED = Tuned(CrossEntropy(epochs=20.0, batch_size=BATCH))
BY_EPOCHS = CrossEntropy(epochs=20.0, batch_size=BATCH)
CLASSES, PER_CLASS, IN_ALL = (32, 64, 128, 256), 16, 512


def suite() -> Iterator[RunSpec]:
    """The runs, seed by seed."""
    for seed in SEEDS:
        for rung in network_ladder(Pretrained(NETWORKS[0], DATA, TUNED), NETWORKS, SIZES, (seed,)):
            yield from (replace(run, protocol=PROTOCOL) for run in scored(rung))
        yield from of_classes(seed)


def of_classes(seed: int) -> Iterator[RunSpec]:
    """The ladders of classes, on the classes of the smallest rung and on new ones."""
    start = Pretrained(NETWORKS[0], DATA, BY_EPOCHS)
    fewest = narrowed(start, min(CLASSES), seed)
    wide = class_ladder(start, CLASSES, (seed,), per_class=PER_CLASS)
    fixed = class_ladder(start, CLASSES, (seed,), n_images=IN_ALL)
    for rung in dict.fromkeys((*wide, *fixed)):
        yield from (replace(run, split=repr(fewest), protocol=PROTOCOL) for run in scored(rung))
