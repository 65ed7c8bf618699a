"""How fast things went here before, for the estimates of a dry run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fewshot.episodes.episodes import EpisodeShape
    from fewshot.results.row import Row
    from fewshot.runs.specs import RunSpec

_FEWEST_IMAGES = 64  # whose time says something


def _path() -> Path:
    from fewshot.files.atomic import home

    return home() / "rates.json"


def embedding_key(backbone: str, dtype: str, device: str) -> str:
    """What the rate of embedding depends on."""
    return f"embed {backbone} {dtype} {device}"


def solving_key(asked: RunSpec | Row, shape: EpisodeShape | Row | None) -> str:
    """What the seconds an episode depend on: the backbone too, which some evaluators tune."""
    size = "listed" if shape is None else f"{shape.n_way}-way {shape.k_shot}-shot {shape.n_query}-query"
    return f"solve {asked.backbone} {asked.transform} {asked.evaluator} {size}"


def rates() -> dict[str, float]:
    """Seconds an image and seconds an episode by key; empty where nothing was measured or the file is damaged."""
    try:
        content = json.loads(_path().read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def remember(measured: dict[str, float]) -> None:
    """Keeps rates; a folder that cannot be written costs the estimates and nothing else."""
    from fewshot.files.atomic import write_atomically

    merged = rates() | {key: float(f"{seconds:.3g}") for key, seconds in measured.items()}
    if measured and merged != rates():
        try:
            write_atomically(_path(), json.dumps(merged, indent=1, sort_keys=True).encode())
        except OSError:
            return


def remember_embedding(backbone: str, dtype: str, device: str, n_images: int, seconds: float) -> None:
    """Keeps how fast images were embedded, where there were enough of them."""
    if n_images >= _FEWEST_IMAGES:
        remember({embedding_key(backbone, dtype, device): seconds / n_images})


def remember_rows(rows: Iterable[Row]) -> None:
    """Keeps what rows that were made now say about speed."""
    from fewshot.results.asked import asked

    measured = {}
    for row in rows:
        if row.status == "ok" and row.n_episodes:
            key = solving_key(row, None if asked(row).from_file else row)
            measured[key] = row.seconds_solving / row.n_episodes
            if row.n_embedded >= _FEWEST_IMAGES:
                measured[embedding_key(row.backbone, row.dtype, row.device)] = row.seconds_embedding / row.n_embedded
    remember(measured)
