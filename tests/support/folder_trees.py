"""Random folders of images in the layouts that people use, from a seed, with what fewshot should make of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image

WORDS = ("gull", "wren", "hawk", "lark", "swan", "crow", "ibis", "kite", "rook", "teal", "dove", "smew")
GROUPS = ("coast", "forest", "city", "fen")
TRAIN, VALIDATION, TEST = ("train", "Training", "base", "train2017"), ("val", "valid", "dev"), ("test", "novel", "Eval")


@dataclass
class Tree:
    """Folders with images, and the expected data set; `refused` is a piece of the expected error instead."""

    folders: list[str]
    classes: set[str] = field(default_factory=set)
    partitions: set[str] = field(default_factory=set)
    superclass: dict[str, str] = field(default_factory=dict)
    split: dict[str, set[str]] = field(default_factory=dict)
    refused: str = ""
    ignored: list[str] = field(default_factory=list)  # folders with images that nobody wants
    empty: list[str] = field(default_factory=list)


def ordinary(rng: np.random.Generator) -> Tree:
    """class/image, with some images deeper."""
    names = _words(rng)
    folders = [*names, *(f"{name}/more/deep" for name in names[::2])]
    return Tree(folders, set(names))


def inside_one_folder_each(rng: np.random.Generator) -> Tree:
    """class/raw/image."""
    names = _words(rng)
    return Tree([f"{name}/raw" for name in names], set(names))


def same_classes_in_partitions(rng: np.random.Generator) -> Tree:
    """partition/class/image."""
    names, partitions = _words(rng), _partitions(rng)
    return Tree([f"{p}/{name}" for p in partitions for name in names], set(names), set(partitions))


def partitions_inside_classes(rng: np.random.Generator) -> Tree:
    """class/partition/image."""
    names, partitions = _words(rng), _partitions(rng)
    return Tree([f"{name}/{p}" for p in partitions for name in names], set(names), set(partitions))


def other_classes_in_partitions(rng: np.random.Generator) -> Tree:
    """partition/class/image with different classes: the few-shot layout."""
    names, partitions = _words(rng, 6), _partitions(rng)
    shares = dict(zip(partitions, np.array_split(names, 3), strict=True))
    split = {
        part: set(map(str, shares[p])) for part, p in zip(("seen", "validation", "novel"), partitions, strict=True)
    }
    folders = [f"{p}/{name}" for p, share in shares.items() for name in share]
    return Tree(folders, set(names), set(partitions), split=split)


def superclasses(rng: np.random.Generator) -> Tree:
    """superclass/class/image."""
    names = _words(rng, 6)
    above = {name: GROUPS[place % 2] for place, name in enumerate(names)}
    return Tree([f"{group}/{name}" for name, group in above.items()], set(names), superclass=above)


def alphabets_in_partitions(rng: np.random.Generator) -> Tree:
    """partition/alphabet/character/image, as Omniglot comes."""
    sizes = dict(zip(GROUPS, rng.integers(2, 5, size=4).tolist(), strict=True))
    above = {f"{group}/character{i:02}": group for group, size in sizes.items() for i in range(1, size + 1)}
    partition = {g: "images_background" if place < 2 else "images_evaluation" for place, g in enumerate(GROUPS)}
    novel = {name for name, group in above.items() if partition[group] == "images_evaluation"}
    split = {"seen": set(above) - novel, "validation": set(), "novel": novel}
    folders = [f"{partition[group]}/{name}" for name, group in above.items()]
    return Tree(folders, set(above), set(partition.values()), above, split)


def inside_other_folders(rng: np.random.Generator) -> Tree:
    """archive/images/class/image."""
    names = _words(rng)
    return Tree([f"archive/images/{name}" for name in names], set(names))


def the_same_names_twice(rng: np.random.Generator) -> Tree:
    """A level above the classes that can be a partition, a domain or an alphabet."""
    names = _words(rng)
    return Tree([f"{group}/{name}" for group in GROUPS[:2] for name in names], refused="layout='superclass/class'")


def an_unknown_partition(rng: np.random.Generator) -> Tree:
    """A usual partition beside one with an unusual name."""
    names = _words(rng)
    return Tree([f"{p}/{name}" for p in ("train", "held back") for name in names], refused="layout='partition/class'")


def videos(rng: np.random.Generator) -> Tree:
    """class/video_01/image."""
    return Tree([f"{name}/video_{i}" for name in _words(rng) for i in range(3)], refused="layout='class/video'")


def a_partition_without_classes(rng: np.random.Generator) -> Tree:
    """Labels of a partition in another file."""
    return Tree([*(f"train/{name}" for name in _words(rng)), "val/images"], refused="'val' has no class folders")


def partitions_without_classes(rng: np.random.Generator) -> Tree:
    """partition/image, with the labels in another file."""
    return Tree(_partitions(rng), refused="without folders of classes, so their classes are unknown")


def images_in_partitions(rng: np.random.Generator) -> Tree:
    """partition/images/image, with the labels in another file."""
    return Tree([f"{p}/images" for p in _partitions(rng)], refused="without folders of classes")


def partitions_in_images(rng: np.random.Generator) -> Tree:
    """images/partition/image, with the labels in another file."""
    return Tree([f"images/{p}" for p in _partitions(rng)], refused="without folders of classes")


def partitions_unpacked_twice(rng: np.random.Generator) -> Tree:
    """train/train/image, test/test/image."""
    return Tree([f"{p}/{p}" for p in _partitions(rng)], refused="without folders of classes")


def left_by_an_archiver(rng: np.random.Generator) -> Tree:
    """partition/class/image inside a folder, beside what macOS leaves."""
    tree = other_classes_in_partitions(rng)
    return replace(tree, folders=[f"set/{folder}" for folder in tree.folders], ignored=["__MACOSX/set/train/a"])


def beside_annotations(rng: np.random.Generator) -> Tree:
    """partition/class/image inside a folder, beside a folder without images."""
    tree = other_classes_in_partitions(rng)
    return replace(tree, folders=[f"images/{folder}" for folder in tree.folders], empty=["annotations/xmls"])


def classes_beside_partitions(rng: np.random.Generator) -> Tree:
    """Class folders beside a partition."""
    names = _words(rng)
    return Tree([*(f"train/{name}" for name in names), "stray"], refused="'train' seems to be a partition")


LAYOUTS: tuple[Callable[[np.random.Generator], Tree], ...] = (
    ordinary, inside_one_folder_each, same_classes_in_partitions, partitions_inside_classes,
    other_classes_in_partitions, superclasses, alphabets_in_partitions, inside_other_folders, the_same_names_twice,
    an_unknown_partition, videos, a_partition_without_classes, classes_beside_partitions, partitions_without_classes,
    images_in_partitions, partitions_in_images, partitions_unpacked_twice, left_by_an_archiver, beside_annotations,
)  # fmt: skip


def write(root: Path, folders: list[str], per_folder: int = 2) -> Path:
    """Writes different images into each folder below `root`, and returns `root`."""
    for place, folder in enumerate(folders):
        (root / folder).mkdir(parents=True, exist_ok=True)
        for number in range(per_folder):
            picture = Image.new("RGB", (4, 4), (place % 256, place // 256, number))
            picture.paste((255, 128, 0), (0, 0, 2, 4))  # not blank
            picture.save(root / folder / f"{number}.png")
    return root


def _words(rng: np.random.Generator, least: int = 2) -> list[str]:
    return [str(word) for word in rng.permutation(WORDS)[: rng.integers(least, 10)]]


def _partitions(rng: np.random.Generator) -> list[str]:
    return [str(rng.choice(names)) for names in (TRAIN, VALIDATION, TEST)]
