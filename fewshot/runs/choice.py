"""The choice of hyperparameters before a run."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fewshot.plugins.spec import Spec
from fewshot.results.columns import Honesty
from fewshot.results.selection_rule import chosen_on


@dataclass(frozen=True)
class Choice:
    """The chosen evaluator of a run, and the cost of the choice."""

    evaluator: Spec
    on: str
    n_trials: int
    n_labels: int  # distinct labelled images beyond the supports of the run's episodes
    trial_accuracies: str = ""  # JSON: accuracy, low, high of each setting, in the order of the grid

    def added_to(self, inside: Honesty) -> Honesty:
        """The honesty columns of a run with this choice; `inside` are those of the chosen evaluator, which may choose
        on supports too."""
        return replace(
            inside,
            selection=chosen_on(self.on, inside.selection),
            n_trials=self.n_trials * inside.n_trials,
            n_labels_selection=self.n_labels,
            chosen=self.evaluator.text,
            trial_accuracies=self.trial_accuracies,
        )
