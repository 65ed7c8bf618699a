"""The tasks of a plan in words: with sizes and estimated times, and how far they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fewshot.files.durations import duration
from fewshot.plugins.wording import agreeing, counted, listed
from fewshot.work.places import WorkFolder
from fewshot.work.tasks import KINDS, Task

_AT_ONCE = ("row", "table")  # kinds of tasks that take no time worth an estimate
# What came of the task of a worker that died, by the status of the task.
_ENDS = {"done": "done by another worker", "failed": "failed", "lost": "given up", "left": "still to do"}


def grouped(
    tasks: Sequence[Task], rates: Mapping[str, float], stored: Mapping[str, int]
) -> tuple[list[str], dict[str, Any]]:
    """A line for the tasks of each kind and subject, with their sizes and times, and all of it as JSON values.
    `stored`: the images whose features are there, by the name of their task."""
    groups: dict[tuple[str, str], list[Task]] = {}
    for task in tasks:
        if task.kind not in _AT_ONCE:
            groups.setdefault((task.kind, _without_range(task.subject)), []).append(task)
    lines = [_line(kind, subject, group, rates, stored) for (kind, subject), group in groups.items()]
    times = [seconds(task, rates, stored) for task in tasks if task.kind not in _AT_ONCE]
    known = [time for time in times if time is not None]
    total = f"about {duration(sum(known))} of one worker" if len(known) == len(times) else "no time estimate yet"
    lines.append(f"{_n_tasks(tasks)}, {total}")
    values = [_values(task, rates, stored) for task in tasks]
    return lines, {"tasks": values, "n_tasks": len(tasks), "seconds": sum(known) if len(known) == len(times) else None}


def in_short(tasks: Sequence[Task]) -> str:
    """The number of tasks of each kind in one line, below the runs of a dry run."""
    counts = Counter(task.kind for task in tasks if task.kind not in _AT_ONCE)
    parts = [f"{counts[kind]:,} to {verb}" for kind, (verb, _) in KINDS.items() if counts[kind]]
    return f"For several processes: {_n_tasks(tasks)}{': ' * bool(parts)}{', '.join(parts)}"


def stored_in_words(n_stored: int) -> str:
    """What is stored already, behind a number of tasks: "; 1,200 images are cached already", or "" for nothing."""
    return f"; {counted(n_stored, 'image')} {agreeing(n_stored, 'is', 'are')} cached already" if n_stored else ""


def _n_tasks(tasks: Sequence[Task]) -> str:
    return f"{counted(len(tasks), 'task')}, {counted(sum(task.kind == 'row' for task in tasks), 'row')}"


def _values(task: Task, rates: Mapping[str, float], stored: Mapping[str, int]) -> dict[str, Any]:
    there = {"n_stored": stored.get(task.name, 0)} if task.kind == "embed" else {}
    return {"name": task.name, "words": task.words, **task.to_json(), **there, "seconds": seconds(task, rates, stored)}


def seconds(task: Task, rates: Mapping[str, float], stored: Mapping[str, int]) -> float | None:
    """The estimated time of what is missing of a task; None if its speed was not measured here."""
    missing = task.size - stored.get(task.name, 0)
    pace = 0.0 if task.kind in _AT_ONCE or not missing else rates.get(task.rate)
    return None if pace is None else round(pace * missing, 3)


def _line(kind: str, subject: str, tasks: Sequence[Task], rates: Mapping[str, float], stored: Mapping[str, int]) -> str:
    verb, unit = KINDS[kind]
    times = [seconds(task, rates, stored) for task in tasks]
    known = [time for time in times if time is not None]
    about = f", about {duration(sum(known))}" if len(known) == len(times) else ""
    n_stored = sum(stored.get(task.name, 0) for task in tasks)
    there = f", {n_stored:,} already cached" if n_stored else ""
    return f"{verb} {subject}: {counted(len(tasks), 'task')}, {counted(sum(t.size for t in tasks), unit)}{there}{about}"


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
        **_losses([name for name in folder.leases.all_losses() if name in tasks], statuses),
        "failures": folder.failures(),
    }


def _losses(names: Sequence[str], statuses: Mapping[str, str]) -> dict[str, Any]:
    """The number of workers that died, and what came of their tasks, by status."""
    ends = Counter(statuses.get(name, "left") for name in set(names))
    return {"losses": len(names), "lost_tasks": {end: ends[end] for end in _ENDS if ends[end]}}


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
        ends = listed([f"{counted(number, 'task')} {_ENDS[end]}" for end, number in found["lost_tasks"].items()])
        lines.append(f"{counted(found['losses'], 'worker')} died or gave no sign of life earlier: {ends}")
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
