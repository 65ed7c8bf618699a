"""Predictions bound to their row: only those that the row was computed from are handed on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from fewshot.episodes.digest import EpisodesDigest
from fewshot.results.parts import PredictionParts
from fewshot.results.predictions import Predictions, episode_accuracy
from fewshot.results.reading import SAME
from fewshot.results.row import Row

_DIGESTS = ("weights_digest", "preprocess_digest", "images_digest")  # in a row and in its parts


class NotOfRow(ValueError):
    """Predictions that do not give the numbers of their row."""


def bound(row: Row, parts: PredictionParts) -> Iterator[Predictions]:
    """The predictions of a row, part by part. A ValueError if they are missing, damaged or of another run; after the
    last part, `NotOfRow` if they do not give the accuracy and the episodes of the row."""
    sums = _Sums()
    digests = {name: value for name in _DIGESTS if (value := getattr(row, name))}
    yield from map(sums.with_part, parts.read(row.n_episodes, digests))  # map holds no part while the next is read
    if problem := sums.problem(row):
        raise NotOfRow(
            f"the predictions in {parts.folder} are not those of the row of the run {row.run_id}: {problem}; "
            "copy them again from the machine that ran it, or run the same command again"
        )


def difference(row: Row, parts: PredictionParts) -> str:
    """In words how whole predictions differ from the numbers of their row; "" if they do not, or if some are missing or
    damaged."""
    try:
        for _ in bound(row, parts):
            pass
    except NotOfRow as error:
        return str(error)
    except ValueError:
        return ""
    return ""


@dataclass(eq=False)
class _Sums:
    """The numbers of a row that predictions give."""

    total: float = 0.0
    n_episodes: int = 0
    digest: EpisodesDigest = field(default_factory=EpisodesDigest)

    def with_part(self, part: Predictions) -> Predictions:
        """The part, after adding it."""
        self.total += float(episode_accuracy(part).sum())
        self.n_episodes += len(part)
        self.digest.add(part.episodes)
        return part

    def problem(self, row: Row) -> str:
        """What differs from the row; "" if nothing does."""
        accuracy = self.total / max(1, self.n_episodes)
        if row.accuracy is not None and self.n_episodes and not math.isclose(accuracy, row.accuracy, abs_tol=SAME):
            return f"their accuracy is {accuracy:.6f}, that of the row {row.accuracy:.6f}"
        if row.episodes_digest and self.n_episodes and self.digest.value != row.episodes_digest:
            return "they are of other episodes"
        return ""
