"""Which features of a plan are stored already; nothing is computed, downloaded or written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from fewshot.files.atomic import home
from fewshot.runs.spec_json import member_from_json
from fewshot.work.doing import Bench
from fewshot.work.planning import from_runs
from fewshot.work.tasks import Task


def stored_images(tasks: Sequence[Task], bench: Bench) -> dict[str, int]:
    """The number of images whose features are stored, by the name of the task that would embed them. This loads
    networks that need no download; a task that nobody can read here has none."""
    found = {}
    for task in tasks:
        if task.kind == "embed":
            with suppress(ValueError, OSError):
                found[task.name] = _n_stored(task.what, bench)
    return found


def _n_stored(what: Mapping[str, Any], bench: Bench) -> int:
    from fewshot.features.files import FeatureFiles
    from fewshot.features.ranges import RangeFiles

    backbone, workbench = member_from_json("backbone", what["backbone"], bench.allow_import), bench.workbench
    source = backbone.make()
    if source.to_download() or source.to_train():
        return 0
    images = bench.images(what)
    network = workbench.backbone(backbone).to(workbench.device).on(images)
    folder = workbench.folder or home() / "features"
    files = FeatureFiles.of(images, network, what["dtype"], folder, workbench.embedding)
    return RangeFiles(files).n_stored(from_runs(what["rows"], len(images)))
