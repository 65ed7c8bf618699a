"""learn2learn's data sets by name, in the folders where it unpacks them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fewshot.conformance import check
from fewshot.datasets._shorthand import dataset_spec
from fewshot.datasets.learn2learn_set import NAMES, Learn2learnSet
from tests.support import list_layouts as layouts

PARTS = ("train", "val", "test")


def cifar_fs(root: Path) -> None:
    """Two classes in each partition, as learn2learn sorts them."""
    paths = [f"{part}/{part}_{label}/{n}.png" for part in PARTS for label in "ab" for n in range(3)]
    layouts.write_images(root / "cifarfs/processed", paths)


def textures(root: Path) -> None:
    folder = root / "describable_textures/dtd/images"
    layouts.write_images(folder, [f"{label}/{label}_{n}.png" for label in ("banded", "dotted") for n in range(3)])


def omniglot(root: Path) -> None:
    parts = ("images_background/Greek", "images_evaluation/Latin")
    paths = [f"{part}/character{n:02d}/{n}_{k}.png" for part in parts for n in (1, 2) for k in range(3)]
    layouts.write_images(root / "omniglot-py", paths)


WRITERS = {
    "CIFARFS": (cifar_fs, 6),
    "DescribableTextures": (textures, 2),
    "FullOmniglot": (omniglot, 4),
    "CUBirds200": (lambda root: layouts.cub(root / "cubirds200/CUB_200_2011"), 3),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_set_of_learn2learn_is_read_by_its_name(name, tmp_path):
    write, n_classes = WRITERS[name]
    write(tmp_path / "data")
    spec = dataset_spec(f"Learn2learnSet({name!r}, root={str(tmp_path / 'data')!r})")
    images = spec.make().load()
    assert (images.name, len(images.class_names)) == (name, n_classes)
    assert check("dataset", spec.make()) == []


def test_the_partitions_of_cifar_fs_are_its_split(tmp_path):
    cifar_fs(tmp_path)
    rule = Learn2learnSet("CIFARFS", tmp_path).default_split()
    assert rule == "ByGroup(group='partition', novel=('test',), validation=('val',))"


@pytest.mark.parametrize("name", [name for name in NAMES if name not in (*WRITERS, "FGVCAircraft")])
def test_pickles_and_other_files_of_learn2learn_are_refused_with_the_way_out(name, tmp_path):
    with pytest.raises(ValueError, match=rf"{name} of learn2learn is kept .*(save|use|give)") as caught:
        Learn2learnSet(name, tmp_path).load()
    assert "\n" not in str(caught.value)


def test_a_missing_set_says_how_learn2learn_unpacks_it(tmp_path):
    message = r"there is no .*fgvc-aircraft-2013b; let learn2learn.vision.datasets.FGVCAircraft\(root="
    with pytest.raises(ValueError, match=message):
        Learn2learnSet("FGVCAircraft", tmp_path).load()
