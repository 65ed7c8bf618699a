"""The state of a class: seen if the training data had it, not seen only if every reading of its name is outside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fewshot.data.class_lists import hypernyms, normal
from fewshot.results.seen_classes.concepts import Concept, Matches
from fewshot.results.seen_classes.corpora import Corpus
from fewshot.results.seen_classes.synsets import title, wider
from fewshot.results.seen_classes.tags import NOT_KNOWN
from fewshot.results.seen_classes.words import by_name, forms, halves, namesake, parts_of_names, phrases

SEEN, NOT_SEEN, UNKNOWN = "seen", "not seen", "unknown"
_ANIMAL = "n00015388"
_PERSON = "n00007846"
_ROLES = {_ANIMAL, "n01886756", "n01317541"}  # animal, placental, domestic animal: "pet" stands directly below


def judge(name: str, concept: Concept, matches: Matches, trained_on: Sequence[Corpus]) -> tuple[str, str]:
    """The state of a class, and the evidence for it."""
    if not trained_on:
        return NOT_SEEN, "the weights were trained on nothing"
    for corpus in trained_on:
        evidence = _evidence(name, concept, matches, corpus)
        if evidence:
            return SEEN, evidence
    if [corpus.name for corpus in trained_on] == [NOT_KNOWN]:
        return UNKNOWN, "no information on what the weights were trained on"
    others = [corpus for corpus in trained_on if not _same_set(matches, corpus)]
    open_ended = [corpus.name for corpus in others if not corpus.complete]
    if open_ended:
        return UNKNOWN, f"no list says which classes {open_ended[0]} shows"
    if others and concept.unknown:
        return UNKNOWN, concept.unknown
    doubt = next((doubt for corpus in others for doubt in _doubts(concept, corpus)), "")
    names = ", ".join(corpus.name for corpus in trained_on)
    return (UNKNOWN, doubt) if doubt else (NOT_SEEN, f"{names} has no such class, no narrower and no wider one")


def _same_set(matches: Matches, corpus: Corpus) -> bool:
    """Whether the classes and the corpus belong to one data set, so that names decide."""
    return bool(corpus.of_set and corpus.of_set == matches.of_set and corpus.classes)


def _evidence(name: str, concept: Concept, matches: Matches, corpus: Corpus) -> str:
    """Why a corpus has a class; "" without evidence."""
    if {normal(name), *concept.synsets} & corpus.classes:
        return f"{corpus.name} has this class"
    if _same_set(matches, corpus) or concept.unknown:
        return ""
    listed = corpus.synsets
    for synset in concept.synsets:
        if member := listed.same(synset):
            return f"{listed.name} has it: {title(member)}"
        if member := listed.narrower(synset):
            return f"{listed.name} has narrower classes, such as {title(member)}"
    covering = _covering(concept, corpus)
    members = [member for member in covering if member]
    # A name counts only if every meaning of it is covered; a table gives the one meaning.
    if members and (len(members) == len(covering) or not concept.name):
        return f"{listed.name} has a class that covers it: {title(members[0])}"
    return ""


def _covering(concept: Concept, corpus: Corpus) -> list[str]:
    """For every meaning of a class, the member whose images include it; "" without one."""
    listed = corpus.synsets
    kinds = (kind if kind in listed.leaves else listed.covering(kind) or "" for kind in _things(concept.kinds))
    return [listed.covering(synset) or "" for synset in _things(concept.synsets)] + list(kinds)


def _things(synsets: Sequence[str]) -> Sequence[str]:
    """The synsets without those of persons, if others are left: "puppy" is not a conceited young man."""
    return [synset for synset in synsets if _PERSON not in wider(synset)] or synsets


def _doubts(concept: Concept, corpus: Corpus) -> Iterator[str]:
    """Reasons why a corpus may have a class although no list says so."""
    listed = corpus.synsets
    for covering in filter(None, _covering(concept, corpus)):
        yield f"by one meaning of its name it is a kind of {title(covering)}, which {listed.name} has"
    for meaning in (*concept.synsets, *_things(concept.kinds)):
        if above := meaning if meaning in listed.members else listed.above(meaning):
            yield f"{listed.name} has {title(above)}, which may include it"
        kinds = corpus.kinds
        if other := kinds.same(meaning) or kinds.narrower(meaning) or kinds.above(meaning):
            yield f"{corpus.name} has kinds of {title(other)} under names of their own"
    for kind in _things(concept.kinds):
        if member := listed.narrower(kind):
            yield f"{listed.name} has other kinds of it, such as {title(member)}, and may have this one by another name"
    if concept.name:
        yield from _doubts_by_name(concept, corpus)


def _doubts_by_name(concept: Concept, corpus: Corpus) -> Iterator[str]:
    """Further reasons for a class that is known by its name alone."""
    listed = corpus.synsets
    for synset in concept.synsets:
        if member := namesake(synset, listed):
            yield f"{listed.name} has {title(member)}, which may be the same under another name"
        if _ROLES.intersection(hypernyms().get(synset, ())) and listed.narrower(_ANIMAL):
            yield f"animals of {listed.name} may have this name"
    for form in forms(concept.name):
        if member := parts_of_names(listed).get(form):
            yield f"{listed.name} has {title(member)}, which the name may mean"
    words = concept.name.split()
    for phrase in [*list(phrases(words))[1:], *(tail for _, tail in halves(words[-1]))]:
        for synset in by_name(phrase):
            if member := listed.same(synset) or listed.narrower(synset):
                yield f"{listed.name} has {title(member)}, and the name contains {phrase!r}"
