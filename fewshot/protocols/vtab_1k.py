"""VTAB-1k: 19 tasks with 1000 training images each, whole test sets, the mean of all and of three groups."""

from __future__ import annotations

from dataclasses import replace

from fewshot.datasets._known_sets import edition
from fewshot.episodes.shape import EpisodeShape
from fewshot.protocols import OURS, Benchmark, BenchmarkSet, Head, Place
from fewshot.results.selection_rule import Selection

_SAMPLER = "WholePartitions(('partition=train',), ('partition=val',), ('partition=test',))"
_STRENGTHS = (0.0001, 0.001, 0.01, 0.1, 1.0, 10.0, 100.0)
_WHOLE = EpisodeShape(None, None, None)
# The key of each task among the known sets, and its usual folders.
_NATURAL = {
    "caltech101": ("caltech101", ("caltech101",)),
    "cifar100": ("cifar100", ("cifar", "cifar100")),
    "dtd": ("dtd", ("dtd",)),
    "flowers102": ("flowers102", ("oxford_flowers102", "flowers102")),
    "pets": ("oxford_pets", ("oxford_iiit_pet", "pets")),
    "svhn": ("svhn", ("svhn",)),
    "sun397": ("sun397", ("sun397",)),
}
_SPECIALISED = {
    "patch_camelyon": ("patch_camelyon", ("patch_camelyon",)),
    "eurosat": ("eurosat", ("eurosat",)),
    "resisc45": ("resisc45", ("resisc45",)),
    "diabetic_retinopathy": ("diabetic_retinopathy", ("diabetic_retinopathy",)),
}
_STRUCTURED = {
    "clevr_count": ("clevr_count", ("clevr_count",)),
    "clevr_distance": ("clevr_dist", ("clevr_dist", "clevr_distance")),
    "dmlab": ("dmlab", ("dmlab",)),
    "kitti_distance": ("kitti", ("kitti", "kitti_distance")),
    "dsprites_location": ("dsprites_loc", ("dsprites_loc", "dsprites_location")),
    "dsprites_orientation": ("dsprites_ori", ("dsprites_ori", "dsprites_orientation")),
    "smallnorb_azimuth": ("smallnorb_azi", ("smallnorb_azi", "smallnorb_azimuth")),
    "smallnorb_elevation": ("smallnorb_ele", ("smallnorb_ele", "smallnorb_elevation")),
}
_TASKS = _NATURAL | _SPECIALISED | _STRUCTURED


def _task(name: str) -> BenchmarkSet:
    key, folders = _TASKS[name]
    places = [Place(f"{top}{folder}/test.txt", "PathLists({folder})") for top in ("", "vtab-1k/") for folder in folders]
    counts = edition(key, "VTAB-1k")
    return BenchmarkSet(
        name,
        tuple(places),
        f"{counts.address}, as <task>/images, train800.txt, val200.txt and test.txt",
        _SAMPLER,
        edition=counts,
    )


NEEDS = ("Its sets have no seen classes: use --preset SimpleShot-L2N in place of --preset SimpleShot.",)
BENCHMARK = Benchmark(
    name="vtab_1k",
    version=1,
    title="VTAB-1k, 19 tasks with 800 + 200 training images",
    source="Zhai et al. 2020, arXiv 1910.04867",
    licence="each task has its own",
    sets=tuple(map(_task, _TASKS)),
    shapes=(_WHOLE,),
    n_episodes=1,
    heads=(Head("Identity()", "LinearProbe(C=1.0)", Selection("images", (("C", _STRENGTHS),), n_episodes=1)),),
    image_size=224,
    groups=(("natural", tuple(_NATURAL)), ("specialised", tuple(_SPECIALISED)), ("structured", tuple(_STRUCTURED))),
    expected=("Fine-tuned, 1000 examples: supervised 66.4, rotation 60.5, from scratch 43.1.",),
    deviations=(
        "The default head is a linear probe whose C is chosen by training on the 800 and testing on the 200, and which "
        "then learns from the 1000; the paper fine-tunes the whole network with a sweep.",
        "With --evaluator nothing is chosen: the evaluator learns from the 1000.",
        "Classes without a training image are left out with their test images, with a warning; the published numbers "
        "count these images as errors.",
        "Which 1000 images they are depends on the copy: the authors' script takes the first 1000 of another order.",
    ),
    confirm=("Your lists are the usual ones: no checksum is published.",),
)
FEWSHOT_NEEDS = ("Its sets have no seen classes: use --preset SimpleShot-L2N in place of --preset SimpleShot.",)
FEWSHOT = replace(
    BENCHMARK,
    name=f"vtab_1k{OURS}",
    title="VTAB-1k with all 1000 labels in the support",
    heads=(Head("Identity()", f"CrossValidated(LinearProbe(), (('C', {_STRENGTHS}),))"),),
    expected=(),
    deviations=(
        "C is chosen by cross-validation inside the 1000 images, so no further label and no partition of them is used.",
        *BENCHMARK.deviations[2:],
    ),
)
