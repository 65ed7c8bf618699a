"""From words to synsets: every meaning of a name in any spelling, and the words in the names of a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from fewshot.data import class_lists
from fewshot.data.class_lists import normal
from fewshot.results.seen_classes.synsets import SynsetList, lemmas

_SHORTEST = 3  # letters; a shorter name may be a code
_PLURALS = {  # irregular ones
    "mice": "mouse", "geese": "goose", "feet": "foot", "teeth": "tooth", "oxen": "ox", "children": "child",
    "lice": "louse", "dice": "die", "people": "person", "cacti": "cactus", "fungi": "fungus",
}  # fmt: skip
_ENDINGS = (("ies", "y"), ("ves", "f"), ("ves", "fe"), ("men", "man"), ("es", ""), ("s", ""))


def by_name(name: str) -> tuple[str, ...]:
    """The synsets of a class name, in all of its senses, with or without spaces and apostrophes, singular or plural;
    none for a single letter."""
    written = [form.replace(" ", "") for form in forms(name) if len(form) > 1]
    synsets = {s for form in written for s in (*_index().get(form, ()), *class_lists.load().meanings.get(form, ()))}
    return tuple(sorted(synsets))


def is_word(name: str) -> bool:
    """Whether the name has a synset and is not so short that it may be a code."""
    return len(normal(name)) >= _SHORTEST and bool(by_name(name))


def forms(name: str) -> Iterator[str]:
    """The normal name, and its possible singulars."""
    plain = normal(name)
    yield plain
    first, _, last = plain.rpartition(" ")
    before = f"{first} " if first else ""
    if last in _PLURALS:
        yield before + _PLURALS[last]
    for ending, singular in _ENDINGS:
        if last.endswith(ending) and len(last) > len(ending):
            yield before + last[: -len(ending)] + singular


def phrases(words: list[str]) -> Iterator[str]:
    """Every run of words: "ice cream", "ice", "cream"."""
    for start in range(len(words)):
        for end in range(len(words), start, -1):
            yield " ".join(words[start:end])


@cache
def parts_of_names(listed: SynsetList) -> Mapping[str, str]:
    """The parts of the names of a list's members, each with a member: runs of words ("tennis" of "tennis ball"), and
    the halves of a word ("bug" of "ladybug", "flag" of "flagpole")."""
    parts: dict[str, str] = {}
    for member in sorted(listed.members):
        for name in lemmas().get(member, ()):
            words = normal(name).split()
            for part in [*phrases(words), *(half for word in words for pair in halves(word) for half in pair)]:
                parts.setdefault(part, member)
    return parts


@cache
def all_names(listed: SynsetList) -> Mapping[str, str]:
    """The names of a list's members, each with a member."""
    return {normal(name): member for member in sorted(listed.members) for name in lemmas().get(member, ())}


def namesake(synset: str, listed: SynsetList) -> str | None:
    """A member that shares a name with this synset, the usual name of one of them: both may be the same thing."""
    names = [normal(name) for name in lemmas().get(synset, ())]
    for name in names:
        member = all_names(listed).get(name)
        if member is not None and name in (names[0], normal(lemmas()[member][0])):
            return member
    return None


def halves(word: str) -> Iterator[tuple[str, str]]:
    """The ways to read a word as two: "lady", "bug"."""
    for cut in range(_SHORTEST, len(word) - _SHORTEST + 1):
        if word[:cut] in _index() and word[cut:] in _index():
            yield word[:cut], word[cut:]


@cache
def _index() -> Mapping[str, tuple[str, ...]]:
    index: dict[str, dict[str, None]] = {}
    for synset, names in lemmas().items():
        for form in {form for name in names for form in (normal(name), normal(name.replace("'s ", " ")))}:
            index.setdefault(form.replace(" ", ""), {})[synset] = None
    return {form: tuple(sorted(synsets)) for form, synsets in index.items()}
