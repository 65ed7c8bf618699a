"""A warning for heads that combine class names with the support: a few images may leave the names without a say."""

from __future__ import annotations

import functools
import logging

from torch import Tensor

from fewshot.episodes.episodes import EpisodeBatch
from fewshot.evaluators import FeatureEvaluator

_MOST = 10.0  # times the spread of the names
_log = logging.getLogger("fewshot")


def warn_of_silent_names(
    evaluator: FeatureEvaluator, batch: EpisodeBatch[Tensor], names: Tensor, support: Tensor, advice: str
) -> None:
    """Warns, once for each evaluator and number of shots, if the part of the logits [B, S, N] of the support rows that
    comes from the support spreads over the classes more than ten times as much as the part of the class names."""
    of_names, of_support = (_spread(part, batch.support_mask) for part in (names, support))
    if 0 < _MOST * of_names < of_support:
        shots = int(batch.support_mask.sum(1).min()) // batch.n_way
        _warn_once(repr(evaluator), f"{shots} shot{'' if shots == 1 else 's'}", of_support / of_names, advice)


def _spread(logits: Tensor, mask: Tensor) -> float:
    """The median over the rows of the standard deviation over the classes."""
    return float(logits.std(2, correction=0)[mask].median())


def _warn_once(evaluator: str, shots: str, ratio: float, advice: str) -> None:
    warned = _warned(evaluator, shots)
    if not warned:
        warned.append(True)
        _log.warning(
            "%s at %s hardly uses the class names: the logits of the support spread %.0f times as much; %s",
            *(evaluator, shots, ratio, advice),
        )


@functools.lru_cache(maxsize=256)
def _warned(evaluator: str, shots: str) -> list[bool]:
    """An empty list on the first call with these arguments, the same list on later calls."""
    return []
