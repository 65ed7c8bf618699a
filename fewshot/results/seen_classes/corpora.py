"""The data that weights were trained on, with its classes if a list has them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from fewshot.data import class_lists
from fewshot.data.class_lists import normal
from fewshot.results.seen_classes.concepts import find
from fewshot.results.seen_classes.synsets import IMAGENET, SynsetList, listed
from fewshot.results.seen_classes.tags import NOTHING, pretraining_data

_LISTS = {  # timm's files
    "ImageNet-1k": IMAGENET,
    "ImageNet-12k": "imagenet12k_synsets.txt",
    "ImageNet-21k": "imagenet21k_goog_synsets.txt",
    "ImageNet-22k": "imagenet22k_synsets.txt",
}
_ALSO = {
    "imagenet": "ImageNet-1k",
    "ilsvrc2012": "ImageNet-1k",
    "imagenet1000": "ImageNet-1k",
}  # other ways to write it
# Data without a full list, and a list that it contains: DINOv2's curated images hold all of ImageNet-22k
# (Oquab et al. 2023, arXiv 2304.07193, appendix A).
_AT_LEAST = {"LVD-142M": "ImageNet-22k"}


_NO_SYNSETS = SynsetList("", frozenset())


@dataclass(frozen=True)
class Corpus:
    """Data that weights were trained on.

    `synsets` holds its classes, or the known part of them, and `kinds` the synsets that further classes are kinds of.
    `complete` says that it has no other classes. `of_set` and `classes` are the data set of its classes, and their
    names.
    """

    name: str
    synsets: SynsetList
    complete: bool
    of_set: str = ""
    classes: frozenset[str] = frozenset()
    kinds: SynsetList = _NO_SYNSETS


def corpora(pretrained_on: str) -> list[Corpus]:
    """The data in a text such as "ImageNet-21k, ImageNet-1k", "CIFAR-FS train" or a timm tag; none for "nothing".

    Data without a list of classes is a corpus that is not complete.
    """
    names = [name.strip() for name in pretraining_data(pretrained_on.strip()).split(",")]
    usual = {_plain(name): name for name in known()} | _ALSO
    return [_corpus(usual.get(_plain(name), name)) for name in names if name and name != NOTHING]


def _plain(name: str) -> str:
    """One spelling for "imagenet-1K", "ImageNet 1k"."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


@cache
def known() -> tuple[str, ...]:
    """The names of the data whose classes a list has."""
    tables = class_lists.load()
    return (*_LISTS, *_AT_LEAST, *(f"{name} train" for name in tables.benchmarks), *tables.sets)


@cache
def _corpus(name: str) -> Corpus:
    if name in _LISTS:
        return Corpus(name, listed(name, _LISTS[name]), complete=True)
    if name in _AT_LEAST:
        inside = _AT_LEAST[name]
        return Corpus(name, listed(f"{name}, which holds {inside},", _LISTS[inside]), complete=False)
    tables = class_lists.load()
    benchmark, _, part = name.rpartition(" ")
    if part == "train" and benchmark in tables.benchmarks:
        of_set, parts = tables.benchmarks[benchmark]
        return _of_classes(name, of_set, parts["train"])
    if name in tables.sets:
        return _of_classes(name, name, tuple(tables.sets[name]))
    return Corpus(name, SynsetList(name, frozenset()), complete=False)


def _of_classes(name: str, of_set: str, classes: tuple[str, ...]) -> Corpus:
    """A corpus of some classes of a common data set; the classes of ImageNet are synsets."""
    table: Mapping[str, tuple[str, ...]] = class_lists.load().sets.get(of_set, {c: (c,) for c in classes})
    entries = {entry for c in classes for entry in table[c]}
    kinds = frozenset(entry[1:] for entry in entries if entry.startswith("<"))
    synsets = frozenset(entry for entry in entries if not entry.startswith("<"))
    return Corpus(name, SynsetList(name, synsets), True, of_set, frozenset(classes), SynsetList(name, kinds))


def of_training(data: str, class_names: Sequence[str]) -> Corpus:
    """The corpus of a training on these classes of a data set.

    A class without a synset matches by its name only. If no class has one (codes), the corpus is not complete.
    """
    concepts = find(data, class_names).concepts
    synsets, kinds = ({s for concept in concepts for s in getattr(concept, part)} for part in ("synsets", "kinds"))
    complete = not all(concept.unknown for concept in concepts)
    names = frozenset(map(normal, class_names))
    return Corpus(data, SynsetList(data, frozenset(synsets)), complete, "", names, SynsetList(data, frozenset(kinds)))
