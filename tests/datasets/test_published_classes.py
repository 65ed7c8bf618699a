"""Published class splits: their sizes, their sources, and how their classes are found in copies of the data."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from timm.data import ImageNetInfo

from fewshot.datasets import LabelledImages
from fewshot.datasets._published_classes import matched, published_names, published_split
from fewshot.datasets.classes_of import ClassesOf
from fewshot.datasets.image_folder_set import ImageFolderSet
from fewshot.splits.published import Published
from tests.support.checkout import ROOT

# Counted in the papers and in the sources.
SIZES = {
    "cifar_fs": (64, 16, 20),
    "cub_100_50_50": (100, 50, 50),
    "cub_140_30_30": (140, 30, 30),
    "fc100": (60, 20, 20),
    "meta_dataset_aircraft": (70, 15, 15),
    "meta_dataset_cu_birds": (140, 30, 30),
    "meta_dataset_dtd": (33, 7, 7),
    "meta_dataset_fungi": (994, 200, 200),
    "meta_dataset_ilsvrc_2012": (712, 158, 130),
    "meta_dataset_mscoco": (0, 40, 40),
    "meta_dataset_omniglot": (883, 81, 659),
    "meta_dataset_quickdraw": (241, 52, 52),
    "meta_dataset_traffic_sign": (0, 0, 43),
    "meta_dataset_vgg_flower": (71, 15, 16),
    "mini_imagenet": (64, 16, 20),
    "omniglot_vinyals": (1028, 172, 423),
    "tiered_imagenet": (351, 97, 160),
}


def test_every_split_has_its_published_sizes():
    assert published_names() == sorted(SIZES)


@pytest.mark.parametrize("name", SIZES)
def test_parts_are_disjoint_and_a_source_is_named(name):
    split = published_split(name)
    assert (len(split.seen), len(split.validation), len(split.novel)) == SIZES[name]
    assert len(set(split.classes)) == sum(SIZES[name])
    assert "@" in split.source or split.source
    assert split.licence in ("MIT", "Apache-2.0")


def test_relations_between_splits():
    cifar, fc100 = published_split("cifar_fs"), published_split("fc100")
    assert set(cifar.classes) == set(fc100.classes)
    superclass = {one: one.split("/")[0] for one in fc100.classes}
    parts = [{superclass[one] for one in part} for part in (fc100.seen, fc100.validation, fc100.novel)]
    assert [len(part) for part in parts] == [12, 4, 4]
    assert not parts[0] & parts[2]
    alphabets = [{one.split("/")[0] for one in part} for part in (
        published_split("meta_dataset_omniglot").seen,
        published_split("meta_dataset_omniglot").validation,
        published_split("meta_dataset_omniglot").novel,
    )]  # fmt: skip
    assert [len(part) for part in alphabets] == [25, 5, 20]
    assert set(published_split("meta_dataset_omniglot").classes) == set(published_split("omniglot_vinyals").classes)
    one, other = published_split("cub_140_30_30"), published_split("meta_dataset_cu_birds")
    assert (set(one.seen), set(one.validation), set(one.novel)) == tuple(
        map(set, (other.seen, other.validation, other.novel))
    )
    leak = set(one.novel) & set(published_split("cub_100_50_50").seen)
    assert len(leak) == 14  # so a number on "CUB" must name its split


@pytest.mark.parametrize("name", ["mini_imagenet", "tiered_imagenet", "meta_dataset_ilsvrc_2012"])
def test_synset_ids_are_those_of_imagenet(name):
    known = set(ImageNetInfo("imagenet-1k").label_names())
    assert set(published_split(name).classes) <= known


@pytest.mark.parametrize(
    ("name", "benchmark"), [("cifar_fs", "CIFAR-FS"), ("fc100", "FC100"), ("cub_100_50_50", "CUB 100/50/50")]
)
def test_the_lists_of_an_installable_package_agree(name, benchmark):
    """data/class_lists.json took its benchmarks from PyPI's torchmeta (data/README.md)."""
    listed = json.loads((ROOT / "data" / "class_lists.json").read_text(encoding="utf-8"))["benchmarks"][benchmark]
    split = published_split(name)
    assert set(matched(split.classes, listed["train"])) == set(split.seen)
    assert len(listed["train"]) == len(split.seen)


