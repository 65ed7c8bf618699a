"""What a worker of Dask does: a task and settings come as texts of JSON, an outcome goes back as one.

Features, predictions and rows are files on a folder that all workers share.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fewshot.features.settings import EmbeddingSettings
from fewshot.files.regular import parsed_json
from fewshot.runs.workbench import Workbench
from fewshot.work.doing import Bench, Outcome, bench_at, hindrance, workbench
from fewshot.work.tasks import Task


@dataclass(frozen=True)
class Settings:
    """What a worker needs to know besides its task."""

    results: str  # absolute
    folder: str  # the working folder of the plan: relative paths start there
    home: str  # $FEWSHOT_HOME of the command that plans; "" where it is not set
    budget_bytes: int | None = None
    device: str = ""
    allow_import: bool = False
    embedding: Mapping[str, Any] = field(default_factory=dict)  # the fields of EmbeddingSettings
    heads_device: str = ""

    @staticmethod
    def of(results: Path, bench: Workbench) -> Settings:
        """The settings for a results file. Workers may import what the suite of the user names."""
        return Settings(
            results=str(results.absolute()),
            folder=os.getcwd(),
            home=str(Path(home).absolute()) if (home := os.environ.get("FEWSHOT_HOME", "")) else "",
            budget_bytes=bench.budget_bytes,
            device=bench.device or "",
            allow_import=True,
            embedding=asdict(bench.embedding),
            heads_device=bench.heads_device or "",
        )

    def to_json(self) -> str:
        """The settings as a text."""
        return json.dumps(asdict(self), sort_keys=True)


def do(task: str, settings: str, *needs: str) -> str:
    """The outcome of a task, as JSON. It runs on a worker, after the tasks that it needs."""
    wanted, bench = Task.from_json(parsed_json(task)), bench_of(settings)
    cause = hindrance(Outcome(**parsed_json(need)) for need in needs)
    outcome = bench.attempt(wanted) if cause is None else bench.fail(wanted, cause.error, cause.status)
    return json.dumps(asdict(outcome))


@functools.lru_cache(maxsize=1)
def bench_of(settings: str) -> Bench:
    """The bench of this process: loaded images and networks stay."""
    given = Settings(**parsed_json(settings))
    if given.home:
        os.environ["FEWSHOT_HOME"] = given.home
    if Path(given.folder).is_dir():
        os.chdir(given.folder)
        if given.allow_import and "" not in sys.path:
            sys.path.append("")  # so that package.module:Class may lie in the working folder, as on the command line
    embedding = EmbeddingSettings(**given.embedding)
    bench = workbench(given.budget_bytes, given.device or None, False, embedding, given.heads_device or None)
    return bench_at(Path(given.results), bench, given.allow_import)
