"""The digest of episodes: the same on every machine, and the same for the parts as for the whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from fewshot.episodes.arrays import ARRAY_TYPES, FORMAT, EpisodeArrays


class EpisodesDigest:
    """The digest of episodes that are added part by part."""

    def __init__(self) -> None:
        self._shas = {name: hashlib.sha256() for name in ARRAY_TYPES}
        self._made_from: set[str] = set()  # the seed is of the episodes: evaluators draw from it

    def add(self, part: EpisodeArrays) -> None:
        """Adds the episodes that follow."""
        self._made_from.add(f"{part.images_digest} {part.seed}")
        for name, array in part.arrays().items():
            self._shas[name].update(array.tobytes())

    @property
    def value(self) -> str:
        """sha256 hex of all parts together."""
        whole = " ".join([FORMAT, *sorted(self._made_from), *(sha.hexdigest() for sha in self._shas.values())])
        return hashlib.sha256(whole.encode()).hexdigest()


def episodes_digest(parts: Iterable[EpisodeArrays]) -> str:
    """The digest of all parts together; one part is in memory at a time."""
    digest = EpisodesDigest()
    for part in parts:
        digest.add(part)
    return digest.value
