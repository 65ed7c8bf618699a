"""Loads what is known of the classes of common data sets: their synsets, their splits, and WordNet's hypernyms."""

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
    """`sets`: class name (as `normal` writes it) to concepts, by data set. A concept is a synset of WordNet 3.0,
    "n02084071", or "<n02084071" where the class is a kind of it that has no synset of its own; no concept means that
    nothing in WordNet is what these images show. `benchmarks`: the set and the classes of each part of a split.
    `kinds`: data sets all of whose classes are kinds of the same synsets. `without`: data sets of signs, none of whose
    classes is a thing."""

    sets: Mapping[str, Mapping[str, tuple[str, ...]]]
    benchmarks: Mapping[str, tuple[str, Mapping[str, tuple[str, ...]]]]
    kinds: Mapping[str, tuple[str, ...]]
    without: tuple[str, ...]


@cache
def load() -> ClassLists:
    """The committed table."""
    table = json.loads((FOLDER / "class_lists.json").read_text(encoding="utf-8"))
    return ClassLists(
        {name: {c: tuple(concepts) for c, concepts in classes.items()} for name, classes in table["sets"].items()},
        {
            name: (b["set"], {part: tuple(b[part]) for part in ("train", "val", "test")})
            for name, b in table["benchmarks"].items()
        },
        {name: tuple(concepts) for name, concepts in table["kinds"].items()},
        tuple(table["without"]),
    )


@cache
def hypernyms() -> Mapping[str, tuple[str, ...]]:
    """The wider synsets just above each synset that timm or the table names, and above those."""
    with np.load(FOLDER / "hypernyms.npz", allow_pickle=False) as arrays:
        pairs = zip(arrays["narrower"].tolist(), arrays["wider"].tolist(), strict=True)
    above: dict[str, tuple[str, ...]] = {}
    for narrower, wider in pairs:
        above[f"n{narrower:08d}"] = (*above.get(f"n{narrower:08d}", ()), f"n{wider:08d}")
    return above


def normal(name: str) -> str:
    """A class name in lower case, without the number before it, its words between single spaces: "001.Black_footed_
    Albatross" is "black footed albatross"."""
    name = re.sub(r"^\d+[. _-]+(?=\D)", "", name.strip())
    return re.sub(r"[^a-z0-9]+", " ", re.sub(r"['\u2019`]", "", name.casefold())).strip()
