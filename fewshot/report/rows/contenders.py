"""Contenders: what the rows compare, a backbone with a transform and an evaluator, and their names for readers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from fewshot.plugins.short_name import distinct_names, short_names
from fewshot.plugins.spec import Spec
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of
from fewshot.results.selection_rule import Selection, names_of_rules, without_chosen
from fewshot.results.short_names import method_text

_NONE: Mapping[Spec, str] = MappingProxyType({})
_GIVEN: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Contender:
    """The whole run except its task and its shots. `rule`: how hyperparameters were chosen, as in the row."""

    backbone: Spec
    transform: Spec
    evaluator: Spec
    dtype: str
    rule: str

    @property
    def network(self) -> tuple[Spec, str]:
        """What embeds the images. Tables list contenders with the same network together."""
        return self.backbone, self.dtype

    @property
    def method(self) -> tuple[Spec, Spec, str]:
        """What learns from the features."""
        return self.transform, self.evaluator, self.rule


class Name(NamedTuple):
    """The name of a contender: its backbone, and its transform with its evaluator."""

    backbone: str
    learner: str

    @property
    def whole(self) -> str:
        """Both parts in a sentence: "raw pixels 32 with L2 + Prototype"."""
        return f"{self.backbone} with {self.learner}"


Names = Mapping[Contender, Name]


def contender(row: Row) -> Contender:
    """The contender that a row measures."""
    spec = specs_of(row)
    return Contender(spec.backbone, spec.transform, spec.evaluator, row.dtype, row.selection_rule)


def contender_names(rows: Iterable[Row], given: Mapping[str, str] = _GIVEN) -> dict[Contender, Name]:
    """The names of all contenders, all different, in order of appearance. `given`: short names by spec that a user
    gave (results/short_names.py)."""
    contenders = list(dict.fromkeys(map(contender, rows)))
    backbones = short_names((each.backbone for each in contenders), given)
    rules, several = names_of_rules(each.rule for each in contenders), len({each.dtype for each in contenders}) > 1
    whole, plain = _learner_names(contenders, given, chosen=True), _learner_names(contenders, given, chosen=False)
    chosen = {each: rules[each.rule] for each in contenders}
    held = Counter((each.backbone, each.dtype, plain[each], chosen[each]) for each in contenders)
    names = {}
    for each in contenders:
        backbone = backbones[each.backbone] + (f" {each.dtype}" if several else "")
        alone = held[each.backbone, each.dtype, plain[each], chosen[each]] == 1
        parts = (plain[each] if alone else whole[each], chosen[each])
        names[each] = Name(backbone, ", ".join(filter(None, parts)))
    return names


def _learner_names(contenders: Iterable[Contender], given: Mapping[str, str], chosen: bool) -> dict[Contender, str]:
    """The name of the transform with the evaluator of every contender, all different; without `chosen`, it has no
    value of fields that the rule of the contender chooses."""
    shown = {}
    for each in contenders:
        evaluator = each.evaluator if chosen else without_chosen(each.evaluator, Selection.read(each.rule))
        shown[each] = (each.transform, evaluator, given.get(method_of(each.transform, each.evaluator), ""))
    methods = dict.fromkeys(shown.values())
    parts = short_names(method[0] for method in methods) | short_names(method[1] for method in methods)
    names = distinct_names(
        {method: method[2] or learner(*method[:2], parts) for method in methods},
        lambda method: {"": method_of(*method[:2])},
        lambda method: method_of(*method[:2]),
    )
    return {each: names[method] for each, method in shown.items()}


def method_of(transform: Spec, evaluator: Spec) -> str:
    """The text of a method in the file of short names."""
    return method_text(transform.text, evaluator.text)


def learner(transform: Spec, evaluator: Spec, names: Mapping[Spec, str] = _NONE) -> str:
    """The evaluator after its transform, if it has one: "L2 + LinearProbe". Specs that `names` lacks get their short
    names."""
    after = names.get(evaluator, evaluator.short_name)
    if transform.declares("keeps_features") or not transform.name:
        return after
    return f"{names.get(transform, transform.short_name)} + {after}"
