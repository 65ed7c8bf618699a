"""Hyperparameters chosen before a run: the settings of a grid are tried on episodes of validation classes, or, as an
oracle, on the test episodes themselves, and the best one runs.

Every trial is a run of its own, with its row and predictions in the folder `<name>.trials/` beside the results, so a
choice that was interrupted goes on where it was. The row of the run says what was chosen, on what, from how many
settings and with how many labels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from fewshot.results.row import Row
from fewshot.results.selection_rule import Selection
from fewshot.runs.choice import Choice
from fewshot.runs.specs import PreparedRun, RunSpec, Sampled


def trials(spec: RunSpec) -> list[RunSpec]:
    """The runs that try out each setting."""
    rule = spec.selection
    assert rule is not None
    tried = replace(spec, selection=None, n_episodes=rule.n_episodes, protocol="")
    if not rule.is_oracle:
        assert isinstance(tried.episodes, Sampled)
        tried = replace(tried, classes="validation", episodes=replace(tried.episodes, seed=rule.seed))
    return [replace(tried, evaluator=setting) for setting in rule.settings(spec.evaluator)]


def choose(
    run: PreparedRun, prepare: Callable[[RunSpec], PreparedRun], score: Callable[[PreparedRun], Row | None]
) -> Choice | None:
    """The best setting for a run; None while a trial is not complete, because other processes solve parts of it."""
    rule = run.spec.selection
    assert rule is not None
    tried = [prepare(spec) for spec in trials(run.spec)]
    rows = [score(trial) for trial in tried]
    accuracies = [row.accuracy for row in rows if row is not None and row.accuracy is not None]
    if len(accuracies) < len(tried):
        return None
    best = int(np.argmax(accuracies))
    return Choice(tried[best].spec.evaluator, rule.on, len(tried), n_labels(tried[0], rule))


def n_labels(trial: PreparedRun, rule: Selection) -> int:
    """How many images' labels a choice reads: all of the trial's on validation classes; on the test episodes those of
    the queries, since the supports are the run's own."""
    ranges = [(0, trial.n_episodes)]
    if not rule.is_oracle:
        return int(trial.used(ranges).any(0).sum())
    return len(np.unique(np.concatenate([block.query for block in trial.blocks(ranges)])))
