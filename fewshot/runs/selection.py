"""Hyperparameters chosen before a run: the settings of a grid are tried on episodes of validation classes, or, as an
oracle, on the test episodes themselves, and the best one runs.

Every trial is a run of its own, with its row and predictions in the folder `<name>.trials/` beside the results, so a
choice that was interrupted goes on where it was. The row of the run says what was chosen, on what, from how many
settings and with how many labels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from fewshot.plugins.grids import Grid, combinations
from fewshot.plugins.registry import EVALUATORS

if TYPE_CHECKING:
    from fewshot.results.columns import Honesty
    from fewshot.results.row import Row
    from fewshot.runs.specs import RunSpec, Sampled, Task

ON = {"validation": "validation classes", "oracle": "test episodes (oracle)"}  # the rule, and the column `selection`


@dataclass(frozen=True)
class Selection:
    """How a run chooses hyperparameters of its evaluator: the setting of `grid` with the highest mean accuracy over
    `n_episodes` episodes, of equal ones the first.

    `on`: "validation", episodes of the run's shape and sampler on the validation classes of its split, drawn from
    `seed`; or "oracle", the run's own first episodes, whose query labels no honest method may read. `grid`: fields and
    values, such as `(("C", (0.1, 1.0)),)`, or a name of known values, `(("C", "dinov2"),)`.
    """

    on: str
    grid: Grid
    n_episodes: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        if self.on not in ON:
            raise ValueError(f"hyperparameters are chosen on one of {', '.join(ON)}. Got {self.on!r} instead.")
        if type(self.n_episodes) is not int or self.n_episodes < 1:
            raise ValueError(f"n_episodes of a selection must be an integer of at least 1, got {self.n_episodes!r}")
        if type(self.seed) is not int or not 0 <= self.seed < 1 << 64:
            raise ValueError(f"seed of a selection must be an integer in [0, 2^64), got {self.seed!r}")
        if self.on == "oracle" and self.seed:
            raise ValueError("an oracle chooses on the episodes of the run; leave the seed of the selection out")
        combinations(self.grid)
        object.__setattr__(self, "grid", _tuples(self.grid))

    def settings(self, evaluator: str) -> list[str]:
        """The canonical specs of an evaluator with each setting of the grid, in its order."""
        return [EVALUATORS.varied(evaluator, fields) for fields in combinations(self.grid)]

    def check(self, evaluator: str, classes: str, listed: bool) -> None:
        """Raises a ValueError where a run of this evaluator on these classes cannot choose so."""
        self.settings(evaluator)
        if self.on == "oracle":
            return
        if classes in ("validation", "all"):
            raise ValueError(
                f"hyperparameters are to be chosen on validation classes, but the episodes are of {classes} classes, "
                "which hold them; test on novel classes, or choose as an oracle and be called one"
            )
        if listed:
            raise ValueError(
                "episodes of a list have no shape to draw others of on validation classes; "
                "choose in a run with a sampler, and give its choice to this one"
            )

    def identity(self, evaluator: str) -> list[Any]:
        """What of this names a run."""
        settings = [EVALUATORS.identity(setting) for setting in self.settings(evaluator)]
        return [self.on, settings, self.n_episodes, self.seed]


@dataclass(frozen=True)
class Choice:
    """What was chosen for a run, and what that took."""

    evaluator: str
    on: str
    n_trials: int
    n_labels: int  # distinct labelled images beyond the supports of the run's episodes

    def added_to(self, inside: Honesty) -> Honesty:
        """The honesty of a run that made this choice; `inside` is that of the chosen evaluator, which may choose on
        supports too."""
        return replace(
            inside,
            selection=ON[self.on] + (f" and {inside.selection}" if inside.selection != "none" else ""),
            n_trials=self.n_trials * inside.n_trials,
            n_labels_selection=self.n_labels,
            chosen=self.evaluator,
        )


def trials(spec: RunSpec) -> list[RunSpec]:
    """The runs that try out each setting."""
    rule = spec.selection
    assert rule is not None
    tried = replace(spec, selection=None, n_episodes=rule.n_episodes, protocol="")
    if rule.on == "validation":
        tried = replace(tried, classes="validation", episodes=replace(cast("Sampled", tried.episodes), seed=rule.seed))
    return [replace(tried, evaluator=setting) for setting in rule.settings(spec.evaluator)]


def choose(task: Task, made: Callable[[RunSpec], Task], score: Callable[[Task], Row | None]) -> Choice | None:
    """The best setting for a run; None while a trial is not complete, because other processes solve parts of it."""
    rule = task.spec.selection
    assert rule is not None
    tried = [made(spec) for spec in trials(task.spec)]
    rows = [score(trial) for trial in tried]
    accuracies = [row.accuracy for row in rows if row is not None and row.accuracy is not None]
    if len(accuracies) < len(tried):
        return None
    best = int(np.argmax(accuracies))
    return Choice(tried[best].spec.evaluator, rule.on, len(tried), n_labels(tried[0], rule.on))


def n_labels(trial: Task, on: str) -> int:
    """How many images' labels a choice reads: all of the trial's on validation classes; on the test episodes those of
    the queries, since the supports are the run's own."""
    ranges = [(0, trial.n_episodes)]
    if on == "validation":
        return int(trial.used(ranges).any(0).sum())
    return len(np.unique(np.concatenate([block.query for block in trial.blocks(ranges)])))


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, tuple | list) else value
