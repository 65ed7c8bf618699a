"""Selection: hyperparameters chosen before a run, on episodes of validation classes or (oracle) on the test episodes.

Every setting of the grid is a trial, and the best one runs. A trial is an ordinary run, with its row and predictions in
the folder `<name>.trials/` beside the results, so an interrupted choice resumes. The row of the run holds the choice,
its data, the number of settings and the number of labels.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from fewshot.results.row import Row
from fewshot.results.selection_rule import Selection
from fewshot.runs.choice import Choice
from fewshot.runs.prepared import PreparedRun
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.runs.turns import in_turns


def trials(spec: RunSpec) -> list[RunSpec]:
    """The trials of a run: one run per setting."""
    rule = spec.selection
    assert rule is not None
    trial = replace(spec, selection=None, n_episodes=rule.n_episodes, protocol="", benchmark_set="")
    if not rule.is_oracle:
        episodes = trial.episodes
        assert isinstance(episodes, Sampled)
        if rule.on == "images":
            trial = replace(trial, episodes=replace(episodes, sampler=episodes.sampler.make().for_choice()))
        else:
            trial = replace(trial, classes="validation", episodes=replace(episodes, seed=rule.seed))
    return [replace(trial, evaluator=setting) for setting in rule.settings(spec.evaluator)]


def choose(
    run: PreparedRun,
    prepare: Callable[[RunSpec], PreparedRun],
    score: Callable[[PreparedRun, bool], Row | None],
    wait: bool = True,
) -> Choice | None:
    """The best setting for a run; None while a trial is incomplete, because other processes solve its other shards. A
    trial that another process computes comes last; without `wait`, Busy if nothing else is left."""
    rule = run.spec.selection
    assert rule is not None
    candidates = [prepare(spec) for spec in trials(run.spec)]
    rows_of = {trial.run_id: row for trial, row in in_turns(candidates, score, wait)}
    of_trials = [rows_of[trial.run_id] for trial in candidates]
    rows = [row for row in of_trials if row is not None and row.accuracy is not None]
    if len(rows) < len(candidates):
        return None
    best = int(np.argmax([row.accuracy or 0.0 for row in rows]))
    tried = json.dumps([[row.accuracy, row.accuracy_low, row.accuracy_high] for row in rows])
    labels = n_labels(candidates[0], run, rule)
    return Choice(candidates[best].spec.evaluator, rule.on, len(candidates), labels, tried)


def n_labels(trial: PreparedRun, run: PreparedRun, rule: Selection) -> int:
    """The number of labelled images that a choice uses: all images of a trial on validation classes; of validation
    images those that no support of the run holds; on the test episodes only the queries, because the run itself uses
    the supports."""
    ranges = [(0, trial.n_episodes)]
    if rule.on == "images":
        return int((trial.used(ranges).any(0) & ~run.used([(0, run.n_episodes)])[0]).sum())
    if not rule.is_oracle:
        return int(trial.used(ranges).any(0).sum())
    return len(np.unique(np.concatenate([block.query for block in trial.blocks(ranges)])))
