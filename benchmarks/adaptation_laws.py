"""Demonstration: few-shot adaptation of one small network over pre-training images, after Prato et al. (2021), with
several adapters, other data sets, and a matrix of sources and targets.

    fewshot bench adaptation_laws

The suite uses the ladder of `data_scaling` (and its trained networks, if they exist), 400 to 6400 images, three seeds;
then networks of the same size trained on 1000 images each of the mono icons, the colour icons and the glyphs. 5-way:

- held-out images of seen and of new classes, with the same N, K and Q: the head of matching networks at 1 and 5 shots,
  and fine-tuning of the whole network at 5 shots on 25 episodes (`data_scaling` has the nearest mean);
- new classes of the colour icons, of the glyphs, and of FashionMNIST if it is installed: nearest mean and matching at
  5 shots; fine-tuning for the first two only.

Fine-tuning has one setting for all: the best of six on 25 episodes of validation classes, for one seed at 400, 1600 and
6400 images. It clips gradients, because many of these networks diverge otherwise. The paper's ways, shots and exponents
are not readable, so this suite studies its design (arXiv 2110.06990) and does not reproduce it.

    fewshot study adaptation benchmarks/results/adaptation_laws.jsonl
    fewshot study sources benchmarks/results/adaptation_laws.jsonl

b of error over pre-training images, 5-way 5-shot, with 95 % t intervals over three seeds:

                seen classes   new classes    icons colour   glyphs           FashionMNIST
    matching    .65 [.47, .82] .56 [.44, .67] .42 [.38, .47] 1.06 [.79, 1.30] .15 [.03, .27]
    fine-tuning .43 [.33, .53] .47 [.25, .68] .43 [.36, .50]  .73 [.46, .97]  -
    nearest mean (elsewhere)                  .46 [.44, .48] 1.05 [.78, 1.29] .17 [.03, .30]

On equal protocols, b_new - b_seen is -.09 [-.15, -.03] with matching and .04 [-.08, .15] with fine-tuning. Trained on
1000 images of each source, 5-shot accuracy in %:

    trained on    icons mono   icons colour glyphs       FashionMNIST
    icons mono    78.7 +- 3.5  63.6 +- 16.5 94.7 +- 0.5  61.5 +- 11.8
    icons colour  69.6 +- 5.7  71.9 +- 9.5  90.3 +- 5.2  56.3 +- 2.6
    glyphs        75.2 +- 3.6  62.7 +- 9.8  97.2 +- 0.6  60.2 +- 15.3

One decade of data and three seeds give wide intervals: these results do not establish the sign of b_new - b_seen or the
order of the adapters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from fewshot.benchmarks.data_scaling import ARMS, BATCH, DATA, N_EPISODES, SEEDS, SIZES, held_out

from fewshot.backbones.conv_net import ConvNet
from fewshot.backbones.pretrained import Pretrained
from fewshot.datasets import Dataset
from fewshot.datasets.glyphs import Glyphs
from fewshot.datasets.icons import Icons
from fewshot.episodes.shape import EpisodeShape
from fewshot.pretraining.cross_entropy import CrossEntropy
from fewshot.pretraining.ladders import data_ladder
from fewshot.runs.specs import RunSpec, Sampled

PROTOCOL = "adaptation_laws@1"
FINE_TUNE = "FineTune(tune='all', steps=10, lr=0.01, start='probe', clip_norm=1.0)"
N_TUNED = 25
N_ELSEWHERE = 200  # episodes of other sets
SOURCES: tuple[Dataset, ...] = (Icons("mono"), Icons("colour"), Glyphs())
MATRIX = CrossEntropy(epochs=14.0, batch_size=BATCH)
N_MATRIX = 1000  # images of every source


@dataclass(frozen=True)
class Target:
    """The new classes of a data set, and their episodes."""

    dataset: str
    split: str | None = None
    images_from: str | None = None

    def episodes(self) -> Sampled:
        """5-way 5-shot episodes with 5 queries per class."""
        sampler = f"Balanced({self.images_from!r}, {self.images_from!r})"
        return Sampled(EpisodeShape(n_way=5, k_shot=5, n_query=5), sampler=sampler)


COLOUR, GLYPHS = Target("Icons('colour')"), Target("Glyphs()")
FASHION = Target("TorchvisionSet('FashionMNIST')", "BySeed(novel=0.8, validation=0.2)", "partition=test")
TARGETS = (Target("Icons('mono')"), COLOUR, GLYPHS, FASHION)


def suite() -> Iterator[RunSpec]:
    """The runs: the matrix, then the heads on the ladder, then fine-tuning, which takes longest."""
    for seed in SEEDS:
        for source in SOURCES:
            start = Pretrained(ConvNet(width=8), source, MATRIX)
            for rung in data_ladder(start, (N_MATRIX,), (seed,)):
                yield from (elsewhere(rung, target, "Prototype()") for target in TARGETS)
    for rung in data_ladder(ARMS[0], SIZES, SEEDS):
        for classes in ("seen", "novel"):
            yield from (at_home(rung, classes, k_shot, "Matching()", N_EPISODES) for k_shot in (1, 5))
        for target in (COLOUR, GLYPHS, FASHION):
            yield from (elsewhere(rung, target, evaluator) for evaluator in ("Prototype()", "Matching()"))
    for rung in data_ladder(ARMS[0], SIZES, SEEDS):
        yield from (at_home(rung, classes, 5, FINE_TUNE, N_TUNED) for classes in ("seen", "novel"))
        yield from (replace(elsewhere(rung, t, FINE_TUNE), n_episodes=N_TUNED) for t in (COLOUR, GLYPHS))


def at_home(backbone: Pretrained, classes: str, k_shot: int, evaluator: str, n_episodes: int) -> RunSpec:
    """A run on held-out images of the data set that the network was trained on."""
    run = RunSpec(repr(DATA), repr(backbone), evaluator, held_out(k_shot), transform(evaluator), classes)
    return replace(run, n_episodes=n_episodes, protocol=PROTOCOL)


def elsewhere(backbone: Pretrained, target: Target, evaluator: str) -> RunSpec:
    """A run on the new classes of a whole data set."""
    run = RunSpec(target.dataset, repr(backbone), evaluator, target.episodes(), transform(evaluator))
    return replace(run, split=target.split, n_episodes=N_ELSEWHERE, protocol=PROTOCOL)


def transform(evaluator: str) -> str:
    """The transform of the features; none for tuned networks."""
    return "Identity()" if evaluator.startswith("FineTune") else "L2()"
