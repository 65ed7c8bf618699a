"""What was chosen for a run before it started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fewshot.plugins.spec import Spec
from fewshot.results.selection_rule import chosen_on


@dataclass(frozen=True)
class Choice:
    """What was chosen for a run, and what that took."""

    evaluator: Spec
    on: str
    n_trials: int
    n_labels: int  # distinct labelled images beyond the supports of the run's episodes

    def columns(self, made_with: Mapping[str, Any]) -> dict[str, Any]:
        """The columns of a row; `made_with` are those of the chosen evaluator, which may choose on supports too."""
        return {
            "selection": chosen_on(self.on, made_with["selection"]),
            "n_trials": self.n_trials * made_with["n_trials"],
            "n_labels_selection": self.n_labels,
            "chosen": self.evaluator.text,
        }
