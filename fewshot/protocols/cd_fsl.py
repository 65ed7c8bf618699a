"""CD-FSL: 5-way 5-shot, 20-shot and 50-shot on crop diseases, satellite, skin and chest images, all classes novel."""

from __future__ import annotations

from fewshot.datasets._known_sets import edition
from fewshot.episodes.shape import EpisodeShape
from fewshot.protocols import Benchmark, BenchmarkSet, Head, Place

_EUROSAT, _SKIN = edition("eurosat", "without partitions"), edition("isic2018", "training images")
_ISIC = "ISIC2018_Task3_Training_GroundTruth"
NEEDS = ("Its sets have no seen classes: use --preset SimpleShot-L2N in place of --preset SimpleShot.",)
BENCHMARK = Benchmark(
    name="cd_fsl",
    version=1,
    title="CD-FSL, the broader study of cross-domain few-shot learning: four sets, 5-way 5/20/50-shot",
    source="Guo et al. 2020, arXiv 1912.07200",
    licence="each set has its own; ISIC 2018: CC BY-NC, ChestX-ray14: cite Wang et al. 2017",
    sets=(
        BenchmarkSet(
            "crop_disease",
            tuple(map(Place, ("CropDisease", "CropDiseases", "plant-disease", "plantvillage"))),
            "kaggle.com/saroz014/plant-disease (folders of classes)",
        ),
        BenchmarkSet(
            "eurosat",
            (Place("eurosat/2750"), *map(Place, ("EuroSAT/2750", "EuroSAT", "2750"))),
            f"{_EUROSAT.address} (EuroSAT.zip, the RGB images)",
            edition=_EUROSAT,
        ),
        BenchmarkSet(
            "isic",
            (
                *(
                    Place(f"{top}{_ISIC}/{_ISIC}.csv", "Isic2018({path})")
                    for top in ("ISIC/", "ISIC2018/", "isic/", "")
                ),
                *(Place(f"{top}{_ISIC}.csv", "Isic2018({path})") for top in ("ISIC/", "ISIC2018/", "isic/")),
                *map(Place, ("ISIC", "ISIC2018", "isic")),
            ),
            f"{_SKIN.address} (2018, task 3: training images and their table), or one folder per class",
            edition=_SKIN,
        ),
        BenchmarkSet(
            "chestx",
            (
                *(Place(f"{name}/Data_Entry_2017.csv", "ChestXray({path})") for name in ("ChestX", "chestX", "chestx")),
                *map(Place, ("ChestX", "chestx")),
            ),
            "nihcc.app.box.com/v/ChestXray-NIHCC (images and Data_Entry_2017.csv), or one folder per finding",
        ),
    ),
    shapes=tuple(EpisodeShape(5, k_shot, 15) for k_shot in (5, 20, 50)),
    n_episodes=600,
    heads=(Head("L2()", "LinearProbe(C=1.0)"),),
    image_size=224,
    deviations=(
        "The default head is a logistic regression on fixed features; the paper's baselines train a linear head with "
        "SGD, or fine-tune the network (FineTune).",
        "The network is yours; the paper trains ResNet-10 on mini-ImageNet.",
    ),
    confirm=("Your copies of crop_disease and chestx hold the paper's images: it publishes no counts.",),
)
