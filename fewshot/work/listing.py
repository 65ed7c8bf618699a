"""The tasks of a plan in words: with sizes and estimated times, and how far they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fewshot.files.durations import duration
from fewshot.plugins.wording import counted
from fewshot.work.places import WorkFolder
from fewshot.work.tasks import KINDS, Task

_AT_ONCE = ("row", "table")  # kinds of tasks that take no time worth an estimate


def grouped(tasks: Sequence[Task], rates: Mapping[str, float]) -> tuple[list[str], dict[str, Any]]:
    """A line for the tasks of each kind and subject, with their sizes and times, and all of it as JSON values."""
    groups: dict[tuple[str, str], list[Task]] = {}
    for task in tasks:
        if task.kind not in _AT_ONCE:
            groups.setdefault((task.kind, _without_range(task.subject)), []).append(task)
    lines = [_line(kind, subject, group, rates) for (kind, subject), group in groups.items()]
    times = [seconds(task, rates) for task in tasks if task.kind not in _AT_ONCE]
    known = [time for time in times if time is not None]
    n_rows = sum(task.kind == "row" for task in tasks)
    total = f"about {duration(sum(known))} of one worker" if len(known) == len(times) else "no time estimate yet"
    lines.append(f"{counted(len(tasks), 'task')}, {counted(n_rows, 'row')}, {total}")
    values = [{"name": t.name, "words": t.words, **t.to_json(), "seconds": seconds(t, rates)} for t in tasks]
    return lines, {"tasks": values, "n_tasks": len(tasks), "seconds": sum(known) if len(known) == len(times) else None}


def seconds(task: Task, rates: Mapping[str, float]) -> float | None:
    """The estimated time of a task; None if its speed was not measured here."""
    pace = 0.0 if task.kind in _AT_ONCE else rates.get(task.rate)
    return None if pace is None else round(pace * task.size, 3)


def _line(kind: str, subject: str, tasks: Sequence[Task], rates: Mapping[str, float]) -> str:
    verb, unit = KINDS[kind]
    times = [seconds(task, rates) for task in tasks]
    known = [time for time in times if time is not None]
    about = f", about {duration(sum(known))}" if len(known) == len(times) else ""
    return f"{verb} {subject}: {counted(len(tasks), 'task')}, {counted(sum(t.size for t in tasks), unit)}{about}"


def _without_range(subject: str) -> str:
    return re.sub(r"^(?:part|episodes) [\d,]+ (?:to|of) [\d,]+ of ", "", subject)


def counts(folder: WorkFolder) -> dict[str, Any]:
    """The number of tasks by status, who works on what, and what was lost."""
    tasks, statuses = {task.name: task for task in folder.tasks}, folder.statuses()
    ended = Counter(status for name, status in statuses.items() if name in tasks)
    claimed = {n: held for n, held in folder.leases.taken().items() if n in tasks and n not in statuses}
    return {
        "n_tasks": len(tasks),
        **{status: ended[status] for status in ("done", "failed", "lost")},
        "claimed": [{"task": tasks[name].words, "by": held.name} for name, held in claimed.items()],
        "left": len(tasks) - sum(ended.values()) - len(claimed),
        "losses": len([name for name in folder.leases.all_losses() if name in tasks]),
        "failures": folder.failures(),
    }


def counts_in_words(folder: WorkFolder, found: Mapping[str, Any]) -> list[str]:
    """Lines with these counts."""
    failed = f", {found['failed']:,} failed" if found["failed"] else ""
    given_up = f", {found['lost']:,} given up after {counted(3, 'loss')}" if found["lost"] else ""
    lines = [
        f"{found['done']:,} of {counted(found['n_tasks'], 'task')} done, {len(found['claimed']):,} claimed, "
        f"{found['left']:,} left{failed}{given_up}"
    ]
    lines += [f"{each['by']}: {each['task']}" for each in found["claimed"]]
    if found["losses"]:
        lines.append(f"{counted(found['losses'], 'worker')} died or gave no sign of life")
    lines += [f"{each['status']}: {each['task']}: {each['error']}" for each in found["failures"]]
    return lines


def relative_paths(tasks: Sequence[Task]) -> list[str]:
    """The relative paths that the specs of tasks name."""
    from fewshot.plugins.registry import DATASETS

    texts = dict.fromkeys(str(task.what.get("run", task.what).get("dataset")) for task in tasks)
    specs = (DATASETS.read(text) for text in texts)
    listed = dict.fromkeys(
        path for task in tasks if (path := task.what.get("run", {}).get("episodes", {}).get("path")) is not None
    )
    found = [*(str(path) for spec in specs for path in spec.paths), *listed]
    return [path for path in found if not Path(path).expanduser().is_absolute()]
