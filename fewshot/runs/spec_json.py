"""Run specs as JSON, for files and messages that other processes read. Reading imports no code unless it may."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.held import HeldSpec
from fewshot.plugins.registry import BACKBONES, DATASETS, EVALUATORS, SAMPLERS, SPLITS, TRANSFORMS, Registry
from fewshot.plugins.spec import Spec, specs_in
from fewshot.results.selection_rule import Selection
from fewshot.runs.specs import Listed, RunSpec, Sampled

_MEMBERS: Mapping[str, Registry] = {
    "dataset": DATASETS,
    "backbone": BACKBONES,
    "evaluator": EVALUATORS,
    "transform": TRANSFORMS,
    "split": SPLITS,
}
_PLAIN: Mapping[str, type] = {"classes": str, "dtype": str, "n_episodes": int, "protocol": str}
_SHAPE = tuple(field.name for field in dataclasses.fields(EpisodeShape))


def spec_to_json(spec: RunSpec) -> dict[str, Any]:
    """The spec as a JSON object; a ValueError for one that holds a thing of this process, such as images in memory."""
    members = {name: text_of(getattr(spec, name)) for name in _MEMBERS}
    plain = {name: getattr(spec, name) for name in _PLAIN}
    rule = None if spec.selection is None else repr(spec.selection)
    return {**members, **plain, "selection": rule, "episodes": _episodes_to_json(spec.episodes)}


def text_of(spec: Spec | None) -> str | None:
    """The text of a member that another process can make from it; a ValueError if none can."""
    if spec is None:
        return None
    if any(isinstance(each, HeldSpec) for each in _inside(spec)):
        raise ValueError(
            f"{spec.text:.80} is held by this process alone, so no other process can run it; name a member, such as "
            "package.module:Class, or run without other processes"
        )
    return spec.text


def _inside(spec: Spec) -> list[Spec]:
    return [spec, *(each for _, value in spec.arguments for inner in specs_in(value) for each in _inside(inner))]


def _episodes_to_json(episodes: Sampled | Listed) -> dict[str, Any]:
    if isinstance(episodes, Listed):
        return {"path": str(episodes.path)}
    return {"sampler": text_of(episodes.sampler), "seed": episodes.seed, **dataclasses.asdict(episodes.shape)}


def spec_from_json(values: Any, allow_import: bool = False) -> RunSpec:
    """The spec of a JSON object; a ValueError for anything else. A member of another package ("package.module:Class")
    is refused unless `allow_import`."""
    wanted = {*_MEMBERS, *_PLAIN, "selection", "episodes"}
    if not isinstance(values, dict) or values.keys() != wanted:
        raise ValueError(f"a run in JSON has the fields {', '.join(sorted(wanted))}; found {_short(values)}")
    for name, kind in _PLAIN.items():
        if type(values[name]) is not kind:
            raise ValueError(f"{name} of a run in JSON is of type {kind.__name__}; found {_short(values[name])}")
    return RunSpec(
        **{name: member_from_json(name, values[name], allow_import) for name in _MEMBERS},
        **{name: values[name] for name in _PLAIN},
        selection=_selection(values["selection"]),
        episodes=_episodes(values["episodes"], allow_import),
    )


def member_from_json(kind: str, text: Any, allow_import: bool) -> Any:
    """The spec of a member of this kind, such as "backbone"; None for the default transform or split."""
    if text is None and kind in ("transform", "split"):
        return None
    return _member(_MEMBERS[kind], text, allow_import)


def _member(registry: Registry, text: Any, allow_import: bool) -> Spec:
    if not isinstance(text, str):
        raise ValueError(f"a {registry.kind} in JSON is a text; found {_short(text)}")
    return registry.spec(text, allow_import)


def _selection(text: Any) -> Selection | None:
    if text is None:
        return None
    rule = Selection.read(text) if isinstance(text, str) else None
    if rule is None:
        raise ValueError(
            f"a selection rule in JSON is a text such as \"Selection(on='validation', ...)\"; found {text!r:.80}"
        )
    return rule


def _episodes(values: Any, allow_import: bool) -> Sampled | Listed:
    if isinstance(values, dict) and values.keys() == {"path"} and isinstance(values["path"], str):
        return Listed(Path(values["path"]))
    if not isinstance(values, dict) or values.keys() != {"sampler", "seed", *_SHAPE}:
        raise ValueError(f"episodes in JSON have a path, or sampler, seed, {', '.join(_SHAPE)}; found {_short(values)}")
    shape = EpisodeShape(**{name: values[name] for name in _SHAPE})
    return Sampled(shape, values["seed"], _member(SAMPLERS, values["sampler"], allow_import))


def _short(value: Any) -> str:
    return ", ".join(map(str, value))[:120] if isinstance(value, dict) else f"{value!r:.60}"
