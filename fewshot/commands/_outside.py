"""The command that evaluates a benchmark's copy of a data set outside the benchmark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fewshot.runs.specs import RunSpec

_THEN = " && "


def outside(specs: Sequence[RunSpec], options: Sequence[str] = ()) -> str:
    """Commands that give these runs on one copy without the benchmark's name: one for each transform and choice of
    hyperparameters, and for each number of ways and queries. `options`: further words of each command."""
    from fewshot.report.rows.typed import quoted, typed, typed_backbone
    from fewshot.runs.specs import Sampled

    groups: dict[tuple[str, ...], list[RunSpec]] = {}
    for spec in specs:
        groups.setdefault(tuple(_shared_words(spec)), []).append(spec)
    commands = []
    for shared, own in groups.items():
        shots = dict.fromkeys(_count(one.episodes.shape.k_shot) for one in own if isinstance(one.episodes, Sampled))
        words = ["fewshot", "run", *shared, "--shot", ",".join(shots)]
        words += _each("--backbone", (typed_backbone(one.backbone) for one in own))
        words += _each("--evaluator", (typed(one.evaluator) for one in own))
        commands.append(" ".join(map(quoted, [*words, *options])))
    return _THEN.join(commands)


def _shared_words(spec: RunSpec) -> Iterable[str]:
    """The options of a run but for its backbone, evaluator and shots, which may be several in one command."""
    from fewshot.report.rows.origins import selection_options
    from fewshot.report.rows.typed import typed, typed_data
    from fewshot.runs.specs import Sampled

    assert isinstance(spec.episodes, Sampled)
    shape = spec.episodes.shape
    yield from ("--data", typed_data(spec.dataset))
    yield from ("--split", typed(spec.split)) if spec.split is not None else ()
    yield from ("--classes", spec.classes, "--sampler", typed(spec.episodes.sampler))
    yield from ("--way", _count(shape.n_way), "--query", _count(shape.n_query))
    yield from ("--at-most",) if shape.k_shot_at_most else ()
    yield from ("--seed", str(spec.episodes.seed), "--episodes", str(spec.n_episodes))
    yield from ("--dtype", spec.dtype) if spec.dtype != "float32" else ()
    yield from ("--transform", typed(spec.transform))
    for option in selection_options(spec.selection):
        yield from option


def _each(option: str, values: Iterable[str]) -> list[str]:
    """The option before each of the distinct values."""
    return [word for value in dict.fromkeys(values) for word in (option, value)]


def _count(number: int | None) -> str:
    return "all" if number is None else str(number)
