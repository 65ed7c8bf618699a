"""A warning for heads that combine class names with the support: a few images may leave the names without a say."""

from __future__ import annotations

from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import FeatureEvaluator
from fewshot.evaluators._warned_once import warn_once

_MOST = 10.0  # times the spread of the names
_COMPARED = 1 << 20  # logits: the first rows of a large support speak for all


def warn_of_silent_names(
    evaluator: FeatureEvaluator, batch: EpisodeBatch[Tensor], names: Tensor, support: Tensor, advice: str
) -> None:
    """Warns, once for each evaluator and number of shots, if the part of the logits [B, S, N] of support rows that
    comes from the support spreads over the classes more than ten times as much as the part of the class names."""
    of_names, of_support = (_spread(part, batch.support_mask[:, : part.shape[1]]) for part in (names, support))
    if 0 < _MOST * of_names < of_support:
        ratio = f"the logits of the support spread {of_support / of_names:.0f} times as much; {advice}"
        warn_once(evaluator, batch.support_mask, batch.n_way, f"hardly uses the class names: {ratio}")


def compared_rows(batch: EpisodeBatch[Tensor]) -> int:
    """How many rows of each support `warn_of_silent_names` needs, so that memory stays bounded with many ways."""
    return max(1, _COMPARED // (len(batch.support) * batch.n_way))


def _spread(logits: Tensor, mask: Tensor) -> float:
    """The median over the rows of the standard deviation over the classes."""
    return float(logits.std(2, correction=0)[mask].median())
