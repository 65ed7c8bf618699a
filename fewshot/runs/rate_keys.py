"""The keys under which the speeds of this machine are kept, for time estimates."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fewshot.episodes.shape import EpisodeShape
    from fewshot.results.row import Row
    from fewshot.runs.specs import RunSpec


def embedding_key(backbone: str, dtype: str, device: str) -> str:
    """The key of an embedding speed; the rates file holds it."""
    return f"embed {backbone} {dtype} {device}"


def solving_key(run: RunSpec | Row, shape: EpisodeShape | Row | None) -> str:
    """The key of a solving speed; it has the backbone too, because some evaluators tune it. The rates file holds it."""
    size = "listed" if shape is None else f"{shape.n_way}-way {shape.k_shot}-shot {shape.n_query}-query"
    return f"solve {run.backbone} {run.transform} {run.evaluator} {size}"
