"""Meta-Dataset from plain image folders: ten sets, variable ways and shots, by the tree of classes and by alphabets."""

from __future__ import annotations

from fewshot.episodes.episodes import EpisodeShape
from fewshot.protocols import Benchmark, BenchmarkSet, Companion, Counts, Head, Place

_TREE = Companion(
    "tree",
    ("wordnet/data.noun", "data.noun", "/usr/share/wordnet/data.noun"),
    "wordnet.princeton.edu (WordNet 3.0, dict/data.noun) or Debian's wordnet-base",
)
_CLASSES: dict[str, tuple[tuple[str, ...], int, int | None]] = {
    "ilsvrc_2012": (("ILSVRC2012/train", "imagenet/train", "ilsvrc_2012", "ILSVRC2012_img_train"), 1000, None),
    "omniglot": ((), 1623, 32_460),
    "aircraft": (("aircraft", "fgvc_aircraft"), 100, 10_000),
    "cu_birds": (("CUB_200_2011/images", "cu_birds"), 200, 11_788),
    "dtd": (("dtd/images", "dtd"), 47, 5_640),
    "quickdraw": (("quickdraw",), 345, None),
    "fungi": (("fungi", "fungi/images"), 1394, 89_760),
    "vgg_flower": (("vgg_flower", "flowers"), 102, 8_189),
    "traffic_sign": (("GTSRB/Final_Training/Images", "traffic_sign"), 43, 39_209),
    "mscoco": (("mscoco",), 80, 860_001),
}
_GET = {
    "ilsvrc_2012": "image-net.org after registration (the training images in folders of synset ids)",
    "omniglot": "github.com/brendenlake/omniglot (images_background.zip and images_evaluation.zip, unpacked)",
    "aircraft": "robots.ox.ac.uk/~vgg/data/fgvc-aircraft, one folder per variant, cropped to the bounding boxes",
    "cu_birds": "data.caltech.edu/records/65de6-vp158",
    "dtd": "robots.ox.ac.uk/~vgg/data/dtd",
    "quickdraw": "github.com/googlecreativelab/quickdraw-dataset (bitmaps), one folder per class",
    "fungi": "github.com/visipedia/fgvcx_fungi_comp",
    "vgg_flower": "robots.ox.ac.uk/~vgg/data/flowers/102, one folder per class",
    "traffic_sign": "benchmark.ini.rub.de (GTSRB_Final_Training_Images.zip)",
    "mscoco": "cocodataset.org, boxes of train2017 cropped into one folder per class",
}
_UNSEEN_OF_IMAGENET = tuple(name for name in _CLASSES if name != "ilsvrc_2012")


def _set(name: str) -> BenchmarkSet:
    folders, classes, images = _CLASSES[name]
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
        _GET[name],
        sampler,
        split=f"Published('meta_dataset_{name}')",
        counts=Counts(classes, images),
        companions=(_TREE,) if name == "ilsvrc_2012" else (),
    )


BENCHMARK = Benchmark(
    name="meta_dataset",
    version=1,
    title="Meta-Dataset, ten sets from plain image folders, variable ways and shots",
    source="Triantafillou et al. 2020, arXiv 1903.03096; github.com/google-research/meta-dataset",
    licence="each set has its own",
    sets=tuple(map(_set, _CLASSES)),
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
        "The images of quickdraw (50 million) and of ilsvrc_2012 are not counted, only their classes.",
        "The class tree is WordNet's above the classes of a part of the split, as in the published code.",
    ),
    confirm=("Crops of aircraft and mscoco, and the images of quickdraw, are as the published conversion makes them.",),
)
