"""Copies of well-known data sets with other counts are named before anything is computed."""

from __future__ import annotations

import numpy as np
import pytest

from fewshot import protocols
from fewshot.commands._options import dataset_spec
from fewshot.datasets import ArrayImages, Group, LabelledImages
from fewshot.datasets._known_sets import difference_of, known_sets, recognised, warn_known
from fewshot.datasets._loading import load_images
from fewshot.datasets._published_classes import published_split
from tests.support import list_layouts as layouts

KNOWN = {name: known for known in known_sets().values() for name in known.names}


def images(name: str, counts: dict[str, int], classes: int | tuple[str, ...]) -> LabelledImages:
    """Images of one pixel, as many in each partition as `counts` says."""
    names = tuple(map(str, range(classes))) if isinstance(classes, int) else classes
    size = sum(counts.values())
    groups = {} if "all" in counts else {"partition": Group.of(part for part, n in counts.items() for _ in range(n))}
    pixels = np.zeros((size, 1, 1), dtype=np.uint8)
    return LabelledImages(name, ArrayImages(pixels), np.arange(size) % len(names), names, "0" * 64, groups)


def warning(copy: LabelledImages, caplog) -> str:
    caplog.clear()
    warn_known(copy)
    return "".join(caplog.messages)


SMALL = [
    (known, edition)
    for known in known_sets().values()
    for edition in known.editions.values()
    if sum(edition.images.values()) < 200_000
]


@pytest.mark.parametrize(("known", "edition"), SMALL, ids=lambda one: getattr(one, "title", getattr(one, "name", "")))
def test_every_edition_is_recognised_and_has_no_difference(known, edition):
    copy = images(known.names[0], edition.images, edition.classes)
    assert recognised(copy) is known
    assert difference_of(copy, known) is None


def test_exchanged_partitions_are_named(caplog):
    copy = images("oxford_flowers102", {"train": 6149, "val": 1020, "test": 1020}, 102)
    assert warning(copy, caplog) == (
        "oxford_flowers102: this copy of Oxford Flowers 102 has train and test exchanged: train 6,149, val 1,020, test "
        "1,020, as published (its own lists): train 1,020, val 1,020, test 6,149; published numbers may not apply; its "
        "publisher is https://www.robots.ox.ac.uk/~vgg/data/flowers/102/"
    )


@pytest.mark.parametrize(
    ("name", "counts", "classes", "message"),
    [
        (
            "dtd",
            {"all": 5630},
            47,
            "has other numbers of images: 5,630 in all, as published (all in one): 5,640 in all",
        ),
        (
            "DTD",
            {"train": 2820, "val": 1128, "test": 1700},
            47,
            "as published (CoOp): train 2,820, val 1,128, test 1,692",
        ),
        ("dtd", {"all": 5640}, 46, "has 46 classes instead of 47"),
        (
            "cifar100",
            {"train": 50000, "test": 9000},
            99,
            "has 99 classes instead of 100 and has other numbers of images",
        ),
        (
            "pathmnist_64",
            {"train": 89996, "val": 10004, "test": 7181},
            9,
            "this copy of MedMNIST's PathMNIST has other",
        ),
    ],
)
def test_other_counts_are_named(name, counts, classes, message, caplog):
    assert message in warning(images(name, counts, classes), caplog)


@pytest.mark.parametrize(
    ("name", "counts", "classes"),
    [
        ("birds", {"all": 40}, 4),
        ("pets", {"all": 40}, 2),
        ("oxford_pets", {"all": 40}, 2),
        ("dtd", {"all": 400}, 200),
        ("dtd", {"all": 400}, tuple(f"thing {i}" for i in range(47))),
    ],
)
def test_other_data_of_a_similar_name_are_not_recognised(name, counts, classes, caplog):
    assert warning(images(name, counts, classes), caplog) == ""


def test_classes_are_matched_by_their_names(caplog):
    classes = published_split("meta_dataset_dtd").classes
    assert "5,000 in all" in warning(images("dtd", {"all": 5000}, classes), caplog)


def test_part_of_the_partitions_and_partitions_of_ones_own_are_no_difference(caplog):
    assert warning(images("dtd", {"train": 5000, "test": 640}, 47), caplog) == ""
    assert warning(images("eurosat", {"train": 13500, "test": 8100}, 10), caplog) == ""


def test_a_look_at_a_small_copy_warns_once(tmp_path, caplog):
    root = layouts.cub(tmp_path / "CUB_200_2011")
    lists = {"classes.txt": "", "images.txt": "", "image_class_labels.txt": "", "train_test_split.txt": ""}
    paths = []
    for number, name in enumerate(sorted(published_split("cub_100_50_50").classes), 1):
        paths.append(f"{name}/{number}.png")
        lists["classes.txt"] += f"{number} {name}\n"
        lists["images.txt"] += f"{number} {name}/{number}.png\n"
        lists["image_class_labels.txt"] += f"{number} {number}\n"
        lists["train_test_split.txt"] += f"{number} {number % 2}\n"
    for name, text in lists.items():
        layouts.write_text(root / name, text)
    layouts.write_images(root / "images", paths)
    load_images(dataset_spec(str(root)))
    message = "this copy of CUB-200-2011 has other numbers of images: train 100, test 100, as published (its own lists)"
    assert sum(message in one for one in caplog.messages) == 1


def test_the_counts_are_those_of_the_packages_that_carry_them():
    medmnist = pytest.importorskip("medmnist", reason="medmnist is not installed")
    flat = {name: info for name, info in medmnist.INFO.items() if not name.endswith("3d") and name != "chestmnist"}
    for name, info in flat.items():
        known = KNOWN[name]
        [edition] = known.editions.values()
        assert (edition.images, edition.classes) == (info["n_samples"], len(info["label"]))
        assert known.md5 == {"28": info["MD5"], **{size: info[f"MD5_{size}"] for size in ("64", "128", "224")}}
    assert len(flat) == 11


def test_names_are_not_shared_and_splits_fit():
    names = [name for known in known_sets().values() for name in known.names]
    assert len(set(names)) == len(names)
    for known in known_sets().values():
        assert known.split is None or len(published_split(known.split).classes) <= max(known.classes)
        assert known.publisher.startswith("http")


def test_every_edition_names_the_source_of_its_counts():
    without = [
        (known.title, edition.name)
        for known in known_sets().values()
        for edition in known.editions.values()
        if "http" not in edition.source
    ]
    assert not without


def test_a_benchmark_needs_an_edition_of_the_one_table_of_counts():
    for name in protocols.names():
        for one in protocols.benchmark(name).sets:
            assert one.edition is None or one.edition is known_sets()[one.edition.of].editions[one.edition.name]
