"""Which classes of a data set were in the data that weights were trained on: seen, not seen, or unknown.

- *Seen*: a list of the training classes has the same synset, a narrower one (a tabby is a cat), or a wider one without
  narrower ones (its albatross class includes black-footed albatrosses).
- *Not seen*: the meaning of the class is known, all lists are complete, and every meaning of its name is outside them.
- *Unknown*: any doubt. A web-scale collection has no list; a name may be a code, have no synset, or be part of the name
  of a training class (the "tennis" of tennis ball).

    synsets.py    synsets, lists of them, which is wider      words.py      the meanings of a name
    concepts.py   the concepts of a data set's classes        corpora.py    the data that weights were trained on
    judging.py    the state of a class                        tags.py       the data that timm's tags name
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fewshot.results.seen_classes.concepts import find
from fewshot.results.seen_classes.corpora import Corpus, corpora, of_training
from fewshot.results.seen_classes.judging import NOT_SEEN, SEEN, UNKNOWN, judge
from fewshot.results.seen_classes.tags import NOT_KNOWN, NOTHING, pretraining_data

if TYPE_CHECKING:
    from fewshot.results.training_record import TrainingRecord

__all__ = [
    "NOT_SEEN",
    "SEEN",
    "UNKNOWN",
    "SeenClass",
    "SeenClasses",
    "counted",
    "seen_classes",
    "seen_in_training",
    "sentence",
]

_NOT_HERE = "the record of its training does not have it"


@dataclass(frozen=True)
class SeenClass:
    """A class with its state and the evidence."""

    name: str
    state: str
    evidence: str


@dataclass(frozen=True)
class SeenClasses:
    """The state of every class. `by` says how the classes were matched, such as "class names"."""

    pretrained_on: str
    by: str
    classes: tuple[SeenClass, ...]

    def count(self, state: str) -> int:
        """The number of classes in a state."""
        return Counter(c.state for c in self.classes)[state]

    @property
    def state(self) -> str:
        """The state of the whole set: "seen" if one class is seen, "not seen" if no class may be seen."""
        if self.count(SEEN):
            return SEEN
        return UNKNOWN if self.count(UNKNOWN) or not self.classes else NOT_SEEN


def counted(n_seen: int, n_unknown: int, n_classes: int, by: str) -> str:
    """The number of seen classes: "at least 44 of 88" if others are unknown or matched by name, else "9 of 10"."""
    bound = "at least " if 0 < n_seen < n_classes and (n_unknown or by.endswith("class names")) else ""
    return f"{bound}{n_seen or 'none'} of {n_classes}"


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
    were = f"{counted(n_seen, n_unknown, n_classes, by)} {classes} {'was' if n_seen < 2 else 'were'}"
    return f"{were} in this network's training data{unknown} ({trained_on}, found by {by})"


def seen_classes(pretrained_on: str, dataset: str, class_names: Sequence[str]) -> SeenClasses:
    """The states of these classes of a data set for weights trained on `pretrained_on`.

    This is a text such as "ImageNet-21k, ImageNet-1k" or "CUB 100/50/50 train", a timm tag, or "nothing"; any other
    text, and an empty one, is unknown data.
    """
    trained_on = corpora(pretrained_on)
    named = ", ".join(corpus.name for corpus in trained_on) or NOTHING
    return _judged(named, trained_on, dataset, class_names)


def seen_in_training(record: TrainingRecord, dataset: str, class_names: Sequence[str]) -> SeenClasses:
    """The states for a network that fewshot trained. Its record names the trained classes: names decide for classes of
    that data set. Other classes, and the data of weights that the training started from, are judged by concepts."""
    here = tuple(dict.fromkeys([*record.classes, *(record.before or ())]))
    started_on = record.started_on if record.started_on != NOTHING else NOT_KNOWN
    before = [] if record.before is not None else corpora(started_on)
    own = [] if dataset == record.data else [of_training(record.data, here)]
    states = _judged("", [*before, *own], dataset, class_names)
    names = [", ".join(corpus.name for corpus in before)] if before else []
    named = "; ".join([*names, record.trained_on])
    by = "the record of its training" + (f" and {states.by}" if before else "")
    certain = not before and not own
    return SeenClasses(named, by, tuple(_recorded(c, record.data, here, certain) for c in states.classes))


def _recorded(judged: SeenClass, data: str, trained: Sequence[str], certain: bool) -> SeenClass:
    """The state of a class if the record has its name, or is all that there is; else the state already judged."""
    if judged.name in trained:
        return SeenClass(judged.name, SEEN, f"trained here on {data}, this class among them")
    return SeenClass(judged.name, NOT_SEEN, _NOT_HERE) if certain else judged


def _judged(named: str, trained_on: Sequence[Corpus], dataset: str, class_names: Sequence[str]) -> SeenClasses:
    """The state of every class for these corpora together."""
    matches = find(dataset, class_names)
    classes = tuple(
        SeenClass(name, *judge(name, concept, matches, trained_on))
        for name, concept in zip(class_names, matches.concepts, strict=True)
    )
    return SeenClasses(named, matches.by, classes)
