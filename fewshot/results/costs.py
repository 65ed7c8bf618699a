"""The cost of a run for one image and for one episode, derived from the seconds and counts that its row holds."""

from __future__ import annotations

from typing import Any

from fewshot.plugins.wording import counted
from fewshot.results.row import Row

FEWEST_IMAGES = 64  # embedded by a run; fewer give no useful speed


def seconds_per_image(row: Row) -> float | None:
    """The seconds to embed one image; None if the run embedded few images or none, because others were cached."""
    return row.seconds_embedding / row.n_embedded if row.n_embedded >= FEWEST_IMAGES else None


def seconds_per_episode(row: Row) -> float | None:
    """The seconds to solve one episode, without embedding; None for a run without time or episodes."""
    return row.seconds_solving / row.n_episodes if row.seconds_solving > 0 and row.n_episodes else None


def machine(row: Row) -> str:
    """The machine that measured the seconds: "Linux x86_64 2 cores, 2 threads, cpu"; "" if the row does not say."""
    threads = counted(row.n_threads, "thread") if row.n_threads else ""
    return ", ".join(filter(None, [row.platform.partition(", Python")[0], threads, row.device]))


def derived_costs(row: Row) -> dict[str, Any]:
    """The costs that no row stores, under their names in JSON."""
    return {"seconds_per_image": seconds_per_image(row), "seconds_per_episode": seconds_per_episode(row)}
