"""Short names that a user gives, matched with the backbones and methods of rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from fewshot.report.rows.contenders import method_of
from fewshot.report.rows.shown import Shown


def renames(shown: Shown, pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """New names by the text of a spec. An old name is that of a backbone or a method in tables, its spec, a part of
    only one name, or words that several names share, such as the network of several seeds: only these words change. A
    ValueError for any other, or if two things would have one name."""
    names = _names(shown)
    chosen = {spec: name for old, new in pairs for spec, name in _chosen(names, old, new).items()}
    kept = {name for spec, name in names.items() if spec not in chosen}
    new_names = [new for new in chosen.values() if new]
    twice = [new for new in new_names if new in kept or new_names.count(new) > 1]
    if twice:
        raise ValueError(f"{twice[0]!r} would name two things; choose another name")
    return chosen


def _names(shown: Shown) -> Mapping[str, str]:
    """The name of every backbone and method by its spec. A rule of selection and a dtype are no part of it."""
    backbones = {each.backbone.text: name.backbone for each, name in shown.names.items()}
    return backbones | {method_of(each.transform, each.evaluator): name.learner for each, name in shown.names.items()}


def _chosen(names: Mapping[str, str], old: str, new: str) -> dict[str, str]:
    """The new name of each spec that is called `old`, or whose name has it as words."""
    if old in names:
        return {old: new}
    for matches in ([s for s, name in names.items() if name == old], [s for s, name in names.items() if old in name]):
        if len(matches) == 1:
            return {matches[0]: new}
        words = re.compile(rf"(?<!\w){re.escape(old)}(?!\w)")
        if matches and all(words.search(names[spec]) for spec in matches):
            return {spec: words.sub(lambda _: new, names[spec]) if new else "" for spec in matches}
        if matches:
            several = ", ".join(repr(names[spec]) for spec in matches)
            raise ValueError(f"{old!r} is a part of several names: {several}; write one of them whole")
    raise ValueError(f"nothing is called {old!r}; the names are: {', '.join(sorted(set(names.values())))}")
