"""What is compared: a backbone with a transform and an evaluator, and the names that readers see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from fewshot.plugins.short_name import short_names
from fewshot.plugins.spec import Spec
from fewshot.results.asked import asked
from fewshot.results.row import Row
from fewshot.results.selection_rule import names_of_rules

_NONE: Mapping[Spec, str] = MappingProxyType({})


@dataclass(frozen=True)
class Contender:
    """Everything of a run but its task and its shots. `rule`: how hyperparameters were chosen, as rows write it."""

    backbone: Spec
    transform: Spec
    evaluator: Spec
    dtype: str
    rule: str

    @property
    def network(self) -> tuple[Spec, str]:
        """What embeds the images: contenders that share it stand together."""
        return self.backbone, self.dtype

    @property
    def method(self) -> tuple[Spec, Spec, str]:
        """What learns from the features."""
        return self.transform, self.evaluator, self.rule


class Name(NamedTuple):
    """What a contender is called: its backbone, and its transform with its evaluator."""

    backbone: str
    learner: str

    @property
    def whole(self) -> str:
        """Both, for a sentence: "raw pixels 32 with L2 + Prototype"."""
        return f"{self.backbone} with {self.learner}"


Names = Mapping[Contender, Name]


def contender(row: Row) -> Contender:
    """What a row is a measurement of."""
    of = asked(row)
    return Contender(of.backbone, of.transform, of.evaluator, row.dtype, row.selection_rule)


def contender_names(rows: Iterable[Row]) -> dict[Contender, Name]:
    """The names of everything that is compared, all different, in order of appearance."""
    found = list(dict.fromkeys(map(contender, rows)))
    backbones, transforms, evaluators = (
        short_names(getattr(each, kind) for each in found) for kind in ("backbone", "transform", "evaluator")
    )
    rules, several = names_of_rules(each.rule for each in found), len({each.dtype for each in found}) > 1
    names = {}
    for each in found:
        method = learner(each.transform, each.evaluator, transforms | evaluators)
        backbone = backbones[each.backbone] + (f" {each.dtype}" if several else "")
        names[each] = Name(backbone, ", ".join(filter(None, (method, rules[each.rule]))))
    return names


def learner(transform: Spec, evaluator: Spec, names: Mapping[Spec, str] = _NONE) -> str:
    """The evaluator behind its transform, where there is one: "L2 + LinearProbe"; by their short names where `names`
    has no others."""
    after = names.get(evaluator, evaluator.short_name)
    if transform.declares("keeps_features") or not transform.name:
        return after
    return f"{names.get(transform, transform.short_name)} + {after}"
