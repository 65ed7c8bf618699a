"""Copies of well-known data sets with other counts are named before anything is computed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from fewshot import protocols
from fewshot.commands._options import dataset_spec
from fewshot.datasets import ArrayImages, Group, ImageSequence, LabelledImages, _known_sets
from fewshot.datasets._known_sets import difference_of, known_sets, recognised, report_known
from fewshot.datasets._loading import load_images
from fewshot.datasets._published_classes import published_split
from tests.support import list_layouts as layouts

KNOWN = {name: known for known in known_sets().values() for name in known.names}


def images(
    name: str, counts: dict[str, int], classes: int | tuple[str, ...], pixels: tuple[int, int] = (1, 1)
) -> LabelledImages:
    """Black images, as many in each partition as `counts` says."""
    names = tuple(map(str, range(classes))) if isinstance(classes, int) else classes
    size = sum(counts.values())
    groups = {} if "all" in counts else {"partition": Group.of(part for part, n in counts.items() for _ in range(n))}
    black = np.broadcast_to(np.uint8(0), (size, *pixels))
    return LabelledImages(name, ArrayImages(black), np.arange(size) % len(names), names, "0" * 64, groups)


def warning(copy: LabelledImages, caplog) -> str:
    caplog.clear()
    report_known(copy)
    return "".join(caplog.messages)


SMALL = [
    (known, edition)
    for known in known_sets().values()
    for edition in known.editions.values()
    if sum(edition.images.values()) < 200_000
]


@pytest.mark.parametrize(("known", "edition"), SMALL, ids=lambda one: getattr(one, "title", getattr(one, "name", "")))
def test_every_edition_is_recognised_and_has_no_difference(known, edition):
    copy = images(known.names[0], edition.images, edition.classes, tuple(edition.pixels[:1]) * 2 or (1, 1))
    assert recognised(copy) is known
    assert difference_of(copy, known) is None


def test_exchanged_partitions_are_named(caplog):
    copy = images("oxford_flowers102", {"train": 6149, "val": 1020, "test": 1020}, 102)
    assert warning(copy, caplog) == (
        "oxford_flowers102: this copy of Oxford Flowers 102 has train and test exchanged: train 6,149, val 1,020, test "
        "1,020, as published (its own lists): train 1,020, val 1,020, test 6,149; published numbers may not apply; get "
        "it from robots.ox.ac.uk/~vgg/data/flowers/102"
    )


@pytest.mark.parametrize(
    ("name", "counts", "classes", "message"),
    [
        (
            "dtd",
            {"all": 5630},
            47,
            "has other numbers of images: 5,630 in all, as published (without partitions): 5,640 in all",
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


WITH_PIXELS = [(known, edition) for known, edition in SMALL if all(each.pixels for each in known.editions.values())]


@pytest.mark.parametrize(("known", "edition"), WITH_PIXELS, ids=lambda one: getattr(one, "title", ""))
def test_the_size_of_images_is_a_fact_of_an_edition(known, edition, caplog):
    first, *others = edition.pixels
    for size in edition.pixels:
        name = known.names[0] if size == first else f"{known.names[0]}_{size}"
        assert warning(images(name, edition.images, edition.classes, (size, size)), caplog) == ""
        odd = images(name, edition.images, edition.classes, (size, size - 1))
        assert f"has images of {size - 1} x {size} pixels instead of {size} x {size}; pub" in warning(odd, caplog)
    for size in others:
        moved = images(known.names[0], edition.images, edition.classes, (size, size))
        renamed = f"instead of {first} x {first} (the file of that size is called {known.names[0]}_{size}); pub"
        assert renamed in warning(moved, caplog)


def test_one_class_of_one_partition_with_images_of_another_size_is_noticed(caplog):
    counts, edition = {"train": 546, "val": 78, "test": 156}, known_sets()["breastmnist"].editions["MedMNIST"]
    copy = images("breastmnist", counts, 2, (28, 28))
    row = len(copy) - 155  # the first of its class in the last partition
    mixed = replace(copy, images=_Odd(copy.images, row))
    assert edition.images == counts
    assert "has images of 3 x 2 pixels instead of 28 x 28" in warning(mixed, caplog)


class _Odd:
    """Images of which one has 3 x 2 pixels."""

    def __init__(self, images: ImageSequence, row: int) -> None:
        self._images, self._row = images, row

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, row: int, /) -> Image.Image:
        return Image.new("RGB", (3, 2)) if row == self._row else self._images[row]


def test_classes_are_matched_by_their_names(caplog):
    classes = published_split("meta_dataset_dtd").classes
    assert "5,000 in all" in warning(images("dtd", {"all": 5000}, classes), caplog)


def test_part_of_the_partitions_and_partitions_of_ones_own_are_no_difference(caplog):
    assert warning(images("dtd", {"train": 5000, "test": 640}, 47), caplog) == ""
    assert warning(images("eurosat", {"train": 13500, "test": 8100}, 10, (64, 64)), caplog) == ""


@pytest.mark.parametrize(
    ("counts", "likely", "message"),
    [
        ({"train": 4093, "val": 1633, "test": 2463}, "CoOp", "has the counts of the edition CoOp"),
        ({"train": 4093, "val": 1633, "test": 2463}, "", "has the counts of the edition CoOp"),
        ({"train": 1020, "val": 1020, "test": 6149}, "CoOp", "has the counts of the edition its own lists"),
        ({"train": 800, "val": 200, "test": 6149}, "VTAB-1k", "has the counts of the edition VTAB-1k"),
    ],
)
def test_the_edition_of_a_copy_is_named_by_its_counts(counts, likely, message, caplog):
    caplog.set_level("INFO")
    report_known(images("oxford_flowers", counts, 102), likely)
    assert caplog.messages == [f"oxford_flowers: this copy of Oxford Flowers 102 {message}"]


def test_editions_with_the_same_counts_are_all_named_the_likely_one_first(caplog):
    caplog.set_level("INFO")
    report_known(images("cifar10", {"train": 50000, "test": 10000}, 10, (32, 32)), "MIEB")
    assert caplog.messages == ["cifar10: this copy of CIFAR-10 has the counts of the editions MIEB and torchvision"]


def test_a_small_copy_of_coop_is_compared_with_its_edition_and_one_of_vtab_with_that(tmp_path, caplog):
    names = published_split("meta_dataset_vgg_flower").classes
    listed = {part: [[f"{part}/{n}.png", n, name] for n, name in enumerate(names)] for part in ("train", "val", "test")}
    coop = tmp_path / "coop/any/split_zhou_OxfordFlowers.json"
    layouts.write_text(coop, json.dumps(listed))
    layouts.write_images(coop.parent, [path for items in listed.values() for path, _, _ in items])
    vtab = tmp_path / "vtab/oxford_flowers102"
    for file, part in (("train800", "train"), ("val200", "val"), ("test", "test")):
        layouts.write_text(vtab / f"{file}.txt", "".join(f"{path} {n}\n" for path, n, _ in listed[part]))
    layouts.write_images(vtab, [path for items in listed.values() for path, _, _ in items])
    for place, edition in ((coop.parent, "CoOp"), (coop, "CoOp"), (vtab, "VTAB-1k")):
        caplog.clear()
        load_images(dataset_spec(str(place)))
        assert f"train 102, val 102, test 102, as published ({edition}): train " in "".join(caplog.messages)


@pytest.mark.parametrize(("key", "per_class"), [("dtd", 120), ("food101", 1000)])
def test_coops_editions_of_equal_classes_follow_the_rule_of_its_code(key, per_class):
    edition = known_sets()[key].editions["CoOp"]
    train, val = round(per_class * 0.5), round(per_class * 0.2)
    sizes = {"train": train, "val": val, "test": per_class - train - val}
    assert edition.images == {part: edition.classes * size for part, size in sizes.items()}


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
        assert edition.pixels == getattr(medmnist, info["python_class"]).available_sizes
        assert known.md5 == {"28": info["MD5"], **{size: info[f"MD5_{size}"] for size in ("64", "128", "224")}}
    assert len(flat) == 11


def test_names_are_not_shared_and_splits_fit():
    names = [name for known in known_sets().values() for name in known.names]
    assert len(set(names)) == len(names)
    for known in known_sets().values():
        assert known.split is None or len(published_split(known.split).classes) <= max(known.classes)


def test_a_set_and_a_benchmark_name_one_address_and_no_address_is_a_paper_alone():
    for known in known_sets().values():
        for edition in known.editions.values():
            assert edition.address == edition.address.strip() != ""
            assert not edition.address.startswith(("http", "arxiv.org", "doi.org", "openreview.net"))
    for name in protocols.names():
        for one in protocols.benchmark(name).sets:
            assert one.edition is None or one.get.startswith(one.edition.address)


def test_a_warning_names_the_address_of_the_edition_that_it_compares_with(caplog):
    for likely, address in (("CoOp", "github.com/KaiyangZhou/CoOp"), ("", "robots.ox.ac.uk/~vgg/data/dtd")):
        caplog.clear()
        report_known(images("dtd", {"all": 3}, 47), likely)
        assert "".join(caplog.messages).endswith(f"; published numbers may not apply; get it from {address}")


@pytest.mark.parametrize(
    ("name", "counts", "classes", "edge"),
    [
        ("svhn", {"train": 73257, "test": 26032}, 10, 32),
        ("stl10", {"train": 5000, "test": 8000}, 10, 96),
        ("eurosat", {"all": 27000}, 10, 64),
        ("omniglot", {"train": 19280, "test": 13180}, 1623, 105),
        ("cifar100", {"train": 50000, "test": 10000}, 100, 32),
    ],
)
def test_pixels_are_compared_with_those_of_the_editions_that_have_these_counts(name, counts, classes, edge, caplog):
    assert warning(images(name, counts, classes, (edge, edge)), caplog) == ""
    enlarged = f"has images of 224 x 224 pixels instead of {edge} x {edge}; published"
    assert enlarged in warning(images(name, counts, classes, (224, 224)), caplog)


def test_an_edition_of_images_of_any_size_is_not_measured_by_another(caplog):
    assert warning(images("svhn", {"train": 800, "val": 200, "test": 26032}, 10, (224, 224)), caplog) == ""


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


def test_the_md5_of_a_file_of_medmnist_with_the_published_counts_is_checked(tmp_path, caplog, monkeypatch):
    parts = {"train": 18, "val": 9, "test": 9}
    arrays = {f"{part}_images": np.zeros((n, 28, 28), dtype=np.uint8) for part, n in parts.items()}
    arrays |= {f"{part}_labels": np.arange(n)[:, None] % 9 for part, n in parts.items()}
    edition = replace(KNOWN["pathmnist"].editions["MedMNIST"], images=parts)
    known = replace(KNOWN["pathmnist"], editions={"MedMNIST": edition})
    monkeypatch.setattr(_known_sets, "recognised", lambda _: known)
    np.savez(tmp_path / "pathmnist.npz", **arrays)
    load_images(dataset_spec(str(tmp_path / "pathmnist.npz")))
    [text] = [one for one in caplog.messages if "published" in one]
    assert text.startswith("pathmnist: this copy of MedMNIST's PathMNIST has the md5 ")
    assert f"instead of {known.md5['28']}, that of the published file of 28 pixels" in text
    assert text.endswith("; published numbers may not apply; get it from zenodo.org/records/10519652")


def test_a_file_with_the_published_md5_is_not_warned_of_and_one_warning_names_all_that_differs(
    tmp_path, caplog, monkeypatch
):
    file = tmp_path / "breastmnist.npz"
    file.write_bytes(b"as published")
    copy = images("breastmnist", {"train": 546, "val": 78, "test": 156}, 2, (28, 28))
    known = replace(KNOWN["breastmnist"], md5={"28": hashlib.md5(b"as published").hexdigest()})
    monkeypatch.setattr(_known_sets, "recognised", lambda _: known)
    report_known(copy, path=str(file))
    assert not caplog.messages
    file.write_bytes(b"damaged")
    for each in (copy, images("breastmnist", {"all": 4}, 2, (28, 28))):
        caplog.clear()
        report_known(each, path=str(file))
        assert len(caplog.messages) == 1
