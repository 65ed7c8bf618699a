"""What weights were trained on: the data that a tag of timm's names, and the classes of each where they are listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from fewshot.data import class_lists
from fewshot.results.seen_classes.synsets import SynsetList, listed

NOTHING, NOT_KNOWN = "nothing", "unknown"  # nothing: random weights, raw pixels
_OF_TAG = {  # a word of a tag, and the data that it stands for
    "in1k": "ImageNet-1k",
    "in12k": "ImageNet-12k",
    "in21k": "ImageNet-21k",
    "inw21k": "ImageNet-21k",
    "in22k": "ImageNet-22k",
    "dino": "ImageNet-1k",
    "b1k": "BEHAVIOR-1K",
    "ig1b": "Instagram-1B",
    "seer": "Instagram-1B",
    "swag": "Instagram-3.6B",
    "jft": "JFT-300M",
    "openai": "OpenAI WIT-400M",
    "laion2b": "LAION-2B",
    "laion400m": "LAION-400M",
    "laiona": "LAION-A",
    "merged2b": "Merged-2B",
    "webli": "WebLI",
    "datacomp1b": "DataComp-1B",
    "datacompxl": "DataComp-XL",
    "dfndr2b": "DFNDR-2B",
    "dfn2b": "DFN-2B",
    "dfn5b": "DFN-5B",
    "metaclip": "MetaCLIP",
    "metaclip2": "MetaCLIP 2",
    "yfcc15m": "YFCC-15M",
    "yfcc100m": "YFCC-100M",
    "cc12m": "CC-12M",
    "lvd142m": "LVD-142M",
    "lvd1689m": "LVD-1689M",
    "sat493m": "SAT-493M",
    "m30m": "MIM 30M",
    "m38m": "Merged-38M",
    "sa1b": "SA-1B",
}
_LISTS = {  # timm's files
    "ImageNet-1k": "imagenet_synsets.txt",
    "ImageNet-12k": "imagenet12k_synsets.txt",
    "ImageNet-21k": "imagenet21k_goog_synsets.txt",
    "ImageNet-22k": "imagenet22k_synsets.txt",
}
_ALSO = {"imagenet": "ImageNet-1k", "ilsvrc2012": "ImageNet-1k", "imagenet-1000": "ImageNet-1k"}  # how people say it
# Beside what a list cannot say, this much is known: DINOv2's curated images hold all of ImageNet-22k
# (Oquab et al. 2023, arXiv 2304.07193, appendix A).
_AT_LEAST = {"LVD-142M": "ImageNet-22k"}


@dataclass(frozen=True)
class Corpus:
    """Data that weights were trained on. `synsets`: its classes, or the part that is known. `complete`: it has no
    others. `of_set`, `classes`: the common set that its classes are from, and their names."""

    name: str
    synsets: SynsetList
    complete: bool
    of_set: str = ""
    classes: frozenset[str] = frozenset()


def pretraining_data(tag: str) -> str:
    """The data that a tag of timm's names, in its order: "augreg_in21k_ft_in1k" is "ImageNet-21k, ImageNet-1k". A tag
    that names none is given as it is; no tag is "nothing"."""
    found = [_OF_TAG[word] for word in tag.split("_") if word in _OF_TAG]
    return ", ".join(dict.fromkeys(found)) or tag or NOTHING


def corpora(pretrained_on: str) -> list[Corpus]:
    """The data of a text such as "ImageNet-21k, ImageNet-1k", "CIFAR-FS train" or a tag of timm's; of "nothing" none.
    What has no list of classes, or is not known at all, is a corpus that is not complete."""
    names = [name.strip() for name in pretraining_data(pretrained_on.strip()).split(",")]
    usual = {name.casefold(): name for name in known()} | _ALSO
    return [_corpus(usual.get(name.casefold(), name)) for name in names if name != NOTHING]


@cache
def known() -> tuple[str, ...]:
    """The names of data of which a list of classes is known."""
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
    """Some classes of a common set. Those of ImageNet are synsets themselves."""
    table: Mapping[str, tuple[str, ...]] = class_lists.load().sets.get(of_set, {c: (c,) for c in classes})
    synsets = frozenset(s for c in classes for s in table[c] if not s.startswith("<"))
    return Corpus(name, SynsetList(name, synsets), True, of_set, frozenset(classes))
