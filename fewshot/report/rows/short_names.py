"""Short names of specs for people: "tf_efficientnet_lite0 @128" for Packaged(name='tf_efficientnet_lite0', ...)."""

from __future__ import annotations

from collections.abc import Iterable

from fewshot.plugins.registry import SAMPLERS
from fewshot.plugins.short_name import one_line, short_names
from fewshot.results.selection_rule import Selection

__all__ = ["label", "labels", "learner", "one_line", "size"]


def label(spec: str) -> str:
    """A short name of one spec; a spec of an unknown kind without its defaults, any other text as it is."""
    selection = Selection.read(spec)
    return SAMPLERS.read(spec).short_name if selection is None else selection.short_name


def labels(specs: Iterable[str]) -> dict[str, str]:
    """The label of every spec, all different: where two would be equal, what differs is added."""
    texts = list(dict.fromkeys(specs))
    names = short_names(SAMPLERS.read(text) for text in texts)
    rules = {text: rule.short_name for text in texts if (rule := Selection.read(text)) is not None}
    return {text: names[SAMPLERS.read(text)] for text in texts} | rules


def learner(transform: str, evaluator: str) -> str:
    """The evaluator behind its transform, where there is one: "L2 + LinearProbe"."""
    return evaluator if transform in ("", "Identity") else f"{transform} + {evaluator}"


def size(count: int | None, sampler: str) -> str:
    """A number of ways, shots or queries in words: "5", or what an open one is for this sampler."""
    if count is None:
        return SAMPLERS.read(sampler).declares("open_size") or "all"
    return str(count)
