"""The shapes of a benchmark's episodes in words."""

from __future__ import annotations

from fewshot.episodes.shape import EpisodeShape


def shape_text(shape: EpisodeShape) -> str:
    """The ways and shots in words: "5-way 1-shot", "all-way, all images"."""
    way = "all" if shape.n_way is None else str(shape.n_way)
    return f"{way}-way, all images" if shape.k_shot is None else f"{way}-way {shape.k_shot}-shot"
