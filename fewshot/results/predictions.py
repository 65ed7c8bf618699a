"""Predictions of an evaluator, their file, and their accuracy. Further measures: fewshot/measures/."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import Ints, take_runs
from fewshot.files.atomic import read_safetensors, write_safetensors
from fewshot.files.quoting import quoted
from fewshot.results.prediction_arrays import ANSWERS, EPISODES, check_arrays

FORMAT = "fewshot-predictions-1"
_KEPT_LOGITS_BYTES = 128 << 20  # per run


@dataclass(frozen=True, eq=False)
class Predictions:
    """An evaluator's predictions for the queries of some episodes; flat, in the order of `episodes.query`."""

    episodes: Episodes
    predicted: NDArray[np.uint16]  # [sum M] way in [0, N)
    confidence: NDArray[np.float16]  # [sum M] probability of the predicted way, in [0, 1]
    log_probability: NDArray[np.float16]  # [sum M] natural logarithm of the true way's probability, at most 0
    converged: NDArray[np.bool_]  # [E] False where an iterative evaluator stopped early
    logits: NDArray[np.float16 | np.float32] | None = None  # [sum of M * N]; float16 in older files; None if large
    setting: NDArray[np.uint16] | None = None  # [E] the place in its grid of what an episode chose; None without a grid

    def __len__(self) -> int:
        return len(self.episodes)

    def __getitem__(self, part: slice) -> Predictions:
        """These episodes, without a copy."""
        start, stop, _ = part.indices(len(self))
        queries, logits = (
            slice(of[start], of[max(start, stop)]) for of in (self.episodes.query_start, self._logits_start)
        )
        return Predictions(
            self.episodes[part],
            self.predicted[queries],
            self.confidence[queries],
            self.log_probability[queries],
            self.converged[part],
            None if self.logits is None else self.logits[logits],
            None if self.setting is None else self.setting[part],
        )

    @property
    def _logits_start(self) -> Ints:
        """[E + 1] the first position of each episode in the logits."""
        return np.concatenate([[0], np.cumsum(np.diff(self.episodes.query_start) * self.episodes.n_way)])

    def take(self, order: Ints) -> Predictions:
        """The predictions of the episodes at these positions, in this order."""
        start = self.episodes.query_start
        flat = {
            name: take_runs(getattr(self, name), start, order)
            for name in ("predicted", "confidence", "log_probability")
        }
        logits = None if self.logits is None else take_runs(self.logits, self._logits_start, order)
        setting, converged = None if self.setting is None else self.setting[order], self.converged[order]
        return Predictions(self.episodes.take(order), **flat, converged=converged, logits=logits, setting=setting)

    def save(self, path: Path, provenance: dict[str, str]) -> None:
        """Writes a .safetensors file, whole or not at all, with `provenance` as text."""
        arrays: dict[str, NDArray[Any]] = {EPISODES + k: v for k, v in self.episodes.arrays().items()}
        arrays.update({name: getattr(self, name) for name in ANSWERS if getattr(self, name) is not None})
        about = {"format": FORMAT, "images_digest": self.episodes.images_digest, "seed": str(self.episodes.seed)}
        write_safetensors(path, arrays, about | provenance)

    @staticmethod
    def load(path: Path) -> tuple[Predictions, dict[str, str]]:
        """Predictions and provenance of a file that `save` wrote; a ValueError for any other file, and for arrays that
        are not predictions."""
        arrays, about = read_safetensors(path, "predictions")
        if about.get("format") != FORMAT:
            raise ValueError(
                f"{path} does not hold predictions of format {FORMAT}; found {quoted(about.get('format'))}"
            )
        images_digest, seed = about.get("images_digest"), str(about.get("seed"))
        try:
            check_arrays(arrays)
            if not isinstance(images_digest, str) or not seed.removeprefix("-").isdecimal():
                raise ValueError("it does not name its images and its seed")
        except ValueError as error:
            raise ValueError(f"{path} does not hold predictions of fewshot: {error}") from error
        listed = {name.removeprefix(EPISODES): array for name, array in arrays.items() if name not in ANSWERS}
        episodes = Episodes(**listed, images_digest=images_digest, seed=int(seed))
        return Predictions(episodes, **{name: array for name, array in arrays.items() if name in ANSWERS}), about

    @staticmethod
    def concatenate(parts: list[Predictions]) -> Predictions:
        """All parts, in order."""
        whole = Episodes.concatenate([part.episodes for part in parts])
        joined: dict[str, Any] = {}  # arrays, or None where a part has none
        for name in ANSWERS:
            arrays = [array for part in parts if (array := getattr(part, name)) is not None]
            joined[name] = np.concatenate(arrays) if len(arrays) == len(parts) else None
        return replace(parts[0], episodes=whole, **joined)


def keeps_logits(some: Episodes, n_episodes: int) -> bool:
    """Whether the logits of a run of `n_episodes` like these are small enough to be kept."""
    return bool(len(some.query) / len(some) * int(some.n_way.max()) * 4 * n_episodes <= _KEPT_LOGITS_BYTES)


def episode_accuracy(predictions: Predictions) -> NDArray[np.float64]:
    """[E] the fraction of right answers in each episode; NaN for an episode without queries."""
    correct = predictions.predicted == predictions.episodes.query_labels
    return means(correct, predictions.episodes.query_start)


def means(values: NDArray[Any], start: Ints) -> NDArray[np.float64]:
    """[E] the mean of values[start[e] : start[e + 1]], NaN for an empty range. Each range is summed by itself, so its
    neighbours change no bit."""
    counts = np.diff(start)
    total = np.bincount(np.repeat(np.arange(len(counts)), counts), values, len(counts))
    with np.errstate(invalid="ignore"):
        return np.asarray(total / counts, dtype=np.float64)
