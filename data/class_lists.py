"""Loads the classes of common data sets: their synsets, their few-shot splits, and WordNet's hypernyms."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from . import FOLDER


@dataclass(frozen=True)
class ClassLists:
    """The committed class lists.

    `sets` maps class names (as `normal` writes them) to concepts, by data set. A concept is a synset of WordNet 3.0
    such as "n02084071", or "<n02084071" for a kind of it without a synset of its own; a class without concepts shows
    something that WordNet does not have. `benchmarks` holds the data set and the classes of each part of a split.
    `kinds` holds data sets whose classes are all kinds of the same synsets, `without` data sets of signs, whose classes
    are no objects. `also_shown` maps a synset to the ImageNet label whose images show it too (a rooster is "cock").
    `variants` maps an animal by age or sex, or in a child's words, to the animals that it is: a puppy to a dog.
    `meanings` maps a name (without spaces) to synsets that WordNet does not give it: "smartphone".
    """

    sets: Mapping[str, Mapping[str, tuple[str, ...]]]
    benchmarks: Mapping[str, tuple[str, Mapping[str, tuple[str, ...]]]]
    kinds: Mapping[str, tuple[str, ...]]
    without: tuple[str, ...]
    also_shown: Mapping[str, str]
    variants: Mapping[str, tuple[str, ...]]
    meanings: Mapping[str, tuple[str, ...]]


@cache
def load() -> ClassLists:
    """The class lists in class_lists.json."""
    table = json.loads((FOLDER / "class_lists.json").read_text(encoding="utf-8"))
    return ClassLists(
        {name: {c: tuple(concepts) for c, concepts in classes.items()} for name, classes in table["sets"].items()},
        {
            name: (b["set"], {part: tuple(b[part]) for part in ("train", "val", "test")})
            for name, b in table["benchmarks"].items()
        },
        {name: tuple(concepts) for name, concepts in table["kinds"].items()},
        tuple(table["without"]),
        table["also_shown"],
        {synset: tuple(bases) for synset, bases in table["variants"].items()},
        {name: tuple(synsets) for name, synsets in table["meanings"].items()},
    )


@cache
def hypernyms() -> Mapping[str, tuple[str, ...]]:
    """The wider synsets directly above each synset of timm or of the class lists, and above those in turn."""
    with np.load(FOLDER / "hypernyms.npz", allow_pickle=False) as arrays:
        pairs = zip(arrays["narrower"].tolist(), arrays["wider"].tolist(), strict=True)
    above: dict[str, tuple[str, ...]] = {}
    for narrower, wider in pairs:
        above[f"n{narrower:08d}"] = (*above.get(f"n{narrower:08d}", ()), f"n{wider:08d}")
    return above


def normal(name: str) -> str:
    """A class name in lower case, without a number in front, with single spaces: "001.Black_footed_Albatross" becomes
    "black footed albatross"."""
    name = re.sub(r"^\d+[. _-]+(?=\D)", "", name.strip())
    return re.sub(r"[^a-z0-9]+", " ", re.sub(r"['\u2019`]", "", name.casefold())).strip()