@pytest.mark.parametrize(
    ("listed", "name"),
    [
        ("n01532829", "n01532829"),
        ("n01532829", "n01532829_house_finch"),
        ("n01532829", "house finch, n01532829"),
        ("001.Black_footed_Albatross", "Black footed albatross"),
        ("001.Black_footed_Albatross", "001.Black_footed_Albatross"),
        ("001.Black_footed_Albatross", "1-black-footed-albatross"),
        ("aquatic_mammals/dolphin", "dolphin"),
        ("aquatic_mammals/dolphin", "aquatic mammals/Dolphin"),
        ("Alphabet_of_the_Magi/character01", "images_background/Alphabet_of_the_Magi/character01"),
        ("Île", "ile"),
    ],
)
def test_a_class_is_found_by_synset_name_or_number(listed, name):
    assert matched([listed, "zebra/other"], [name, "something else"]) == {listed: name}


def test_a_doubtful_name_is_not_matched():
    assert matched(["a/character01", "b/character01"], ["character01"]) == {}
    assert matched(["crane"], ["Crane", "crane_"]) == {}
    assert matched(["Crane", "crane_"], ["crane"]) == {}
    assert matched(["crane", "crane_"], ["crane", "Crane"]) == {"crane": "crane", "crane_": "Crane"}


def test_bare_numbers_match_only_as_a_whole():
    signs = published_split("meta_dataset_traffic_sign").classes
    assert len(matched(signs, [f"{i:05}" for i in range(43)])) == 43
    assert matched(signs, [f"{i:05}" for i in range(1, 44)]) == {}
    flowers = published_split("meta_dataset_vgg_flower").classes  # numbers 1 to 102
    assert matched(flowers, [str(i) for i in range(102)]) == {}  # labels from 0: off by one, so nothing is matched
    assert matched(flowers, [str(i) for i in range(1, 103)])["005.english marigold"] == "5"


@pytest.fixture
def cub(tmp_path):
    """A tiny copy of CUB's folders: two images a class."""
    for number, name in enumerate(sorted(published_split("cub_140_30_30").classes)):
        folder = tmp_path / "CUB_200_2011" / "images" / name
        folder.mkdir(parents=True)
        for i in range(2):
            Image.new("RGB", (3, 3), (number, 255 - number, 10 * i)).save(folder / f"{i}.png")
    return tmp_path / "CUB_200_2011" / "images"


def test_a_split_of_folders(cub):
    images = ImageFolderSet(cub).load()
    split = Published("cub_140_30_30").split(images)
    assert (len(split.seen), len(split.validation), len(split.novel)) == (140, 30, 30)
    assert len(Published("cub_100_50_50").split(images).novel) == 50


def without(images: LabelledImages, n: int) -> LabelledImages:
    from fewshot.datasets.classes_of import _with_classes

    return _with_classes(images, np.arange(n, len(images.class_names)))


def test_missing_and_further_classes_are_named(cub):
    images = ImageFolderSet(cub).load()
    with pytest.raises(ValueError, match=r"no class for 3 of them, such as '001\.Black_footed_Albatross'"):
        Published("cub_140_30_30").split(without(images, 3))
    (cub / "Unicorn").mkdir()
    Image.new("RGB", (3, 3)).save(cub / "Unicorn" / "1.png")
    with pytest.raises(
        ValueError, match=r"1 classes that \w+ does not split, such as 'Unicorn'; keep only its classes"
    ):
        Published("cub_140_30_30").split(ImageFolderSet(cub).load())
    kept = ClassesOf("cub_140_30_30", ImageFolderSet(cub))
    assert kept.default_split() == "Published('cub_140_30_30')"
    assert Published("cub_140_30_30").split(kept.load()).classes_digest == images.classes_digest
    assert len(kept.load()) == 400


def test_an_unknown_split_lists_the_known():
    with pytest.raises(ValueError, match=r"unknown published split 'cub'; known: cifar_fs, cub_100_50_50"):
        published_split("cub")


def test_another_data_set_is_refused(cub):
    with pytest.raises(ValueError, match="has no class of mini_imagenet; that split has classes such as 'n0"):
        ClassesOf("mini_imagenet", ImageFolderSet(cub)).load()
