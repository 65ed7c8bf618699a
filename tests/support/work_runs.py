"""Short runs on a folder of images, for tests of workers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fewshot.episodes.shape import EpisodeShape
from fewshot.runs.specs import RunSpec, Sampled


def spec_of(folder: Path, evaluator: str = "Prototype()", n_episodes: int = 12, **fields: Any) -> RunSpec:
    """A run of raw pixels, unless the fields name another backbone."""
    usual = {"backbone": "RawPixels(image_size=4)", "split": "AllNovel()"}
    episodes = Sampled(EpisodeShape(3, 1, 4))
    data = f"ImageFolderSet({str(folder)!r})"
    return RunSpec(data, evaluator=evaluator, episodes=episodes, n_episodes=n_episodes, **{**usual, **fields})
