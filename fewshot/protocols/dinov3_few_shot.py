"""DINOv2's and DINOv3's logistic regression with few labels: ImageNet, K images per class, whole validation set."""

from __future__ import annotations

from fewshot.episodes.shape import EpisodeShape
from fewshot.protocols import Benchmark, Head
from fewshot.protocols._test_sets import set_of

NEEDS = ("Its sets have no seen classes: use --preset SimpleShot-L2N in place of --preset SimpleShot.",)
BENCHMARK = Benchmark(
    name="dinov3_few_shot",
    version=1,
    title="ImageNet with 1/2/5/10 images per class: k-NN and logistic regression as DINOv2 and DINOv3 evaluate",
    source="Oquab et al. 2023, arXiv 2304.07193; Simeoni et al. 2025, arXiv 2508.10104",
    licence="ImageNet's terms of access: research only, no copies to others",
    sets=(set_of("imagenet", "its own archives"),),
    shapes=tuple(EpisodeShape(None, k_shot, None) for k_shot in (1, 2, 5, 10)),
    n_episodes=3,
    heads=(
        Head("L2()", "NearestNeighbour(k=10, temperature=0.07)"),
        Head("Identity()", "CrossValidated(LinearProbe(), (('C', 'dinov2'),))"),
    ),
    expected=(
        "With the whole training set, k-NN and linear (DINOv2): S14 79.0, 81.1; B14 82.1, 84.5; L14 83.5, 86.3; g14 "
        "83.5, 86.5.",
    ),
    deviations=(
        "C is chosen among the published 45 values by cross-validation inside the support, so every label is counted. "
        "The published code takes 1 % of the training set for it: 12,800 further labels, also at 1 shot.",
        "k is 10; the papers have 10, 20, 100 and 200.",
        "No linear probe with augmentation and last-n blocks.",
    ),
    confirm=("Nothing here was run on ImageNet.",),
)
