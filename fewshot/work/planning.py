"""Runs to tasks: what has to be trained, embedded and solved for some runs, each thing once.

The tasks follow from the data and the method alone, so they have the same names for any number of workers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.plugins.spec import Spec
from fewshot.pretraining.planning import PlannedTraining, planned_trainings
from fewshot.pretraining.trainer import Trainer
from fewshot.results.files import Results
from fewshot.runs.needs import Embedding, Needs
from fewshot.runs.prepared import PreparedRun
from fewshot.runs.rate_keys import embedding_key, solving_key
from fewshot.runs.selection import trials
from fewshot.runs.spec_json import spec_to_json, text_of
from fewshot.runs.specs import RunSpec
from fewshot.runs.workbench import Workbench
from fewshot.work.ranges import divided, to_runs
from fewshot.work.tasks import Task

_IMAGES_OF_FEATURES = 1 << 18  # of the episodes of a task, for evaluators of features
_IMAGES_OF_TUNING = 1 << 10  # the same for evaluators that tune a network on them


def plan(specs: Iterable[RunSpec], results: Results, bench: Workbench) -> list[Task]:
    """The tasks of all runs without a row, in an order in which one process could do them.

    A run whose data side fails is a task of its own, which writes its row with the error. A spec that no other process
    can read is a ValueError. This loads data sets, but no network.
    """
    planning = _Planning(results, bench)
    for spec in specs:
        planning.add(spec, results)
    return planning.tasks()


def episodes_per_task(images_of_an_episode: int, tunes_a_network: bool) -> int:
    """The episodes of a run that one task solves."""
    budget = _IMAGES_OF_TUNING if tunes_a_network else _IMAGES_OF_FEATURES
    return max(1, budget // max(1, images_of_an_episode))


@dataclass(eq=False)
class _Table:
    """The rows of a data set that a backbone has to embed for some runs."""

    what: dict[str, Any]
    subject: str
    rate: str
    needs: tuple[str, ...]
    used: NDArray[np.bool_]

    def tasks(self) -> list[Task]:
        """A task for each range of the rows to embed. The last one stands for all: runs need it alone."""
        ranges = divided(np.flatnonzero(self.used))
        parts = [
            Task(
                "embed",
                {**self.what, "rows": to_runs(rows)},
                self.needs,
                len(rows),
                f"part {number} of {len(ranges)} of {self.subject}",
                self.rate,
            )
            for number, rows in enumerate(ranges, 1)
        ]
        names = tuple(task.name for task in parts)
        whole = Task("table", {**self.what, "ranges": list(names)}, names, len(parts), self.subject)
        return [*parts, whole] if len(parts) > 1 else parts


@dataclass(eq=False)
class _Run:
    """A run, and what its episodes need."""

    spec: RunSpec
    what: dict[str, Any]
    prepared: PreparedRun
    n_done: int  # episodes of an earlier row
    tables: list[_Table]
    needs: tuple[str, ...]  # trainings, class names and rows of trials
    tunes_a_network: bool


@dataclass(eq=False)
class _Planning:
    """A plan while runs are added."""

    results: Results
    bench: Workbench
    runs: dict[str, _Run | Task] = field(default_factory=dict)  # by the name of the task that writes the row
    trainings: dict[str, Task] = field(default_factory=dict)
    words: dict[str, Task] = field(default_factory=dict)
    tables: dict[tuple[str, ...], _Table] = field(default_factory=dict)

    def add(self, spec: RunSpec, results: Results) -> str | None:
        """The name of the task that writes the row of a run, after adding the run; None for a finished run without
        damaged predictions."""
        what = {"run": spec_to_json(spec), "trial": results.path != self.results.path}
        row = Task("row", what, subject=_subject(spec))
        if row.name in self.runs:
            return row.name
        try:
            prepared = self.bench.prepare(spec)
            done = results.row(prepared.run_id)
            if done is not None and done.n_episodes >= prepared.n_episodes:
                if not results.fault(done):
                    return None
                done = None  # its predictions are damaged: the tasks solve again what is wrong
            self.runs[row.name] = self._run(spec, what, prepared, 0 if done is None else done.n_episodes)
        except (ValueError, OSError):
            self.runs[row.name] = row  # writes its error
        return row.name

    def _run(self, spec: RunSpec, what: dict[str, Any], prepared: PreparedRun, n_done: int) -> _Run:
        needs = prepared.needs([(0, prepared.n_episodes)])
        tried = [self.add(trial, self.results.trials) for trial in (trials(spec) if spec.selection else ())]
        trained = self._trained(spec.backbone)
        needed = [*trained, *(self._words(spec, trained) if prepared.prompts is not None else ()), *filter(None, tried)]
        tables = self._tables(spec, prepared, needs, trained)
        return _Run(spec, what, prepared, n_done, tables, tuple(needed), needs.tunes_a_network)

    def _tables(self, spec: RunSpec, run: PreparedRun, needs: Needs, trained: tuple[str, ...]) -> list[_Table]:
        if run.images.vectors is not None or spec.backbone.declares("stands_for_vectors"):
            return []
        tables = []
        for each in needs.embeddings():
            tables.append(self._table(spec, each, text_of(run.evaluator) if each.view else None, trained))
            tables[-1].used[each.rows] = True
        return tables

    def _table(self, spec: RunSpec, of: Embedding, viewer: str | None, trained: tuple[str, ...]) -> _Table:
        """The table of some images, or of a view that the evaluator `viewer` makes of them; runs share it."""
        what = {"dataset": text_of(spec.dataset), "backbone": text_of(spec.backbone), "dtype": spec.dtype}
        key = (*map(str, what.values()), of.images.images_digest)
        if key not in self.tables:
            view = f", {of.view}" if of.view else ""
            words = f"{spec.dataset.short_name}{view} by {spec.backbone.short_name}"
            rate = embedding_key(spec.backbone.text, spec.dtype, device_kind(self.bench))
            used = np.zeros(len(of.images), np.bool_)
            whole = {**what, "view": of.view, "evaluator": viewer}
            self.tables[key] = _Table(whole, words, rate, trained, used)
        return self.tables[key]

    def _trained(self, backbone: Spec) -> tuple[str, ...]:
        """The trainings of a backbone that are missing, after adding them."""
        source = backbone.make()
        if not source.to_train():
            return ()
        planned = planned_trainings([source], Trainer(self.bench.images, self.bench.device))
        return tuple(map(self._training, planned))

    def _training(self, training: PlannedTraining) -> str:
        """The name of the task of a training, after adding it and those before it."""
        from fewshot.plugins.registry import BACKBONES

        text = training.spec
        if text not in self.trainings:
            source = BACKBONES.spec(text)
            before = planned_trainings([source.make()], Trainer(self.bench.images, self.bench.device))
            needs = tuple(self._training(each) for each in before if each.spec != text)
            subject = f"{source.short_name}, {training.n_images:,} images"
            what, rate = {"backbone": text}, training.rate_key
            self.trainings[text] = Task("train", what, needs, training.n_steps, subject, rate)
        return self.trainings[text].name

    def _words(self, spec: RunSpec, trained: tuple[str, ...]) -> tuple[str, ...]:
        what = {"dataset": text_of(spec.dataset), "backbone": text_of(spec.backbone)}
        subject = f"of {spec.dataset.short_name} by {spec.backbone.short_name}"
        task = Task("words", what, trained, len(self.bench.images(spec.dataset).class_names), subject)
        return (self.words.setdefault(task.name, task).name,)

    def tasks(self) -> list[Task]:
        """All tasks, each after those that it needs; those that a run needs stand before it, unless an earlier run
        needed them."""
        ranges = {id(table): table.tasks() for table in self.tables.values()}
        tasks: list[Task] = []
        for name, run in self.runs.items():
            tasks += [run] if isinstance(run, Task) else _tasks(name, run, ranges)
        return _in_order(tasks, [*self.trainings.values(), *self.words.values()])


def _tasks(name: str, run: _Run, ranges: dict[int, list[Task]]) -> list[Task]:
    """The tasks that embed for a run, those that solve it, and the one that writes its row."""
    embeds = [task for table in run.tables for task in ranges[id(table)]]
    needs = (*run.needs, *dict.fromkeys(ranges[id(table)][-1].name for table in run.tables if ranges[id(table)]))
    first = run.prepared.episodes(0, 1)
    size = episodes_per_task(first.support.size + first.query.size, run.tunes_a_network)
    subject, total = _subject(run.spec), run.prepared.n_episodes
    solves = [
        Task(
            "solve",
            {**run.what, "start": start, "stop": min(start + size, total)},
            needs,
            min(start + size, total) - max(start, run.n_done),
            f"episodes {start:,} to {min(start + size, total) - 1:,} of {subject}",
            solving_key(run.spec, getattr(run.spec.episodes, "shape", None)),
        )
        for start in range(run.n_done // size * size, total, size)
    ]
    row = Task("row", run.what, tuple(task.name for task in solves), subject=subject)
    assert row.name == name
    return [*embeds, *solves, row]


def _in_order(tasks: list[Task], shared: list[Task]) -> list[Task]:
    """The tasks, each once and after those that it needs, which may be among the shared ones."""
    known = {task.name: task for task in [*shared, *tasks]}
    ordered: dict[str, Task] = {}

    def add(task: Task) -> None:
        if task.name not in ordered:
            for need in task.needs:
                add(known[need])
            ordered[task.name] = task

    for task in tasks:
        add(task)
    return list(ordered.values())


def device_kind(bench: Workbench) -> str:
    """The kind of device on which networks run, such as "cuda"."""
    import torch

    return (bench.device or ("cuda" if torch.cuda.is_available() else "cpu")).partition(":")[0]


def _subject(spec: RunSpec) -> str:
    shape = getattr(spec.episodes, "shape", None)
    ways = "" if shape is None else f", {_size(shape.n_way)}-way {_size(shape.k_shot)}-shot"
    data = spec.benchmark_set or spec.dataset.short_name
    return f"{spec.backbone.short_name}, {spec.evaluator.short_name}, {data}{ways}"


def _size(count: int | None) -> str:
    return "all" if count is None else str(count)
