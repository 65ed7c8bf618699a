"""The first lines of a report: what was compared, what did best, and what the intervals speak of."""

from __future__ import annotations

from collections.abc import Sequence

from fewshot.report.rows import intervals
from fewshot.report.rows.selection_budgets import is_oracle
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import Task, interval, measured, overlap
from fewshot.report.rows.wording import percent

_SHOWN = 3  # shots in a sentence


def compared(shown: Shown) -> str:
    """What the rows compare, in one sentence."""
    done = shown.done
    if not done:
        return f"None of the {len(shown.rows)} runs finished."
    shots = sorted({row.k_shot for row in done if row.k_shot is not None})
    counts = sorted({row.n_episodes for row in done})
    parts = [
        _counted(len({row.backbone for row in done}), "backbone"),
        _counted(len({(row.transform, row.evaluator) for row in done}), "evaluator"),
        _counted(len(shown.tasks), "task"),
    ]
    at = f" at {_listed([str(shot) for shot in shots])} shot{'' if shots == [1] else 's'}" if shots else ""
    each = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"{parts[0]} and {parts[1]} on {parts[2]}{at}: {_counted(len(done), 'run')} of {each} episodes each."


def findings(shown: Shown) -> list[tuple[str, str]]:
    """Title and one plain sentence of every task: what is best, with its interval, and what it cannot be told from."""
    return [(task.title, _sentence(task, shown)) for task in shown.tasks]


def speaks_of(shown: Shown) -> str:
    """What the intervals are, and what they speak of, in one sentence."""
    populations = dict.fromkeys(task.population for task in shown.tasks if task.population)
    if not populations:
        return "There are no intervals: each run has a single episode, or none was measured."
    further = [f"for {kind.words(shown.rows)}" for kind in intervals.known(shown.rows)]
    brackets = f" Those in square brackets are {', '.join(further)}." if further else ""
    return f"The 95 % intervals speak of {'; or of '.join(populations)}.{brackets}"


def _sentence(task: Task, shown: Shown) -> str:
    if not task.best:
        return "Only oracles were measured." if any(map(measured, task.rows)) else "Nothing was measured."
    shots = list(task.best)
    told = shots if len(shots) <= _SHOWN else [shots[0], shots[-1]]
    winners = {shot: shown.name(task.best[shot]).whole for shot in told}
    chance = "" if task.chance is None else f" Guessing reaches {round(100 * task.chance, 1):g}\u00a0%."
    if len(task.contenders) == 1:
        return f"{winners[told[0]]} reaches {_listed([_reached(task, shot) for shot in told])}.{chance}"
    if len(set(winners.values())) == 1:
        said = f"{winners[told[0]]} is best: {_listed([_reached(task, shot) for shot in told])}."
    else:
        best = [f"{winners[shot]}, {_reached(task, shot)}" for shot in told]
        said = f"Best is {'; '.join(best[:-1])}, and {best[-1]}."
    return said + _ties(task, told) + chance


def _reached(task: Task, shot: str) -> str:
    row = task.best[shot]
    where = "" if shot == "listed" else f" at {shot}"
    number = f"{percent(row)} %".replace(" ", "\u00a0")  # never broken over two lines
    return number + where + ("" if interval(row) else " (no interval)")


def _ties(task: Task, shots: Sequence[str]) -> str:
    """How many others have an interval that overlaps that of the best, by shot."""
    said = []
    for shot in shots:
        best = task.best[shot]
        others = (row for row in task.by_shot[shot] if row is not best and measured(row) and not is_oracle(row))
        n = sum(overlap(row, best) for row in others)
        if n:
            said.append(f"of {_counted(n, 'other')}" + ("" if shot == "listed" else f" at {shot}"))
    return f" Its interval overlaps that {_listed(said)}." if said else ""


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
