"""MIEB's image classification: 16 images per class, 5 draws, a logistic regression on raw features, whole test sets."""

from __future__ import annotations

from dataclasses import replace

from fewshot.episodes.shape import EpisodeShape
from fewshot.protocols import OURS, Benchmark, Head
from fewshot.protocols._test_sets import WHOLE_TEST_SET, set_of

_DRAWS = "RepeatedPermutation({train}, {test})"
_SETS = (
    *("birdsnap", "caltech101", "cifar10", "cifar100", "country211", "dtd", "eurosat", "fer2013", "fgvc_aircraft"),
    *("food101", "gtsrb", "imagenet", "mnist", "oxford_flowers", "oxford_pets", "patch_camelyon", "resisc45"),
    *("stanford_cars", "stl10", "sun397", "ucf101"),
)

NEEDS = (
    "Needs the package h5py for patch_camelyon.",
    "Its sets have no seen classes: use --preset SimpleShot-L2N in place of --preset SimpleShot.",
)
BENCHMARK = Benchmark(
    name="mieb_few_shot",
    version=1,
    title="MIEB (mteb), image classification with 16 images per class, 21 sets",
    source="Xiao et al. 2025, arXiv 2504.10471; github.com/embeddings-benchmark/mteb",
    licence="each set has its own",
    sets=tuple(set_of(name, "MIEB", _DRAWS) for name in _SETS),
    shapes=(EpisodeShape(None, 16, None, k_shot_at_most=True),),
    n_episodes=5,
    heads=(Head("Identity()", "LinearProbe(C=1.0)"),),
    exchangeable="backbone; another evaluator makes another protocol than MIEB's, which the row shows",
    expected=(
        "ImageNet: DINOv2 S/B/L 69.40, 75.92, 78.62; CLIP B32/B16/L14 61.16, 67.53, 75.10.",
        "CIFAR-100: DINOv2 S/B/L 77.02, 84.49, 88.83; CLIP 67.41, 71.24, 79.99.",
        "Pets: DINOv2 S/B/L 92.01, 94.12, 94.90; CLIP 80.51, 86.02, 91.94.",
    ),
    deviations=(
        "The optimum of the logistic regression; mteb stops scikit-learn's solver after 100 iterations, which is often "
        "not enough.",
        "The draws use mteb's permutation on the order of your copy. They are mteb's images only if your copy has the "
        "order of its Hugging Face data set.",
        "The draws are powers of one permutation, not independent: means over sets and reproductions count their "
        "spread as that of one draw (mieb_few_shot@fewshot has independent draws).",
        "oxford_flowers is not the official split: 7,169 training images instead of 1,020.",
    ),
    confirm=("The order of your copies, and so the draws.",),
)
FEWSHOT_NEEDS = (
    "Needs the package h5py for patch_camelyon.",
    "Its sets have no seen classes: use --preset SimpleShot-L2N in place of --preset SimpleShot.",
)
FEWSHOT = replace(
    BENCHMARK,
    name=f"mieb_few_shot{OURS}",
    title="MIEB's sets with 16 images per class and 5 independent draws",
    sets=tuple(replace(one, sampler=WHOLE_TEST_SET) for one in BENCHMARK.sets),
    expected=(),
    deviations=("Independent draws in place of powers of one permutation: an interval for new draws is valid.",),
)
