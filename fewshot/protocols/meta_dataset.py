"""Meta-Dataset from plain image folders: ten sets, variable ways and shots, by the tree of classes and by alphabets."""

from __future__ import annotations

from fewshot.datasets._known_sets import edition
from fewshot.episodes.shape import EpisodeShape
from fewshot.protocols import Benchmark, BenchmarkSet, Companion, Head, Place

TREE = Companion(
    "tree",
    ("wordnet/data.noun", "data.noun", "/usr/share/wordnet/data.noun"),
    "wordnet.princeton.edu (WordNet 3.0, dict/data.noun) or Debian's wordnet-base",
)
# The usual folders, and the key and the edition among the known sets.
_SETS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "ilsvrc_2012": (
        ("ILSVRC2012/train", "imagenet/train", "ilsvrc_2012", "ILSVRC2012_img_train"),
        "imagenet",
        "training images",
    ),
    "omniglot": ((), "omniglot", "without partitions"),
    "aircraft": (("aircraft", "fgvc_aircraft"), "fgvc_aircraft", "without partitions"),
    "cu_birds": (("CUB_200_2011/images", "cu_birds"), "cub_200_2011", "without partitions"),
    "dtd": (("dtd/images", "dtd"), "dtd", "without partitions"),
    "quickdraw": (("quickdraw",), "quickdraw", "Meta-Dataset"),
    "fungi": (("fungi/images", "fungi"), "fungi", "Meta-Dataset"),
    "vgg_flower": (("vgg_flower", "flowers"), "flowers102", "without partitions"),
    "traffic_sign": (("GTSRB/Final_Training/Images", "traffic_sign"), "gtsrb", "training archive"),
    "mscoco": (("mscoco",), "mscoco", "Meta-Dataset"),
}
# How to lay out what the address of the edition offers.
_FORMS = {
    "ilsvrc_2012": " (the training images in folders of synset ids)",
    "omniglot": " (images_background.zip and images_evaluation.zip, unpacked)",
    "aircraft": ", one folder per variant, cropped to the bounding boxes",
    "quickdraw": " (bitmaps), one folder per class",
    "vgg_flower": ", one folder per class",
    "traffic_sign": " (GTSRB_Final_Training_Images.zip)",
    "mscoco": ", boxes of train2017 cropped into one folder per class",
}
_UNSEEN_OF_IMAGENET = tuple(name for name in _SETS if name != "ilsvrc_2012")


def _set(name: str) -> BenchmarkSet:
    folders, key, edition_name = _SETS[name]
    counts = edition(key, edition_name)
    places = tuple(Place(folder, "ImageFolderSet({path}, layout='class')") for folder in folders)
    sampler = "VariableWayShot(tree={tree})" if name == "ilsvrc_2012" else "VariableWayShot()"
    if name == "omniglot":
        sampler, layout = "VariableWayShot(group='superclass')", "-/superclass/class"
        tops = ("omniglot-py", "omniglot", "Omniglot")
        places = tuple(
            Place(f"{top}/images_background", f"ImageFolderSet({{folder}}, layout={layout!r})") for top in tops
        )
    return BenchmarkSet(
        name,
        places,
        f"{counts.address}{_FORMS.get(name, '')}",
        sampler,
        split=f"Published('meta_dataset_{name}')",
        edition=counts,
        companions=(TREE,) if name == "ilsvrc_2012" else (),
    )


NEEDS = (
    "Needs the tree of ilsvrc_2012.",
    "traffic_sign and mscoco have no seen classes: use --preset SimpleShot-L2N in place of --preset SimpleShot.",
)
BENCHMARK = Benchmark(
    name="meta_dataset",
    version=1,
    title="Meta-Dataset, ten sets from plain image folders, variable ways and shots",
    source="Triantafillou et al. 2020, arXiv 1903.03096; github.com/google-research/meta-dataset",
    licence="each set has its own",
    sets=tuple(map(_set, _SETS)),
    shapes=(EpisodeShape(None, None, None),),
    n_episodes=600,
    heads=(Head("Identity()", "Prototype()"),),
    image_size=84,
    groups=(
        ("unseen if trained on ImageNet alone", _UNSEEN_OF_IMAGENET),
        ("unseen if trained on all", ("traffic_sign", "mscoco")),
    ),
    expected=(
        "ProtoNet trained on ImageNet alone: ILSVRC 50.50 ± 1.08, Omniglot 59.98 ± 1.35, Aircraft 53.10 ± 1.00, Birds "
        "68.79 ± 1.01, Textures 66.56 ± .83, QuickDraw 48.96 ± 1.08, Fungi 39.71 ± 1.11, Flower 85.27 ± .77, Traffic "
        "Sign 47.12 ± 1.10, COCO 41.00 ± 1.10.",
    ),
    deviations=(
        "Plain image folders in place of TFRecords; episodes are fewshot's own.",
        "The default head is ProtoNet's. The network is yours: whether it saw a set is in the rows (seen classes).",
        "Images are shuffled; the original reader of traffic_sign did not, which changed its number by 4 points.",
        "The class tree is WordNet's above the classes of a part of the split, as in the published code.",
    ),
    confirm=("Crops of aircraft and mscoco, and the images of quickdraw, are as the published conversion makes them.",),
)
