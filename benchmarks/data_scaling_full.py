"""The claims that `data_scaling` cannot carry: three networks, five seeds, lr, weight decay and stopping point tuned at
every size; and ladders of classes. Hours.

    fewshot bench data_scaling_full

`--dry-run` prints the budget: 22 million image passes for the ladder of images, more for those of classes. It stops and
goes on at will, seed by seed.

Images: 400 to 6400 of the 257 seen classes; every rung is the best of six trainings (three rates x two weight decays),
each stopped where the cross-entropy on validation images of the seen classes is least. Classes: 32 to 256 of them with
16 images each, and with 512 images in all at every rung, scored on the 32 that every rung has and on new classes; by
epochs. Protocols, columns and partitions are those of `data_scaling`.

Committed rows: two of the five seeds, two of the three networks, and the classes of these seeds; 6.3 million passes,
about three quarters of an hour of each of two cores. New classes, 5-way, 1 / 5 shots in percent, means of two seeds:

    images                400          800          1600         3200         6400         b, 5 shots
    width 8, tuned        50.0 / 66.1  61.6 / 78.6  67.4 / 84.1  71.7 / 87.0  72.2 / 87.8  .38 [.26, .50]
    width 16, tuned       51.6 / 69.4  63.2 / 80.5  70.1 / 85.6  72.2 / 88.0  73.6 / 88.8  .37 [.19, .56]

    classes               32           64           128          256
    16 images each        65.2 / 81.3  67.4 / 83.4  69.9 / 85.8  72.1 / 88.0
    512 images in all     65.2 / 81.3  64.5 / 80.6  61.7 / 78.5  53.5 / 71.2

Tuned, the smallest set reaches 66 where seven epochs reach 40, and b at 5 shots is .37 to .38 where `data_scaling` has
.58 and .61 by epochs and .04 by steps. On equal N, K, Q new classes gain less than seen ones at every network and
shot: b_new - b_seen from -.09 [-.11, -.07] to -.14 [-.17, -.11] (`fewshot study adaptation`; two seeds, Student's t).
And b is the slope of a line through a bend: a power law fitted without the two largest sizes misses them by .21 to .47
in log error, so none of the eight may be trusted beyond the data, while one that ends at a floor fits seven to nine
times closer (M2: e_inf .11 [.06, .17] and .10 [.05, .16] at 5 shots; the figure in the README):

    fewshot scaling fit benchmarks/results/data_scaling_full.jsonl --where training_rule=tuned,classes=novel,k_shot=5
        --x unique_images --by n_params --seeds training_seed --law M1,M2 --plot docs/data_scaling_full.svg

With 512 images in all, 16 images each of 32 classes beat two each of 256 in both seeds, by 10 points on new classes at
5 shots [-5, 26] and by 13 on the 32 that both have seen [-7, 33]; of the four scores only 1 shot on seen classes, by 18
[8, 29], can be told from nothing, and of those with 16 images of each class none (`fewshot study classes`).
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
