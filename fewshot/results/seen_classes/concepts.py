"""What the classes of a data set show: synsets, found by ids, by a table of common data sets, or by names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fewshot.data import class_lists
from fewshot.data.class_lists import normal
from fewshot.results.seen_classes.synsets import IMAGENET, exists, listed
from fewshot.results.seen_classes.words import by_name, is_word

_SYNSET = re.compile(r"(n\d{8})(\D.*)?")
_FEW = 10  # names; fewer may belong to a common data set by accident
_NO_NAME = "no synset has this name, and nothing else says what the class shows"
_NO_WORDS = "most names of this data set are no words of WordNet, and this one may be a word by accident"


@dataclass(frozen=True)
class Concept:
    """What a class shows: one of `synsets`, or a kind of one of `kinds`; without both, nothing that WordNet has.

    `unknown` is the reason if nobody can say what the class shows, else "". `name` is the normal name of a class that
    is known by its name alone.
    """

    synsets: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    unknown: str = ""
    name: str = ""


@dataclass(frozen=True)
class Matches:
    """The concepts of all classes of a data set, in order, and how they were found: "synset ids", "the table of
    CIFAR-100", "class names". `of_set` is the common data set that the classes belong to, if there is one."""

    by: str
    concepts: tuple[Concept, ...]
    of_set: str = ""


def find(dataset: str, class_names: Sequence[str]) -> Matches:
    """The concepts of these classes of a data set with that name."""
    tables, names = class_lists.load(), [normal(name) for name in class_names]
    ids = [synset for name in class_names if (synset := _id(name))]
    if len(ids) == len(names):
        of_set = "ImageNet-1k" if listed("ImageNet-1k", IMAGENET).members.issuperset(ids) else ""
        return Matches("synset ids", tuple(map(_of_id, ids)), of_set)
    if dataset in tables.without:
        return Matches(f"the table: {dataset} shows signs", (Concept(),) * len(names))
    if dataset in tables.kinds:
        kind = _concept(tables.kinds[dataset])
        return Matches(f"the table of {dataset}", (kind,) * len(names))
    for name, table in tables.sets.items():
        if set(names) <= set(table) and (len(set(names)) >= _FEW or _has_name(dataset, name)):
            return Matches(f"the table of {name}", tuple(_concept(table[n]) for n in names), name)
    return Matches("class names", _by_names(names))


def _has_name(dataset: str, name: str) -> bool:
    """Whether a data set is named like a common one, or like the beginning of its name: "cub", "FashionMNIST"."""
    given, common = (re.sub(r"[^a-z0-9]", "", text.casefold()) for text in (dataset, name))
    return len(given) >= 3 and (common.startswith(given) or given.startswith(common))


def _id(name: str) -> str:
    """The synset that a name such as "n02085620-Chihuahua" starts with; "" without one."""
    match = _SYNSET.fullmatch(name)
    return match[1] if match else ""


def _of_id(synset: str) -> Concept:
    return Concept((synset,), unknown="" if exists(synset) else f"WordNet 3.0 has no {synset}")


def _concept(entries: Sequence[str]) -> Concept:
    """The concept of a line of the table."""
    own = tuple(entry for entry in entries if not entry.startswith("<"))
    return Concept(own, tuple(entry[1:] for entry in entries if entry.startswith("<")))


def _by_names(names: Sequence[str]) -> tuple[Concept, ...]:
    """The concepts of names; all unknown unless most names are words, because a code or a word of another language may
    be an English word by accident."""
    n_words = sum(bool(_id(name)) or any(is_word(phrase) for phrase in _endings(name)) for name in names)
    if 2 * n_words <= len(names):
        return tuple(Concept(unknown=_NO_WORDS if by_name(name) else _NO_NAME, name=name) for name in names)
    return tuple(map(_named, names))


def _named(name: str) -> Concept:
    """The synsets of that name, or of its last words as kinds: "crested gull" is a kind of gull."""
    if synset := _id(name):
        return _of_id(synset)
    own = by_name(name)
    if own:
        return Concept(own, name=name)
    kinds = next((synsets for phrase in _endings(name)[1:] if (synsets := by_name(phrase))), ())
    return Concept((), kinds, "" if kinds else _NO_NAME, name)


def _endings(name: str) -> list[str]:
    """The name and its last words, the longest first."""
    words = name.split()
    return [" ".join(words[start:]) for start in range(len(words))]
