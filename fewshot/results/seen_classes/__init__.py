"""Which classes of a data set were in the data that weights were trained on: seen, not seen, or unknown.

A class is *seen* where a list of that data's classes has the same synset, a narrower one (a tabby is a cat), or a wider
one with no narrower class beside it (a black-footed albatross stood under albatross). It is *not seen* where what the
class shows is known, all lists are complete, and none has it; *unknown* otherwise: no list says what a web-scale
collection shows, and a name may mean nothing that WordNet has.

    synsets.py    synsets, lists of them, what is wider than what     concepts.py   what the classes of a data set are
    corpora.py    what weights were trained on
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fewshot.data.class_lists import normal
from fewshot.results.seen_classes.concepts import Concept, Found, find
from fewshot.results.seen_classes.corpora import NOT_KNOWN, NOTHING, Corpus, corpora, pretraining_data
from fewshot.results.seen_classes.synsets import title

if TYPE_CHECKING:
    from fewshot.results.training_record import TrainingRecord

SEEN, NOT_SEEN, UNKNOWN = "seen", "not seen", "unknown"
_NOT_HERE = "the record of its training does not have it"


@dataclass(frozen=True)
class SeenClass:
    """A class, its state, and why."""

    name: str
    state: str
    evidence: str


@dataclass(frozen=True)
class SeenClasses:
    """The state of every class. `by`: what the classes were found by, such as "class names"."""

    pretrained_on: str
    by: str
    classes: tuple[SeenClass, ...]

    def count(self, state: str) -> int:
        """How many classes are in a state."""
        return Counter(c.state for c in self.classes)[state]

    @property
    def state(self) -> str:
        """That of the whole: "seen" where one class is, "not seen" where all are."""
        if self.count(SEEN):
            return SEEN
        return UNKNOWN if self.count(UNKNOWN) or not self.classes else NOT_SEEN


def sentence(n_seen: int, n_unknown: int, n_classes: int, part: str, pretrained_on: str, by: str) -> str:
    """The counts in words; `part` names the classes, such as "novel"."""
    trained_on, classes = pretraining_data(pretrained_on), " ".join(filter(None, [part, "classes"]))
    if trained_on == NOTHING:
        return f"none of {n_classes} {classes} was in this network's training data: it was trained on nothing"
    if trained_on == NOT_KNOWN:
        return f"no information on whether the {n_classes} {classes} were in this network's training data"
    if n_unknown == n_classes:
        return f"unknown whether the {n_classes} {classes} were in this network's training data ({trained_on})"
    unknown = f", {n_unknown} unknown" if n_unknown else ""
    were = f"{n_seen or 'none'} of {n_classes} {classes} {'was' if n_seen < 2 else 'were'}"
    return f"{were} in this network's training data{unknown} ({trained_on}, found by {by})"


def seen_classes(pretrained_on: str, dataset: str, class_names: Sequence[str]) -> SeenClasses:
    """The state of these classes of a data set for weights trained on `pretrained_on`: names such as "ImageNet-21k,
    ImageNet-1k", a tag of timm's, "nothing", "CUB 100/50/50 train"; anything else is data that nothing is known of."""
    trained_on, found = corpora(pretrained_on), find(dataset, class_names)
    named = ", ".join(corpus.name for corpus in trained_on) or "nothing"
    judged = tuple(
        SeenClass(name, *_judge(name, concept, found, trained_on))
        for name, concept in zip(class_names, found.concepts, strict=True)
    )
    return SeenClasses(named, found.by, judged)


def seen_in_training(record: TrainingRecord, dataset: str, class_names: Sequence[str]) -> SeenClasses:
    """The same for a network that was trained here: its record names the classes that it saw, so that nothing is
    guessed of them. What it started from is judged as any other weights are, where no record says what that saw."""
    here = {*record.classes, *(record.before or ())}
    started_on = record.started_on if record.started_on != NOTHING else NOT_KNOWN
    before = seen_classes(NOTHING if record.before is not None else started_on, dataset, class_names)
    by = "the record of its training" + (f" and {before.by}" if record.before is None else "")
    trained = {name: SeenClass(name, SEEN, f"trained here on {record.data}, this class among them") for name in here}
    other = {} if record.before is None else {c.name: SeenClass(c.name, NOT_SEEN, _NOT_HERE) for c in before.classes}
    states = tuple((other | trained).get(c.name, c) for c in before.classes)
    trained_on = record.trained_on if record.before is not None else f"{before.pretrained_on}; {record.trained_on}"
    return SeenClasses(trained_on, by, states)


def _judge(name: str, concept: Concept, found: Found, trained_on: Sequence[Corpus]) -> tuple[str, str]:
    """State and evidence of a class."""
    if not trained_on:
        return NOT_SEEN, "the weights were trained on nothing"
    for corpus in trained_on:
        evidence = _evidence(name, concept, found, corpus)
        if evidence:
            return SEEN, evidence
    if [corpus.name for corpus in trained_on] == [NOT_KNOWN]:
        return UNKNOWN, "no information on what the weights were trained on"
    open_ended = [corpus.name for corpus in trained_on if not corpus.complete]
    if open_ended:
        return UNKNOWN, f"no list says which classes {open_ended[0]} shows"
    names = ", ".join(corpus.name for corpus in trained_on)
    if not concept.known:
        return UNKNOWN, f"no synset of {names} has this name, and what the class shows is not known otherwise"
    if found.by == "class names" and not concept.synsets and _relatives(concept, trained_on):
        relative = title(_relatives(concept, trained_on)[0])
        return UNKNOWN, f"{names} has other kinds of it, such as {relative}, and may have this one by another name"
    return NOT_SEEN, f"{names} has no such class, no narrower and no wider one"


def _evidence(name: str, concept: Concept, found: Found, corpus: Corpus) -> str:
    """Why a class was in a corpus; '' where it was not, as far as is known."""
    if corpus.of_set and corpus.of_set == found.of_set and corpus.classes:
        inside = {normal(name), *concept.synsets} & corpus.classes
        return f"{corpus.name} has this class" if inside else ""
    listed = corpus.synsets
    for synset in concept.synsets:
        for member, relation in (
            (listed.same(synset), "has it"),
            (listed.narrower(synset), "has narrower classes, such as"),
            (listed.wider(synset), "has a wider class"),
        ):
            if member:
                return f"{listed.name} {relation}: {title(member)}".replace("such as:", "such as")
    for kind in concept.kinds:
        member = kind if kind in listed.leaves else listed.wider(kind)
        if member:
            return f"{listed.name} has a wider class: {title(member)}"
    return ""


def _relatives(concept: Concept, trained_on: Sequence[Corpus]) -> list[str]:
    """Members that are of the kinds of a class."""
    found = (c.synsets.narrower(kind) or c.synsets.same(kind) for c in trained_on for kind in concept.kinds)
    return [member for member in found if member]
