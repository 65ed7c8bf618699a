"""Which features of a plan are stored already; nothing is computed, downloaded or changed, and no GPU is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from fewshot.files.atomic import home, read_metadata
from fewshot.files.regular import parsed_json, read_bytes
from fewshot.runs.loading import load_backbone
from fewshot.runs.spec_json import member_from_json
from fewshot.runs.workbench import Workbench
from fewshot.work.doing import Bench, Outcome
from fewshot.work.places import WorkFolder
from fewshot.work.planning import device_kind
from fewshot.work.ranges import from_runs
from fewshot.work.tasks import Task


def stored_images(tasks: Sequence[Task], bench: Bench) -> dict[str, int]:
    """The number of images whose features are stored, by the name of the task that would embed them. This loads
    networks that need no download, one at a time, and only where features of the same images are stored; a task that
    nobody can read here has none."""
    known = frozenset(_images_with_features(_folder(bench.workbench)))
    one = replace(bench, workbench=replace(bench.workbench, backbone=lru_cache(maxsize=1)(load_backbone)))
    counts = {}
    for task in sorted(tasks, key=lambda task: str(task.what.get("backbone"))):
        if task.kind == "embed":
            with suppress(Exception):  # whoever does the task says what is wrong
                counts[task.name] = _n_stored(task.what, one, known)
    return counts


def unfinished(tasks: Sequence[Task], stored: Mapping[str, int]) -> list[Task]:
    """The tasks without those that would embed only images that are `stored`, by the name of the task, and without the
    tables of which nothing else is left."""
    ended: set[str] = set()
    for task in tasks:
        if stored.get(task.name) == task.size or (task.kind == "table" and ended.issuperset(task.needs)):
            ended.add(task.name)
    return [task for task in tasks if task.name not in ended]


def end_stored(folder: WorkFolder, bench: Bench) -> int:
    """The number of images whose features are stored, after ending the tasks that would embed no others. Networks of
    other packages do not count: their code could end this process."""
    stored = stored_images(folder.tasks, replace(bench, allow_import=False))
    left = {task.name for task in unfinished(folder.tasks, stored)}
    for task in folder.tasks:
        if task.name not in left:
            folder.end(task, Outcome("done"))
    return sum(stored.values())


def _n_stored(what: Mapping[str, Any], bench: Bench, known: frozenset[str]) -> int:
    from fewshot.features.files import FeatureFiles
    from fewshot.features.ranges import RangeFiles

    spec, workbench = member_from_json("backbone", what["backbone"], bench.allow_import), bench.workbench
    images = bench.images(what)
    source = spec.make()
    if images.images_digest not in known or source.to_download() or source.to_train():
        return 0
    network = workbench.backbone(spec).on(images)
    kind = device_kind(workbench) if network.n_params else "cpu"
    files = FeatureFiles.of(images, network, what["dtype"], _folder(workbench), workbench.embedding, kind)
    return RangeFiles(files).n_stored(from_runs(what["rows"], len(images)))


def _folder(workbench: Workbench) -> Path:
    return workbench.folder or home() / "features"


def _images_with_features(folder: Path) -> Iterator[str]:
    """The digests of all images that have features in a folder of tables and of ranges beside them."""
    for path in folder.glob("*/about.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            yield str(parsed_json(read_bytes(path))["images"])
    for ranges in folder.glob("*.ranges"):
        for path in ranges.glob("*.safetensors"):
            with suppress(ValueError, KeyError, TypeError):
                yield str(read_metadata(path, "a range of features")["table"]["images"])
                break
