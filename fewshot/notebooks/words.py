"""The arguments of `evaluate`, checked: one thing or several, and what to write for what is not understood."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fewshot.episodes.episodes import Episodes
from fewshot.episodes.lists import EpisodeList
from fewshot.plugins.suggestions import nearest

OTHER_WORDS = {  # of the command line and of other libraries
    "backbones": "backbone", "images": "data", "dataset": "data", "data_set": "data", "shot": "shots",
    "k_shot": "shots", "k_shots": "shots", "n_shot": "shots", "n_shots": "shots", "way": "ways", "n_way": "ways",
    "n_ways": "ways", "query": "queries", "n_query": "queries", "n_queries": "queries", "num_episodes": "n_episodes",
    "transforms": "transform", "preset": "presets", "head": "evaluator", "heads": "evaluators",
    "classifier": "evaluator", "random_state": "seed", "out": "results", "path": "results",
}  # fmt: skip


def refuse_unknown(unknown: Mapping[str, Any], known: list[str]) -> None:
    """Raises a TypeError that says what to write, if there are unknown arguments."""
    for name in unknown:
        near = [OTHER_WORDS[name]] if name in OTHER_WORDS else nearest(name, known)
        hint = f"write {near[0]}=" if near else f"it has {', '.join(known)}"
        raise TypeError(f"evaluate has no argument {name!r}; {hint}")


def several(given: Any) -> list[Any]:
    """The things in a list, a tuple or another iterable that is no text; one thing alone otherwise."""
    return list(given) if isinstance(given, list | tuple | set | frozenset | range) else [given]


def counts(given: Any, name: str, least: int) -> tuple[int | str, ...]:
    """The numbers, or "all", in one or several of them, each once; anything else is a ValueError."""
    listed = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    known = [int(one) if _is_count(one) else one for one in listed]
    for one in known:
        if one != "all" and not (isinstance(one, int) and not isinstance(one, bool) and one >= least):
            raise ValueError(f"{name} must be integers of at least {least}, or 'all'; got {one!r}")
    if not known:
        raise ValueError(f"{name} is empty; give at least one number, such as {name}=5")
    return tuple(dict.fromkeys(known))


def count(given: Any, name: str, least: int) -> int | str | None:
    """One number, or "all", or None."""
    if given is None:
        return None
    numbers = counts(given, name, least)
    if len(numbers) > 1:
        raise ValueError(f"{name} must be one number; got {given!r}; call evaluate once for each")
    return numbers[0]


def episodes_of(given: Any) -> Episodes | Path | None:
    """Episodes in memory, the path of a list of them, or None; anything else is a ValueError."""
    if given is None or isinstance(given, Episodes):
        return given
    if isinstance(given, EpisodeList):
        return given.episodes
    if isinstance(given, str | Path):
        return Path(given).expanduser()
    if isinstance(given, int):
        raise ValueError(f"episodes are fewshot.Episodes; for their number write n_episodes={given}")
    raise ValueError(
        f"episodes are fewshot.Episodes, such as Episodes.sample(images, n_way=5, k_shot=1), or the path of a list; "
        f"got {given!r:.80}"
    )


def _is_count(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)
