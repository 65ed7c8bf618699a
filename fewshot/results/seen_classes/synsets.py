"""Synsets of WordNet 3.0, lists of them such as the versions of ImageNet, and which synset is wider than which.

timm has the lists and the names; this package has the pairs (narrower, wider) (data/README.md).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from fewshot.data import class_lists
from fewshot.data.class_lists import hypernyms

IMAGENET = "imagenet_synsets.txt"  # ImageNet-1k, in timm's folder


def _timm() -> Path:
    spec = importlib.util.find_spec("timm")  # finds the folder without importing the package
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0], "data", "_info")


FOLDER = _timm()


@dataclass(frozen=True)
class SynsetList:
    """The classes of a data set, each a synset. Images of some classes also show another synset."""

    name: str
    members: frozenset[str]

    @cached_property
    def shown(self) -> Mapping[str, str]:
        """Every synset that images of a member show, itself included, with that member."""
        also = class_lists.load().also_shown
        return {**{s: member for s, member in also.items() if member in self.members}, **{m: m for m in self.members}}

    @cached_property
    def inner(self) -> Mapping[str, str]:
        """Synsets that are wider than those shown, members or not, each with the first of these members."""
        return {above: self.shown[synset] for synset in sorted(self.shown, reverse=True) for above in wider(synset)}

    @cached_property
    def leaves(self) -> frozenset[str]:
        """Members without a narrower member: their images include everything below them."""
        return self.members - {above for member in self.members for above in wider(member)}

    def same(self, synset: str) -> str | None:
        """The member that is this synset, or shows it."""
        return self.shown.get(synset)

    def narrower(self, synset: str) -> str | None:
        """A member that is narrower than this synset: its images are also images of the synset."""
        return self.inner.get(synset)

    def covering(self, synset: str) -> str | None:
        """A member whose images include this synset: a wider one without narrower members, or, for an animal by age or
        sex or in a child's words, a class of that animal."""
        members = (self.same(base) or self.narrower(base) or self._leaf_above(base) for base in bases(synset))
        return self._leaf_above(synset) or next(filter(None, members), None)

    def above(self, synset: str) -> str | None:
        """The nearest wider member: its images may include this synset."""
        return max(wider(synset) & self.members, key=lambda member: (len(wider(member)), member), default=None)

    def _leaf_above(self, synset: str) -> str | None:
        above = wider(synset)
        shown = {self.shown[wide] for wide in above if wide in self.shown}
        return min((above | shown) & self.leaves, default=None)


@cache
def listed(name: str, file: str) -> SynsetList:
    """The list in one of timm's files."""
    return SynsetList(name, frozenset((FOLDER / file).read_text(encoding="utf-8").split()))


@cache
def wider(synset: str) -> frozenset[str]:
    """Every synset above this one; none if the synset is unknown."""
    above = hypernyms().get(synset, ())
    return frozenset(above).union(*map(wider, above))


def bases(synset: str) -> Iterator[str]:
    """The animals that an animal by age or sex or in a child's words is: a colt is a foal, and a horse."""
    for base in class_lists.load().variants.get(synset, ()):
        yield base
        yield from bases(base)


@cache
def lemmas() -> Mapping[str, tuple[str, ...]]:
    """The names of every synset that timm names (21 845), the usual one first."""
    lines = (FOLDER / "imagenet_synset_to_lemma.txt").read_text(encoding="utf-8").splitlines()
    return {synset: tuple(names.split(", ")) for synset, names in (line.split("\t", 1) for line in lines)}


def exists(synset: str) -> bool:
    """Whether WordNet has this synset, as far as the files here know: all that timm names, and all above them."""
    return synset in lemmas() or synset in hypernyms()


def title(synset: str) -> str:
    """A synset as people read it: "tabby (n02123045)"."""
    return f"{lemmas()[synset][0]} ({synset})" if synset in lemmas() else synset
