"""CoOp's eleven sets: 1, 2, 4, 8 and 16 shots, three published draws, all classes, whole test sets."""

from __future__ import annotations

from dataclasses import replace

from fewshot.datasets._known_sets import edition
from fewshot.episodes.shape import EpisodeShape
from fewshot.protocols import OURS, Benchmark, BenchmarkSet, Companion, Head, Place
from fewshot.protocols._test_sets import WHOLE_TEST_SET
from fewshot.results.selection_rule import Selection

_SHOTS = (1, 2, 4, 8, 16)
_STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)
_DRAWS = Companion(
    "draws",
    ("{folder}/split_fewshot", "{folder}/draws"),
    "a run of CoOp's code, as files shot_K-seed_S.json; without them, run coop@fewshot",
)
# The folder, the ending of the list, and the key among the known sets.
_SETS = {
    "caltech101": ("caltech-101", "Caltech101", "caltech101"),
    "dtd": ("dtd", "DescribableTextures", "dtd"),
    "eurosat": ("eurosat", "EuroSAT", "eurosat"),
    "fgvc_aircraft": ("fgvc_aircraft", "FGVCAircraft", "fgvc_aircraft"),
    "food101": ("food-101", "Food101", "food101"),
    "imagenet": ("imagenet", "ImageNet", "imagenet"),
    "oxford_flowers": ("oxford_flowers", "OxfordFlowers", "flowers102"),
    "oxford_pets": ("oxford_pets", "OxfordPets", "oxford_pets"),
    "stanford_cars": ("stanford_cars", "StanfordCars", "stanford_cars"),
    "sun397": ("sun397", "SUN397", "sun397"),
    "ucf101": ("ucf101", "UCF101", "ucf101"),
}


def _set(name: str) -> BenchmarkSet:
    folder, ending, key = _SETS[name]
    counts = edition(key, "CoOp")
    return BenchmarkSet(
        name,
        (Place(f"{folder}/split_zhou_{ending}.json", "CoOpSplit({path})"),),
        f"{counts.address} (DATASETS.md names the images and the list for each set)",
        "PublishedDraws({draws})",
        edition=counts,
        companions=(_DRAWS,),
    )


NEEDS = (
    "Needs the draws of each set.",
    "Its sets have no seen classes: use --preset SimpleShot-L2N in place of --preset SimpleShot.",
)
BENCHMARK = Benchmark(
    name="coop",
    version=1,
    title="CoOp's eleven sets, 1/2/4/8/16 shots, three published draws",
    source="Zhou et al. 2022, arXiv 2109.01134",
    licence="each set has its own",
    sets=tuple(map(_set, _SETS)),
    shapes=tuple(EpisodeShape(None, k_shot, None) for k_shot in _SHOTS),
    n_episodes=3,
    heads=(Head("L2()", "LinearProbe(C=1.0)", Selection("images", (("C", _STRENGTHS),), n_episodes=3)),),
    image_size=224,
    expected=(
        "Tip-Adapter, CLIP RN50, zero-shot then 16-shot (chosen on test images: an oracle): ImageNet 60.32, 62.01; DTD "
        "42.20, 60.93; EuroSAT 37.52, 70.54; aircraft 17.10, 29.76; Flowers 66.02, 89.89; Pets 85.83, 88.14; Caltech "
        "85.92, 90.18; Food 77.32, 77.83; UCF 61.35, 70.58; Cars 55.74, 66.77; SUN 58.52, 66.85.",
    ),
    deviations=(
        "The default head is a linear probe on image features, with C chosen on the min(K, 4) validation images per "
        "class; the papers of this protocol learn prompts and adapters beside class names.",
        "One C for the three draws, chosen by their mean; the row counts the validation images as labels.",
        "With --evaluator nothing is chosen, and no validation label is used.",
        "The published draws are not nested: more shots are other images (coop@fewshot has nested draws).",
        "fgvc_aircraft and imagenet need a list in the same format; CoOp publishes none for them.",
    ),
    confirm=("The draws are CoOp's: fewshot reads what the files list.",),
)
FEWSHOT_NEEDS = ("Its sets have no seen classes: use --preset SimpleShot-L2N in place of --preset SimpleShot.",)
FEWSHOT = replace(
    BENCHMARK,
    name=f"coop{OURS}",
    title="CoOp's eleven sets, 1/2/4/8/16 shots, five nested draws without validation images",
    sets=tuple(replace(one, sampler=WHOLE_TEST_SET, companions=()) for one in BENCHMARK.sets),
    n_episodes=5,
    heads=(Head("L2()", "LinearProbe(C=1.0)"),),
    expected=(),
    deviations=(
        "Nested draws of fewshot in place of the published ones, so that a curve over shots compares the same images.",
        "No validation images: every label is in the support.",
    ),
)
