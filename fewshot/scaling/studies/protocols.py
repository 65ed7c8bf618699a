"""How checkpoints are scored (target, shots and head), and names that are all different."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol as Interface
from typing import TypeVar

from fewshot.plugins.short_name import short_names
from fewshot.plugins.spec import Spec
from fewshot.results.selection_rule import Selection


class Detailed(Interface):
    """A thing with details, which make names different. All things of a class have equally many."""

    @property
    def details(self) -> tuple[str | Spec, ...]: ...
    def __hash__(self) -> int: ...


_Detailed = TypeVar("_Detailed", bound=Detailed)


@dataclass(frozen=True)
class Head:
    """The part that learns an episode from features."""

    transform: Spec
    evaluator: Spec
    selection_rule: str = ""  # how its hyperparameters were chosen

    @property
    def text(self) -> str:
        """The specs: "L2() + Prototype()"."""
        rule = f", chosen by {self.selection_rule}" if self.selection_rule else ""
        return " + ".join(each.text for each in self._members) + rule

    @property
    def short_name(self) -> str:
        """The short name: "L2 + Prototype"."""
        rule = Selection.read(self.selection_rule)
        return " + ".join(each.short_name for each in self._members) + (f", {rule.short_name}" if rule else "")

    @property
    def details(self) -> tuple[str | Spec, ...]:
        """What names may omit."""
        return self.transform, self.evaluator, self.selection_rule or "fixed hyperparameters"

    @property
    def _members(self) -> list[Spec]:
        """The transform, if it changes features, and the evaluator."""
        changes = self.transform.text and not self.transform.declares("keeps_features")
        return [self.transform, self.evaluator] if changes else [self.evaluator]


@dataclass(frozen=True)
class Target:
    """What checkpoints are scored on: classes of a data set, and how episodes are composed from them."""

    dataset: Spec
    classes: str
    sampler: Spec
    n_way: int | None  # None: all
    n_query: int | None
    split: Spec
    seed: int  # of the episodes
    k_shot_at_most: bool
    dtype: str

    def __post_init__(self) -> None:
        """Drops the seed of a narrowed split: it follows the training seed and is not part of the scoring."""
        if self.n_seen is not None:
            kept = tuple((parameter, value) for parameter, value in self.split.arguments if parameter.name != "seed")
            object.__setattr__(self, "split", replace(self.split, arguments=kept, as_written=None))

    @property
    def n_seen(self) -> int | None:
        """How many seen classes a narrowed split keeps; None for other splits."""
        n_seen = self.split.fields.get("n_seen")
        return n_seen if isinstance(n_seen, int) else None

    @property
    def name(self) -> str:
        """The name of the data set, with its classes if they are not the novel ones: "icons mono"."""
        field = self.dataset.fields.get("name")
        name = field if isinstance(field, str) and field else self.dataset.short_name
        return name if self.classes == "novel" else f"{name}, {self.classes} classes"

    @property
    def details(self) -> tuple[str | Spec, ...]:
        """What names omit."""
        return (
            self.dataset,
            self.sampler,
            "all ways" if self.n_way is None else f"{self.n_way}-way",
            "all queries" if self.n_query is None else f"{self.n_query} queries per class",
            self.split if self.split.text else "default split",
            f"episode seed {self.seed}",
            "smaller classes give fewer shots" if self.k_shot_at_most else "equal shots",
            self.dtype or "unknown dtype",
        )


@dataclass(frozen=True)
class Protocol:
    """How checkpoints are scored. Scores are compared only with equal protocols."""

    target: Target
    k_shot: int
    head: Head

    def with_classes(self, classes: str) -> Protocol:
        """The same protocol on other classes: equal N, K, Q and head."""
        return replace(self, target=replace(self.target, classes=classes))

    @property
    def text(self) -> str:
        """The protocol, with members as specs."""
        target = self.target
        narrowed = f" of {target.split}" if target.n_seen is not None else ""
        return f"{target.dataset}, {target.classes} classes{narrowed}, {self._shape}, {self.head.text}"

    @property
    def short_name(self) -> str:
        """The short name: "novel of icons mono, 5-way 1-shot, L2 + Prototype"."""
        target = self.target
        narrowed = f" ({target.n_seen} seen)" if target.n_seen is not None else ""
        return f"{target.classes} of {target.dataset.short_name}{narrowed}, {self._shape}, {self.head.short_name}"

    @property
    def details(self) -> tuple[str | Spec, ...]:
        """What names omit."""
        return *self.target.details, *self.head.details

    @property
    def order(self) -> tuple[str | int, ...]:
        """The sort key: data set, classes, head, shots, and details."""
        return self.target.dataset.text, self.target.classes, self.head.text, self.k_shot, *map(str, self.details)

    @property
    def _shape(self) -> str:
        return f"{self.target.n_way}-way {self.k_shot}-shot"


def unique_names(things: Iterable[_Detailed], name: Callable[[_Detailed], str]) -> dict[_Detailed, str]:
    """The names of all things, all different: equal names get the details in which their things differ."""
    added = differences(things := list(things), name)
    return {thing: ", ".join([name(thing), *added[thing]]) for thing in things}


def differences(things: Iterable[_Detailed], name: Callable[[_Detailed], object]) -> dict[_Detailed, tuple[str, ...]]:
    """For every thing the details in which it differs from other things with its name."""
    sharing: dict[object, list[_Detailed]] = {}
    for thing in dict.fromkeys(things):
        sharing.setdefault(name(thing), []).append(thing)
    result: dict[_Detailed, tuple[str, ...]] = {}
    for same in sharing.values():
        columns = [_printed(column) for column in zip(*(each.details for each in same), strict=True)]
        differing = [column for column in columns if len(set(column)) > 1]
        result |= {each: tuple(details) for each, *details in zip(same, *differing, strict=True)}
    return result


def _printed(column: Sequence[str | Spec]) -> list[str]:
    """One detail of several things as text: specs by their short names, all different."""
    short = short_names(each for each in column if isinstance(each, Spec))
    return [short[each] if isinstance(each, Spec) else each for each in column]
