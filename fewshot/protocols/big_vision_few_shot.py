"""big_vision's few-shot evaluation: 1, 5, 10 and 25 shots, three nested draws, a ridge probe, whole test sets."""

from __future__ import annotations

from dataclasses import replace

from fewshot.episodes.shape import EpisodeShape
from fewshot.protocols import Benchmark, Head, Place
from fewshot.protocols._test_sets import set_of

_LSR = Head("Identity()", "Standardised(RidgeProbe(l2=1024.0, intercept_scaling=100.0), eps=1e-5)")
_DTD = Place("dtd/dtd", "TorchvisionSet('DTD', root={root})")

NEEDS = ("Its sets have no seen classes: use --preset SimpleShot-L2N in place of --preset SimpleShot.",)
BENCHMARK = Benchmark(
    name="big_vision_few_shot",
    version=1,
    title="big_vision's linear few-shot evaluation on seven sets, 1/5/10/25 shots",
    source="github.com/google-research/big_vision, evaluators/fewshot_lsr.py (Zhai et al. 2022, arXiv 2106.04560)",
    licence="each set has its own",
    sets=(
        set_of("caltech101", "MIEB"),
        replace(set_of("stanford_cars", "its own lists"), name="cars196"),
        set_of("cifar100", "torchvision"),
        replace(set_of("dtd", "its own lists"), places=(_DTD, *set_of("dtd", "its own lists").places)),
        replace(set_of("oxford_pets", "its own lists"), name="oxford_iiit_pet"),
        set_of("uc_merced", "big_vision"),
        set_of("imagenet", "its own archives"),
    ),
    shapes=tuple(EpisodeShape(None, k_shot, None, k_shot_at_most=True) for k_shot in (1, 5, 10, 25)),
    n_episodes=3,
    heads=(_LSR,),
    exchangeable="backbone; another evaluator makes another protocol than big_vision's, which the row shows",
    image_size=224,
    deviations=(
        "The images of a draw are fewshot's: big_vision draws from the order of its TFDS sets. Both are nested in K.",
        "The backbone's own preprocessing, not resize 256 and centre crop 224.",
        "uc_merced is divided into the first 1000 images and the rest of the TFDS order; your copy decides which.",
        "A class with fewer than K training images gives all of them.",
    ),
    confirm=("The division of uc_merced and caltech101 is that of TFDS.",),
)
