"""The command that evaluates a benchmark's copy of a data set outside the benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fewshot.runs.specs import RunSpec


def outside(specs: Sequence[RunSpec]) -> str:
    """A command with the data, split, sampler and episodes of the first of these runs, and with the shots of those that
    differ in nothing else. Backbone and evaluator are the user's to add. Its rows have no protocol."""
    from fewshot.report.rows.typed import quoted, typed, typed_data
    from fewshot.runs.specs import Sampled

    first = specs[0]
    assert isinstance(first.episodes, Sampled)
    shape = first.episodes.shape
    shapes = [spec.episodes.shape for spec in specs if isinstance(spec.episodes, Sampled)]
    alike = [each.k_shot for each in shapes if (each.n_way, each.n_query) == (shape.n_way, shape.n_query)]
    words = ["fewshot", "run", "--data", typed_data(first.dataset)]
    if first.split is not None:
        words += ["--split", typed(first.split)]
    words += ["--classes", first.classes, "--sampler", typed(first.episodes.sampler)]
    words += ["--way", _count(shape.n_way), "--shot", ",".join(map(_count, dict.fromkeys(alike)))]
    words += ["--query", _count(shape.n_query), *(["--at-most"] if shape.k_shot_at_most else [])]
    words += ["--seed", str(first.episodes.seed), "--episodes", str(first.n_episodes)]
    return " ".join(map(quoted, words))


def _count(number: int | None) -> str:
    return "all" if number is None else str(number)
