"""The pace of a solver: seconds per episode without the start of a process.

The first batch of an evaluator in a process loads compiled loops and starts threads. That takes up to a second, as long
as hundreds of episodes of a fast head, and only the first run with this evaluator pays for it. So the first batches do
not count: those that end within the first half of the episodes, at most `_MOST_EARLY` of them. A run of one episode
solves it twice if it is quick and the first with this evaluator in the process, and counts the second time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from fewshot.episodes.episodes import Episodes
from fewshot.results.predictions import Predictions

STEADY, N_STEADY = "seconds_steady", "n_steady"  # in the metadata of a part
_MOST_EARLY = 100  # episodes
_QUICK = 3.0  # seconds; the start matters little for what takes longer
_started: set[str] = set()  # the evaluators that this process has called


class Pace:
    """Notes the seconds of the batches that solve the `n_episodes` of a run, and shows their progress by `advance`."""

    def __init__(
        self,
        evaluator: str,
        n_episodes: int,
        advance: Callable[[int], Any],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shown, self._clock, self._since = advance, clock, clock()
        self._n_early, self._n_done = min(n_episodes // 2, _MOST_EARLY), 0
        self._repeats = n_episodes == 1 and evaluator not in _started
        self._steady, self._n_steady = 0.0, 0
        self._together, self._n_together, self._lanes = 0.0, 0, 1
        _started.add(evaluator)

    def solved(
        self,
        solve: Callable[..., Predictions],
        lanes: int,
        episodes: Episodes,
        finished: list[Predictions] | None = None,
    ) -> Predictions:
        """The predictions of solve(episodes, advance=..., finished=...), which calls `advance` after each batch; so
        many `lanes` work side by side, and only the time of as many episodes together means something."""
        self._since, self._lanes = self._clock(), lanes
        predictions = solve(episodes, advance=self._advance, finished=finished)
        self._count()
        if self._repeats and self._steady < _QUICK:
            del predictions  # frees its memory before it is needed again
            self._forget()
            self._since = self._clock()
            predictions = solve(episodes, advance=self._note)
            self._count()
        return predictions

    def costs(self) -> dict[str, str]:
        """The seconds and episodes that count and are new since the last call, for the metadata of a part."""
        texts = {STEADY: f"{self._steady:.6f}", N_STEADY: str(self._n_steady)} if self._n_steady else {}
        self._forget()
        return texts

    @property
    def seconds_per_episode(self) -> float | None:
        """The pace since the last call of `costs`."""
        return seconds_per_episode(self._steady, self._n_steady)

    def _advance(self, n_episodes: int) -> None:
        self._note(n_episodes)
        self._shown(n_episodes)

    def _note(self, n_episodes: int) -> None:
        now = self._clock()
        self._together += now - self._since
        self._n_together += n_episodes
        self._since = now
        if self._n_together >= self._lanes:
            self._count()

    def _count(self) -> None:
        """Adds what was solved together, unless it is early."""
        self._n_done += self._n_together
        if self._n_done > self._n_early:
            self._steady += self._together
            self._n_steady += self._n_together
        self._together, self._n_together = 0.0, 0

    def _forget(self) -> None:
        self._steady, self._n_steady = 0.0, 0


def seconds_per_episode(steady: float | None, n_steady: float | None) -> float | None:
    """The pace with four digits; None if no episode counts, as in older parts."""
    return float(f"{steady / n_steady:.4g}") if steady is not None and n_steady else None
