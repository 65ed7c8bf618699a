"""Meta-Album, within one domain: 5-way 1, 5, 10 and 20-shot on the ten sets of its first release, Mini version."""

from __future__ import annotations

from fewshot.episodes.shape import EpisodeShape
from fewshot.protocols import Benchmark, BenchmarkSet, Head, Place

_SETS = ("BCT", "BRD", "CRS", "FLW", "MD_MIX", "PLK", "PLT_VIL", "RESISC", "SPT", "TEX")


def _set(name: str) -> BenchmarkSet:
    folders = (f"{name}_Mini", name, f"meta_album/{name}_Mini", f"meta_album/{name}")
    return BenchmarkSet(
        name.lower(),
        tuple(Place(f"{folder}/labels.csv", "MetaAlbum({folder})") for folder in folders),
        "meta-album.github.io (Mini version)",
    )


NEEDS = ("Its sets have no seen classes: use --preset SimpleShot-L2N in place of --preset SimpleShot.",)
BENCHMARK = Benchmark(
    name="meta_album",
    version=1,
    title="Meta-Album within one domain, ten sets, 5-way 1/5/10/20-shot",
    source="Ullah et al. 2022, arXiv 2302.08909; github.com/ihsaan-ullah/meta-album",
    licence="each set has its own, listed at meta-album.github.io",
    sets=tuple(map(_set, _SETS)),
    shapes=tuple(EpisodeShape(5, k_shot, 16) for k_shot in (1, 5, 10, 20)),
    n_episodes=600,
    heads=(Head("Identity()", "Prototype()"),),
    image_size=128,
    deviations=(
        "All classes are novel: nothing is trained on these sets. The source divides the classes of each set at "
        "random, 70/15/15, and trains on the first part.",
        "The default head is that of its ProtoNet.",
    ),
    confirm=("Your copies are the Mini version: at least 20 classes with 40 images each.",),
)
