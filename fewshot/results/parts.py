"""The predictions of a run on disk, in parts: what a killed run wrote is kept and continued."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fewshot.files.atomic import read_metadata
from fewshot.results.predictions import Predictions

_log = logging.getLogger("fewshot")


@dataclass(frozen=True)
class PredictionParts:
    """Predictions of a run in parts [start, stop) of its episodes. What a killed run wrote is kept and continued."""

    folder: Path

    def missing(self, start: int, stop: int, provenance: Mapping[str, str]) -> list[tuple[int, int]]:
        """The ranges of episodes in [start, stop) that are not stored. Parts made from other weights or images, and
        damaged ones, are removed with a message: those episodes run again."""
        gaps, reached = [], start
        for path, (first, last) in self._ranges.items():
            problem = self._problem(path, provenance)
            if problem:
                _log.warning("%s %s; its episodes run again", path, problem)
                path.unlink(missing_ok=True)  # another process may have been faster
            elif last > reached:
                gaps.append((reached, min(first, stop)))
                reached = last
        return [(low, high) for low, high in [*gaps, (reached, stop)] if low < high]

    def _problem(self, path: Path, provenance: Mapping[str, str]) -> str | None:
        try:
            _, about = Predictions.load(path)
        except ValueError as error:
            return f"is damaged ({error})"
        wrong = [k for k, v in provenance.items() if about.get(k) != v]
        return f"was made with another {' and '.join(wrong)}" if wrong else None

    def write(self, predictions: Predictions, provenance: Mapping[str, str]) -> None:
        """Stores a part; it is whole or absent."""
        start = int(predictions.episodes.index[0])
        predictions.save(self.folder / f"{start:09d}-{start + len(predictions):09d}.safetensors", dict(provenance))

    def read(self, n_episodes: int) -> Iterator[Predictions]:
        """The first `n_episodes` episodes, part by part; a ValueError where some are missing."""
        reached = 0
        for path, (start, stop) in self._ranges.items():
            if start > reached:
                break
            if stop > reached and reached < n_episodes:
                kept = slice(reached - start, n_episodes - start)
                yield Predictions.load(path)[0][kept]  # without a name here: the next part takes its room
                reached = stop
        if reached < n_episodes:
            raise ValueError(
                f"{self.folder} holds predictions up to episode {reached}, but {n_episodes} are needed; "
                "run the same command again"
            )

    def cost(self, name: str) -> float:
        """The sum over all parts of a cost that they were written with, such as "seconds_solving"."""
        abouts = (read_metadata(path, "predictions") for path in self._ranges)
        return round(sum(float(about.get(name, 0)) for about in abouts), 3)

    @property
    def _ranges(self) -> dict[Path, tuple[int, int]]:
        found = {}
        for path in sorted(self.folder.glob("*.safetensors")):
            match = re.fullmatch(r"(\d{9})-(\d{9})\.safetensors", path.name)
            if match:
                found[path] = int(match[1]), int(match[2])
        return found
