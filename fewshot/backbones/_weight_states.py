"""The weight states in a file: the network, its running average, student and teacher, in dicts and under prefixes.

The name of a state is its place: "state_dict", "teacher.backbone", "state_dict.module.encoder_q"; '' is the whole file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from fewshot.backbones._weight_files import read_content
from fewshot.files.quoting import quoted

Tensors = Mapping[str, Tensor]
_DEEPEST = 3  # levels of nested containers
_WRAPPERS = {
    "_orig_mod",
    "_fsdp_wrapped_module",
    "_checkpoint_wrapped_module",
    "_forward_module",
}  # wrappers of modules
_CHUNK = re.compile(r"(^|.*\.)blocks\.(\d+)\.(\d+)\.")
_ENOUGH = 0.5  # share of a network's entries under a prefix; less is a submodule with a similar name
_TIMMS_CHOICE = ("state_dict_ema", "model_ema", "state_dict", "model")


@dataclass(frozen=True, eq=False)
class WeightState:
    """Tensors by their names below `place`; `beside` are other entries of the same container."""

    place: str
    tensors: Tensors
    beside: tuple[str, ...] = ()


def read_states(path: Path) -> list[WeightState]:
    """All mappings of names to tensors in a file. A ValueError if there is none."""
    content = read_content(path)
    states = list(_states(content, ""))
    if states:
        return states
    what = type(content).__name__
    if isinstance(content, Mapping):
        what += f" of {', '.join(map(str, list(content)[:5])) or 'nothing'}"
    raise ValueError(
        f"the checkpoint {path} holds a {what}, but a state dict was expected, at its top or in a dict inside; save "
        "network.state_dict()"
    )


def _states(content: Any, place: str, depth: int = 0) -> Iterator[WeightState]:
    if not isinstance(content, Mapping) or depth > _DEEPEST:
        return
    named = {name: value for name, value in content.items() if isinstance(name, str)}
    tensors = {_unwrapped(name): value for name, value in named.items() if isinstance(value, Tensor)}
    if tensors:
        yield WeightState(place, tensors)
    for name, value in named.items():
        yield from _states(value, f"{place}.{name}" if place else name, depth + 1)


def _unwrapped(name: str) -> str:
    """A name without the parts that torch.compile and other wrappers add."""
    return ".".join(part for part in name.split(".") if part not in _WRAPPERS)


def of_network(states: Iterable[WeightState], names: Collection[str]) -> list[WeightState]:
    """The states that may fit a network with these entry names, best first: the entries under each prefix that many
    entries share. If none fits, the largest state unchanged."""
    known = [_unchunked(state, names) for state in states]
    fitting = [part for state in known for part in _under_prefixes(state, names)]
    fitting.sort(key=lambda state: -len(state.tensors.keys() & set(names)))
    return fitting or [max(known, key=lambda state: len(state.tensors))]


def _unchunked(state: WeightState, names: Collection[str]) -> WeightState:
    """Renames blocks trained in chunks, "blocks.2.5.", to the consecutive numbers of the network."""
    if any(_CHUNK.search(name) for name in names):
        return state
    chunks = {name: chunk for name in state.tensors if (chunk := _CHUNK.search(name))}
    places = sorted({(chunk[1], int(chunk[2]), int(chunk[3])) for chunk in chunks.values()})
    inner = [(prefix, block) for prefix, _, block in places]
    if len(set(inner)) < len(inner):  # each chunk counts from 0
        of_prefix = [prefix for prefix, _, _ in places]
        inner = [(prefix, number - of_prefix.index(prefix)) for number, prefix in enumerate(of_prefix)]
    number_of = {place: number for place, (_, number) in zip(places, inner, strict=True)}

    def renamed(name: str) -> str:
        chunk = chunks.get(name)
        if chunk is None:
            return name
        number = number_of[chunk[1], int(chunk[2]), int(chunk[3])]
        return f"{name[: chunk.start()]}{chunk[1]}blocks.{number}.{name[chunk.end() :]}"

    return replace(state, tensors={renamed(name): value for name, value in state.tensors.items()})


def _under_prefixes(state: WeightState, names: Collection[str]) -> Iterator[WeightState]:
    counts: Counter[str] = Counter()
    for name in state.tensors:
        parts = name.split(".")
        for cut in range(len(parts)):
            if ".".join(parts[cut:]) in names:
                counts[".".join(parts[:cut])] += 1
    prefixes = [prefix for prefix, count in counts.items() if count >= _ENOUGH * len(names)]
    for prefix in prefixes:
        start = f"{prefix}." if prefix else ""
        deeper = tuple(f"{other}." for other in prefixes if other != prefix and other.startswith(start))  # other states
        inside = [name for name in state.tensors if name.startswith(start) and not name.startswith(deeper)]
        beside = tuple(sorted(state.tensors.keys() - set(inside)))
        tensors = {name.removeprefix(start): state.tensors[name] for name in inside}
        yield WeightState(".".join(filter(None, (state.place, prefix))), tensors, beside)


def choose(states: list[WeightState], wanted: str | None, what: str) -> WeightState:
    """The wanted state, by its place or a unique part of it; without a wish, the only one. Otherwise a ValueError that
    lists them."""
    places = ", ".join(repr(state.place) for state in states)
    if wanted is not None:
        exact = [state for state in states if state.place == wanted]
        matches = exact or [state for state in states if f".{wanted}." in f".{state.place}."]
        if len(matches) != 1:
            many = "several states called" if matches else "no state"
            raise ValueError(f"{what} has {many} {quoted(wanted)} that fits; those that fit are: {places}")
        return matches[0]
    if len(states) > 1 and not _same(states):
        timms = next((s.place for name in _TIMMS_CHOICE for s in states if s.place.split(".")[0] == name), None)
        hint = "" if timms is None else f" (timm itself takes {quoted(timms)})"
        raise ValueError(
            f"{what} has {len(states)} states that fit: {places}{hint}; choose one, such as "
            f"state={quoted(states[-1].place)}"
        )
    return states[0]


def _same(states: list[WeightState]) -> bool:
    """Whether all states hold the same tensors, under different names."""
    return len({tuple(sorted((n, t.data_ptr()) for n, t in s.tensors.items())) for s in states}) == 1
