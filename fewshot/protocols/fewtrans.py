"""FewTrans: 2 to 15 ways and at most 10 shots on ten sets; nine fine-tunings vote in place of a validation choice."""

from __future__ import annotations

from dataclasses import replace

from fewshot.datasets._known_sets import Edition, edition
from fewshot.episodes.shape import EpisodeShape
from fewshot.protocols import OURS, Benchmark, BenchmarkSet, Head, Place
from fewshot.protocols.meta_dataset import TREE

_LIMITS = "ways=(2, 15), most_support=150, most_shots=10"
_TUNED = "FineTune(steps=70, optimizer='adam', schedule='cosine', unit_features=True)"
_RATES = "(('lr', (2e-06, 1e-05, 5e-05)), ('head_lr', (0.0004, 0.002, 0.01)))"
# The usual folders, how to lay out what the address of the edition offers, and the edition whose counts are checked; or
# where to get a set without one.
_SETS: dict[str, tuple[tuple[str, ...], str, Edition | None]] = {
    "imagenet_sketch": (
        ("ImageNet_sketch", "imagenet-sketch/images", "imagenet_sketch", "sketch"),
        "github.com/HaohanWang/ImageNet-Sketch",
        None,
    ),
    "quickdraw": (
        ("domainnet/quickdraw", "quickdraw"),
        "ai.bu.edu/M3SDA (quickdraw of DomainNet, one folder per class)",
        None,
    ),
    "vgg_flower": (
        ("vggflowers", "vgg_flower", "flowers"),
        ", one folder per class",
        edition("flowers102", "without partitions"),
    ),
    "aircraft": (
        ("aircraft", "fgvc_aircraft"),
        ", one folder per variant",
        edition("fgvc_aircraft", "without partitions"),
    ),
    "dtd": (("dtd/images", "dtd"), "", edition("dtd", "without partitions")),
    "fungi": (("fungi/images", "fungi"), "", edition("fungi", "Meta-Dataset")),
    "cifar100": (
        ("cifar100",),
        ", the 10,000 test images in one folder per class, as the source prepares them",
        edition("cifar100", "test images"),
    ),
    "eurosat": (
        ("EuroSAT/2750", "EuroSAT", "eurosat/2750", "2750"),
        " (EuroSAT.zip, the RGB images)",
        edition("eurosat", "without partitions"),
    ),
    "ucf101": (
        ("UCF-101-midframes", "ucf101/UCF-101-midframes"),
        " (UCF-101-midframes.zip)",
        edition("ucf101", "CoOp"),
    ),
    "plant_disease": (
        ("plant_disease/train", "plant-disease/train"),
        "kaggle.com/saroz014/plant-disease (the folder train)",
        None,
    ),
}


def _set(name: str) -> BenchmarkSet:
    folders, form, counts = _SETS[name]
    get = form if counts is None else f"{counts.address}{form}"
    own = tuple(Place(folder, "ImageFolderSet({path}, layout='class')") for folder in folders)
    has_tree = name == "imagenet_sketch"
    return BenchmarkSet(
        name,
        own,
        get,
        f"VariableWayShot(tree={{tree}}, {_LIMITS})" if has_tree else f"VariableWayShot({_LIMITS})",
        edition=counts,
        companions=(TREE,) if has_tree else (),
    )


NEEDS = (
    "Needs the tree of imagenet_sketch.",
    "Its head fine-tunes the network.",
    "Its sets have no seen classes: use --preset SimpleShot-L2N in place of --preset SimpleShot.",
)
BENCHMARK = Benchmark(
    name="fewtrans",
    version=1,
    title="FewTrans, ten sets, 2 to 15 ways, at most 10 shots and 150 support images, nine fine-tunings vote",
    source="Luo et al. 2026, arXiv 2603.00478; github.com/Frankluox/FewTrans",
    licence="each set has its own",
    sets=tuple(map(_set, _SETS)),
    shapes=(EpisodeShape(None, None, None),),
    n_episodes=600,
    heads=(Head("Identity()", f"TunedVote({_TUNED}, {_RATES}, ties='first')"),),
    image_size=224,
    deviations=(
        "Plain image folders; episodes are fewshot's own, by Meta-Dataset's formulas with the limits of the source.",
        "No class has more than 10 shots; in Meta-Dataset's formulas, 10 only limits the size of the support, so a "
        "large class can have more.",
        "70 steps of the whole support; the source takes 70 rounds of mini-batches of 64 images, so it makes 2 or 3 "
        "steps per round on supports of more than 64.",
        "The rates are those in the code of the source, 5 times lower and higher than a centre; the source searches "
        "the centre for each network on other episodes first.",
        "ImageNet-Sketch stands for ImageNet, as in the final scripts of the source.",
    ),
    confirm=(
        "Everything at full size: nine fine-tunings of 600 episodes on ten sets need a GPU.",
        "The images of imagenet_sketch, quickdraw and plant_disease, which fewshot does not count.",
    ),
)
FEWSHOT_NEEDS = (
    "Its head fine-tunes the network.",
    "Its sets have no seen classes: use --preset SimpleShot-L2N in place of --preset SimpleShot.",
)
FEWSHOT = replace(
    BENCHMARK,
    name=f"fewtrans{OURS}",
    title="FewTrans' sets, 5-way 1/5/10-shot, nine fine-tunings vote, ties go to the higher probability",
    sets=tuple(replace(one, sampler="Balanced()", companions=()) for one in BENCHMARK.sets),
    shapes=tuple(EpisodeShape(5, k_shot, 15) for k_shot in (1, 5, 10)),
    heads=(Head("Identity()", f"TunedVote({_TUNED}, {_RATES})"),),
    deviations=(
        "Balanced episodes with nested shots in place of variable ways and shots.",
        "Among classes with equal votes, the higher mean probability wins; the source takes the first class.",
        *BENCHMARK.deviations[2:],
    ),
)
