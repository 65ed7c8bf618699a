"""MedMNIST v2 as a few-shot benchmark: 1, 5, 10 and 25 images per class, five nested draws, whole test partitions."""

from __future__ import annotations

from fewshot.datasets._known_sets import edition
from fewshot.episodes.shape import EpisodeShape
from fewshot.protocols import Benchmark, BenchmarkSet, Head, Place
from fewshot.protocols._test_sets import WHOLE_TEST_SET

_SETS = ("path", "derma", "oct", "pneumonia", "retina", "breast", "blood", "tissue", "organa", "organc", "organs")


def _set(name: str) -> BenchmarkSet:
    counts = edition(f"{name}mnist", "MedMNIST")
    return BenchmarkSet(
        f"{name}mnist",
        tuple(Place(f"{name}mnist{size}.npz", "ImageArrays(path={path})") for size in ("", "_224", "_128", "_64")),
        f"{counts.address} or `pip install medmnist`",
        WHOLE_TEST_SET,
        edition=counts,
    )


NEEDS = ("Its sets have no seen classes: use --preset SimpleShot-L2N in place of --preset SimpleShot.",)
BENCHMARK = Benchmark(
    name="medmnist",
    version=1,
    title="eleven sets of MedMNIST v2, 1/5/10/25 images per class",
    source="data and partitions of Yang et al. 2023, arXiv 2110.14795; the few-shot protocol is fewshot's own",
    licence="CC BY 4.0; derma: CC BY-NC 4.0",
    sets=tuple(map(_set, _SETS)),
    shapes=tuple(EpisodeShape(None, k_shot, None) for k_shot in (1, 5, 10, 25)),
    n_episodes=5,
    heads=(Head("L2()", "LinearProbe(C=1.0)"),),
    deviations=(
        "MedMNIST trains on whole training partitions and publishes no few-shot numbers.",
        "fewshot takes the first file of 28, 224, 128 and 64 pixels. A file of 224 pixels is not the one of 28 "
        "enlarged, so compare rows of one size only.",
        "chestmnist is left out: its images have several labels.",
    ),
    confirm=("The size of your files, which rows name by the digest of their images.",),
)
