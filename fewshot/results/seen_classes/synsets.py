"""Synsets of WordNet 3.0, the lists of them that ImageNet's versions are, and which is wider than which.

The lists and the names come with timm, what lies above a synset with this package (data/README.md).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from fewshot.data.class_lists import hypernyms, normal


def _timm() -> Path:
    found = importlib.util.find_spec("timm")  # finds the folder without importing what is in it
    assert found is not None
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0], "data", "_info")


FOLDER = _timm()


@dataclass(frozen=True)
class SynsetList:
    """The classes of a data set, each a synset."""

    name: str
    members: frozenset[str]

    @cached_property
    def inner(self) -> Mapping[str, str]:
        """Synsets that are wider than a member, members or not, each with the first of these members."""
        return {above: member for member in sorted(self.members, reverse=True) for above in wider(member)}

    @cached_property
    def leaves(self) -> frozenset[str]:
        """Members with no narrower member: all that belongs to such a synset stands under its label."""
        return self.members - self.inner.keys()

    def same(self, synset: str) -> str | None:
        """The member that is this synset."""
        return synset if synset in self.members else None

    def narrower(self, synset: str) -> str | None:
        """A member that this synset is wider than: its images are also images of the synset."""
        return self.inner.get(synset)

    def wider(self, synset: str) -> str | None:
        """A member without narrower ones that is wider than this synset: images of it belong there."""
        return min(wider(synset) & self.leaves, default=None)


@cache
def listed(name: str, file: str) -> SynsetList:
    """The list in a file of timm's."""
    return SynsetList(name, frozenset((FOLDER / file).read_text(encoding="utf-8").split()))


@cache
def wider(synset: str) -> frozenset[str]:
    """Every synset above this one; none above one that is not known."""
    above = hypernyms().get(synset, ())
    return frozenset(above).union(*map(wider, above))


@cache
def lemmas() -> Mapping[str, tuple[str, ...]]:
    """The names of every synset that timm names (21 845), the usual one first."""
    lines = (FOLDER / "imagenet_synset_to_lemma.txt").read_text(encoding="utf-8").splitlines()
    return {synset: tuple(names.split(", ")) for synset, names in (line.split("\t", 1) for line in lines)}


def title(synset: str) -> str:
    """A synset as people read it: "tabby (n02123045)"."""
    return f"{lemmas()[synset][0]} ({synset})" if synset in lemmas() else synset


def by_name(name: str) -> tuple[str, ...]:
    """The synsets that a class may mean by its name, in any of the name's senses: spelled with or without spaces and
    apostrophes, in the plural or not. None where no synset has that name."""
    return next((found for form in _singulars(normal(name)) if (found := _index().get(form.replace(" ", "")))), ())


@cache
def _index() -> Mapping[str, tuple[str, ...]]:
    index: dict[str, dict[str, None]] = {}
    for synset, names in lemmas().items():
        for form in {form for name in names for form in (normal(name), normal(name.replace("'s ", " ")))}:
            index.setdefault(form.replace(" ", ""), {})[synset] = None
    return {form: tuple(sorted(found)) for form, found in index.items()}


def _singulars(name: str) -> Iterator[str]:
    yield name
    for ending, singular in (("ies", "y"), ("es", ""), ("s", "")):
        if name.endswith(ending):
            yield name[: -len(ending)] + singular
