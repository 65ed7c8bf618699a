"""Class names as words, and what a text tower needs to make vectors of them."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from fewshot.results.seen_classes.synsets import lemmas

PLACES = ("{}", "{c}", "{classname}")  # where a template has the class name
_NUMBERED = re.compile(r"^\d+[._](?=[^\W\d_])")  # of "001.Black_footed_Albatross"
_SYNSET = re.compile(r"(n\d{8})(?:[_ -]+(.+))?")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_HYPHEN = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])")


def class_words(name: str, of_synset: Callable[[str], str | None] = lambda _: None) -> str:
    """The words of a class name: "001.Black_footed_Albatross" gives "Black footed Albatross".

    A number in front with a dot or an underscore is removed; underscores, slashes, and hyphens between letters become
    spaces; CamelCase without other separators is split ("AnnualCrop": "Annual Crop"). A synset is replaced by the words
    after it, or by `of_synset`, or by WordNet's first name.
    """
    synset = _SYNSET.fullmatch(name.strip())
    if synset and not synset[2]:
        known: Mapping[str, tuple[str, ...]] = lemmas()
        found = of_synset(synset[1]) or next(iter(known.get(synset[1], ())), None)
        if found is None:
            raise ValueError(f"the class name {name!r} is a code that no list names; give the class a name of words")
        return found
    text = _NUMBERED.sub("", synset[2] if synset else name.strip())
    if not re.search(r"[\s_/]", text):
        text = _CAMEL.sub(" ", text)
    words = " ".join(_HYPHEN.sub(" ", re.sub(r"[_/]", " ", text)).split())
    if not words:
        raise ValueError(f"the class name {name!r} has no words; give the class a name of words")
    return words


@dataclass(frozen=True)
class Prompts:
    """How the class names of a data set become texts; `name` is that of the templates: "imagenet (80 templates)"."""

    name: str
    lines: tuple[str, ...]  # each holds one of PLACES; in any order, with repetitions counted
    words: Callable[[str], str] = class_words  # of a class name

    def texts(self, class_name: str) -> list[str]:
        """The texts of a class, sorted."""
        words = self.words(class_name)
        return sorted(_filled(line, words) for line in self.lines)


class TextTower(ABC):
    """The part of a network that maps texts to the space of its image features."""

    digest: str  # sha256 hex of its weights, its configuration and its tokenizer

    @abstractmethod
    def prompts(self, dataset: str) -> Prompts | None:
        """The templates for a data set of this name; None if the network is to be used without words."""

    @abstractmethod
    def embed(self, texts: Sequence[str], device: str) -> Tensor:
        """[b, D] float32 vectors of texts, on the CPU; not normalised."""


def _filled(line: str, words: str) -> str:
    for place in PLACES:
        line = line.replace(place, words)
    return line
