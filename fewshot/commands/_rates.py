"""The speeds measured on this machine, for the time estimates of a dry run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from fewshot.runs.rate_keys import embedding_key, solving_key

if TYPE_CHECKING:
    from fewshot.results.row import Row

__all__ = ["embedding_key", "rates", "remember", "remember_embedding", "remember_rows", "solving_key"]


def _path() -> Path:
    from fewshot.files.atomic import home

    return home() / "rates.json"


def rates() -> dict[str, float]:
    """Seconds per image and seconds per episode, by key; empty if there is no file or it is damaged."""
    from fewshot.files.regular import parsed_json, read_bytes

    try:
        content = parsed_json(read_bytes(_path()))
    except (OSError, ValueError):
        return {}
    items = content.items() if isinstance(content, dict) else ()
    return {key: rate for key, rate in items if isinstance(rate, int | float) and 0 < rate < float("inf")}


def remember(measured: dict[str, float]) -> None:
    """Stores rates; if the folder is not writable, only the estimates are lost."""
    from fewshot.files.atomic import write_atomically

    merged = rates() | {key: float(f"{seconds:.3g}") for key, seconds in measured.items()}
    if measured and merged != rates():
        try:
            write_atomically(_path(), json.dumps(merged, indent=1, sort_keys=True).encode())
        except OSError:
            return


def remember_embedding(backbone: str, dtype: str, device: str, n_images: int, seconds: float) -> None:
    """Stores an embedding speed, if it comes from enough images."""
    from fewshot.results.costs import FEWEST_IMAGES

    if n_images >= FEWEST_IMAGES:
        remember({embedding_key(backbone, dtype, device): seconds / n_images})


def remember_rows(rows: Iterable[Row]) -> None:
    """Stores the speeds in rows that this process computed."""
    from fewshot.results.costs import seconds_per_episode, seconds_per_image
    from fewshot.results.row_specs import specs_of

    measured = {}
    for row in rows:
        if row.status == "ok" and row.n_episodes:
            key = solving_key(row, None if specs_of(row).from_file else row)
            measured[key] = seconds_per_episode(row) or 0.0  # the estimate of a short run is not that of its start
            if (seconds := seconds_per_image(row)) is not None:
                measured[embedding_key(row.backbone, row.dtype, row.device)] = seconds
    remember(measured)
