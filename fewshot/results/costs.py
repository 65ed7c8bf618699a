"""The cost of a run for one image and for one episode, from the seconds and counts that its row holds."""

from __future__ import annotations

from typing import Any

from fewshot.plugins.wording import counted
from fewshot.results.row import Row

FEWEST_IMAGES = 64  # embedded by a run; fewer give no useful speed


def seconds_per_image(row: Row) -> float | None:
    """The seconds to embed one image; None if the run embedded few images or none, because others were cached."""
    return row.seconds_embedding / row.n_embedded if row.n_embedded >= FEWEST_IMAGES else None


def seconds_per_episode(row: Row) -> float | None:
    """The seconds to solve one episode, without embedding; None for a run without time or episodes. Those of older
    releases include the start of the process."""
    if row.seconds_per_episode is not None:
        return row.seconds_per_episode
    return row.seconds_solving / row.n_episodes if row.seconds_solving > 0 and row.n_episodes else None


def machine(row: Row) -> str:
    """The machine that measured the seconds: "Linux x86_64 2 cores, AMD EPYC 7B13, 2 threads, cpu"; "" if the row does
    not say. Rows of older releases name no processor and no GPU."""
    threads = counted(row.n_threads, "thread") if row.n_threads else ""
    device = f"{row.device} ({row.gpu})" if row.gpu else row.device
    return ", ".join(filter(None, [row.platform.partition(", Python")[0], row.processor, threads, device]))


def includes_start(row: Row) -> bool:
    """Whether its seconds per episode include the start of the process, as those of older releases do."""
    return row.seconds_per_episode is None and seconds_per_episode(row) is not None


def derived_costs(row: Row) -> dict[str, Any]:
    """The costs under their names in JSON; no row stores the first, and older rows lack the second."""
    return {"seconds_per_image": seconds_per_image(row), "seconds_per_episode": seconds_per_episode(row)}
