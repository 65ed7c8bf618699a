"""The area under the ROC curve, each way against the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from fewshot.measures import EpisodeMeasure, EpisodeTally, Tally, Whole
from fewshot.measures._ranking import ranking
from fewshot.results.columns import Value
from fewshot.results.predictions import Predictions
from fewshot.statistics.interval import Floats

_NO_LOGITS = "logits were not kept: they would take more than 64 MiB"
_NO_ORDER = "no episode asks for a class and for others"


@dataclass(frozen=True)
class AUROC(EpisodeMeasure):
    """The area under the ROC curve of each class against the others, averaged; guessing reaches 50 %."""

    columns: ClassVar = {
        "auroc": "float | None",
        "auroc_low": "float | None",
        "auroc_high": "float | None",
        "ranking_reason": "str",  # why there is no AUROC and no average precision
    }
    title = "AUROC"
    unit = "%"
    better = "higher"
    reason = "ranking_reason"

    def of_episodes(self, predictions: Predictions) -> Floats | None:
        return None if predictions.logits is None else ranking(predictions)[0]

    def tally(self, n_units: int) -> Tally:
        return _WithReason(self)


class _WithReason(EpisodeTally):
    def values(self, whole: Whole) -> Mapping[str, Value]:
        no_logits = self.parts is None
        columns = super().values(whole)
        return {**columns, "ranking_reason": _NO_LOGITS if no_logits else "" if columns else _NO_ORDER}
