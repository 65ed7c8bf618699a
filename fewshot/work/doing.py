"""A task, done: every kind is a step of runs, features or pretraining."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from fewshot.datasets import LabelledImages
from fewshot.datasets._loading import load_images
from fewshot.features.settings import USUAL, EmbeddingSettings
from fewshot.files.regular import parsed_json
from fewshot.plugins.binding import WouldImportError
from fewshot.plugins.registry import BACKBONES
from fewshot.results.files import Results
from fewshot.results.own_files import own_name
from fewshot.runs.failures import error_sentence, failed_row, why_failed
from fewshot.runs.loading import load_backbone
from fewshot.runs.pipeline import run, solve_range
from fewshot.runs.spec_json import member_from_json, spec_from_json
from fewshot.runs.specs import RunSpec
from fewshot.runs.workbench import Workbench
from fewshot.work.ranges import from_runs
from fewshot.work.tasks import Task

_MOST_NETWORKS, _MOST_SETS = 2, 8  # in the memory of a worker
_log = logging.getLogger("fewshot")


@dataclass(frozen=True)
class Outcome:
    """How a task ended: "done", "failed" (with an error of its own) or "lost" (its workers died)."""

    status: str
    seconds: float = 0.0
    error: str = ""


def hindrance(needs: Iterable[Outcome]) -> Outcome | None:
    """The first of these outcomes that is no success: what depends on it fails with its error, without an attempt."""
    return next((need for need in needs if need.status != "done"), None)


@dataclass(frozen=True, eq=False)
class Bench:
    """What a worker does tasks with."""

    results: Results
    workbench: Workbench
    allow_import: bool = False  # of members of other packages, which tasks name

    def attempt(self, task: Task) -> Outcome:
        """Does a task. An error of its own is an outcome; only an interruption is raised.

        A run whose task failed gets its row with the error once, from the task that writes its row.
        """
        start = time.monotonic()
        try:
            _KINDS[task.kind](self, task.what)
        except (Exception, SystemExit) as error:  # code of a user may call sys.exit
            _log.debug("cannot %s", task.words, exc_info=error)
            return replace(self.fail(task, self._why(task, error)), seconds=time.monotonic() - start)
        return Outcome("done", time.monotonic() - start)

    def fail(self, task: Task, why: str, status: str = "failed") -> Outcome:
        """The outcome of a task that cannot be done; a run whose row it writes gets the row with this error."""
        if task.kind == "row" and not task.what.get("trial"):
            with contextlib.suppress(ValueError):  # a spec that is not readable has no row
                self.results.append(failed_row(self._spec(task.what), self.workbench, why))
        return Outcome(status, error=why)

    def _why(self, task: Task, error: BaseException) -> str:
        if "run" in task.what:
            with contextlib.suppress(ValueError):  # the spec itself is wrong
                return why_failed(self._spec(task.what), error)
        return error_sentence(error, map(str, task.what.values()))

    def _spec(self, what: Mapping[str, Any]) -> RunSpec:
        return spec_from_json(what["run"], self.allow_import)

    def _results(self, what: Mapping[str, Any]) -> Results:
        return self.results.trials if what["trial"] else self.results

    def train(self, what: Mapping[str, Any]) -> None:
        """Trains a network of `Pretrained`, unless it is trained."""
        from fewshot.pretraining.trainer import Trainer

        source = BACKBONES.spec(what["backbone"], self.allow_import).make()
        Trainer(self.workbench.images, self.workbench.device, self.workbench.progress).ready(source)

    def embed(self, what: Mapping[str, Any]) -> None:
        """Embeds rows of a data set, or of a view of it."""
        from fewshot.features.ranges import embed_range
        from fewshot.runs.resources import ResourceMeter

        images = self.images(what)
        backbone = self.workbench.backbone(member_from_json("backbone", what["backbone"], self.allow_import))
        rows, bench = from_runs(what["rows"], len(images)), self.workbench
        network = backbone.to(bench.device)
        costs = ResourceMeter(network.device).costs
        embed_range(images, network, rows, what["dtype"], bench.folder, bench.progress, bench.embedding, costs)

    def table(self, what: Mapping[str, Any]) -> None:
        """Nothing: the task ends when all ranges are there. The first run that opens the table moves them into it."""

    def images(self, what: Mapping[str, Any]) -> LabelledImages:
        """The images of a task that embeds: those of a data set, or of a view of it."""
        images = self.workbench.images(member_from_json("dataset", what["dataset"], self.allow_import))
        if not what["view"]:
            return images
        views = member_from_json("evaluator", what["evaluator"], self.allow_import).make().support_views()
        found: LabelledImages = views.of(images)[what["view"]]
        return found

    def words(self, what: Mapping[str, Any]) -> None:
        """Computes the vectors of the class names of a data set."""
        images = self.workbench.images(member_from_json("dataset", what["dataset"], self.allow_import))
        backbone = self.workbench.backbone(member_from_json("backbone", what["backbone"], self.allow_import))
        self.workbench.class_vectors(images, backbone.to(self.workbench.device).on(images))

    def solve(self, what: Mapping[str, Any]) -> None:
        """Stores the predictions of some episodes of a run."""
        solve_range(self._spec(what), self._results(what), self.workbench, what["start"], what["stop"])

    def row(self, what: Mapping[str, Any]) -> None:
        """Writes the row of a run, after solving what is missing."""
        run(self._spec(what), self._results(what), self.workbench)


_KINDS: Mapping[str, Callable[[Bench, Mapping[str, Any]], None]] = {
    "train": Bench.train,
    "embed": Bench.embed,
    "table": Bench.table,
    "words": Bench.words,
    "solve": Bench.solve,
    "row": Bench.row,
}


def check_imports(tasks: Iterable[Task]) -> None:
    """Raises a ValueError if a task names a member as package.module:Class. A task that cannot be read for another
    reason fails later, alone."""
    texts = {json.dumps(task.what.get("run", task.what), sort_keys=True) for task in tasks}
    for text in sorted(text for text in texts if re.search(r"\w:\w", text)):  # few are, and reading takes time
        _check_members(parsed_json(text))


def _check_members(what: Mapping[str, Any]) -> None:
    try:
        if "episodes" in what:
            spec_from_json(what)
            return
        for kind in ("dataset", "backbone", "evaluator"):
            if isinstance(what.get(kind), str):
                member_from_json(kind, what[kind], False)
    except WouldImportError:
        raise
    except ValueError:
        pass


def workbench(
    budget_bytes: int | None,
    device: str | None,
    progress: bool,
    embedding: EmbeddingSettings = USUAL,
    heads_device: str | None = None,
) -> Workbench:
    """The workbench of a worker, which keeps the last few networks and data sets: a grid has more than fit."""
    images, backbone = lru_cache(_MOST_SETS)(load_images), lru_cache(_MOST_NETWORKS)(load_backbone)
    return Workbench(
        budget_bytes,
        device,
        progress,
        embedding=embedding,
        heads_device=heads_device,
        images=images,
        backbone=backbone,
    )


def bench_at(results: Path, workbench: Workbench, allow_import: bool) -> Bench:
    """The bench of this process, which writes its rows to a file of its own."""
    return Bench(Results(results, own=own_name()), workbench, allow_import)
