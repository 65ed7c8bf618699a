"""Batches of episodes that are halved until they fit in memory. The predictions stay the same: no episode depends on
the others of its batch, and no query on the others of its chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fewshot.episodes.episodes import Episodes
from fewshot.features.out_of_memory import is_out_of_memory, release, too_large, warn_of_halving
from fewshot.results.predictions import Predictions

Work = Callable[[Episodes, int], Predictions]  # of a batch of episodes, with a chunk of queries at a time


class WithinMemory:
    """Remembers the largest sizes that fit, so that each is found once."""

    def __init__(self) -> None:
        self._episodes: int | None = None
        self._queries: int | None = None

    def solved(self, episodes: Episodes, chunk: int, work: Work) -> Iterator[Predictions]:
        """The predictions of all episodes, in order, in one part or in several."""
        start = 0
        while start < len(episodes):
            size = min(len(episodes) - start, self._episodes or len(episodes))
            part = _attempt(work, episodes[start : start + size], min(chunk, self._queries or chunk))
            if part is None:
                self._halve(size, min(chunk, self._queries or chunk))
                continue
            start += size
            yield part

    def _halve(self, n_episodes: int, chunk: int) -> None:
        """Halves the episodes of a batch; then, if it is one episode, the queries of a chunk."""
        release()
        if n_episodes > 1:
            warn_of_halving("episodes", n_episodes, n_episodes // 2)
            self._episodes = n_episodes // 2
        elif chunk > 1:
            warn_of_halving("queries", chunk, chunk // 2)
            self._queries = chunk // 2
        else:
            raise too_large("episodes")


def _attempt(work: Work, episodes: Episodes, chunk: int) -> Predictions | None:
    """The predictions; None if memory ran out."""
    try:
        return work(episodes, chunk)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
    return None
