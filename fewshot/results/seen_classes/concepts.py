"""What the classes of a data set are: synsets, found by their ids, by a table of common sets, or by their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fewshot.data import class_lists
from fewshot.data.class_lists import normal
from fewshot.results.seen_classes.synsets import by_name

_SYNSET = re.compile(r"(n\d{8})(\D.*)?")


@dataclass(frozen=True)
class Concept:
    """What a class shows: one of `synsets`, or a kind of one of `kinds`. `known` without either: nothing that WordNet
    has. Otherwise what it shows is unknown."""

    synsets: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    known: bool = True


@dataclass(frozen=True)
class Found:
    """The concepts of all classes of a data set, in their order, and what they were found by: "synset ids", "the table
    of CIFAR-100", "class names". `of_set`: the common set that the classes are from, where they are."""

    by: str
    concepts: tuple[Concept, ...]
    of_set: str = ""


def find(dataset: str, class_names: Sequence[str]) -> Found:
    """The concepts of these classes of a data set of that name."""
    tables, names = class_lists.load(), [normal(name) for name in class_names]
    ids = [_SYNSET.fullmatch(name) for name in class_names]
    if all(ids):
        return Found("synset ids", tuple(Concept((found[1],)) for found in ids if found), "ImageNet-1k")
    if dataset in tables.without:
        return Found(f"the table: {dataset} shows signs", (Concept(),) * len(names))
    if dataset in tables.kinds:
        kind = _concept(tables.kinds[dataset])
        return Found(f"the table of {dataset}", (kind,) * len(names))
    for name, table in tables.sets.items():
        if set(names) <= set(table):
            return Found(f"the table of {name}", tuple(_concept(table[n]) for n in names), name)
    return Found("class names", tuple(map(_named, names)))


def _concept(entries: Sequence[str]) -> Concept:
    """The concept of a line of the table."""
    own = tuple(entry for entry in entries if not entry.startswith("<"))
    return Concept(own, tuple(entry[1:] for entry in entries if entry.startswith("<")))


def _named(name: str) -> Concept:
    """The synsets of that name, or those of its last words, which it is a kind of: "crested gull" is a gull."""
    words = name.split()
    own = by_name(name)
    if own:
        return Concept(own)
    kinds = next((found for start in range(1, len(words)) if (found := by_name(" ".join(words[start:])))), ())
    return Concept((), kinds, known=bool(kinds))
