"""The first lines of a report: what the rows compare, which run is best, and what the intervals are for."""

from __future__ import annotations

from collections.abc import Sequence

from fewshot.plugins.wording import counted, listed
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
        return f"None of the {len(shown.rows):,} runs finished." if shown.rows else "There are no runs."
    shots = sorted({row.k_shot for row in done if row.k_shot is not None})
    fewest, most = min(row.n_episodes for row in done), max(row.n_episodes for row in done)
    parts = [
        counted(len({row.backbone for row in done}), "backbone"),
        counted(len({(row.transform, row.evaluator) for row in done}), "evaluator"),
        counted(len(shown.tasks), "task"),
    ]
    at = f" at {listed([str(shot) for shot in shots])} shot{'' if shots == [1] else 's'}" if shots else ""
    episodes = counted(most, "episode") if fewest == most else f"{fewest:,} to {counted(most, 'episode')}"
    each = " each" if len(done) > 1 else ""
    return f"{parts[0]} and {parts[1]} on {parts[2]}{at}: {counted(len(done), 'run')} of {episodes}{each}."


def findings(shown: Shown) -> list[tuple[str, str]]:
    """For every task its title and a sentence: which run is best, its interval, and how many intervals overlap it."""
    return [(task.title, _sentence(task, shown)) for task in shown.tasks]


def scope(shown: Shown) -> str:
    """What the intervals are for, in a few sentences. Rankings show no ±: the captions of tables explain it."""
    populations = dict.fromkeys(task.population for task in shown.tasks if task.population)
    if not populations:
        return "There are no intervals: each run has a single episode, or no accuracy."
    texts = [f"Accuracies come with a 95 % interval for {' or '.join(populations)}."]
    if intervals.of_rankings(shown.done) == intervals.known(shown.done):  # else those of the rankings say what they are
        texts += brackets(shown)
    return " ".join([*texts, *([intervals.THESE_IMAGES] if "these images" in populations else [])])


def brackets(shown: Shown) -> list[str]:
    """A sentence for the square brackets of all tasks; none if their tables show other kinds of them."""
    kinds = {tuple(intervals.beside(task.rows)) for task in shown.tasks}
    return intervals.brackets(shown.done, kinds.pop()) if len(kinds) == 1 else []


def _sentence(task: Task, shown: Shown) -> str:
    if not task.best:
        return "Only oracles were measured." if any(map(measured, task.rows)) else "No run has an accuracy."
    shots = list(task.best)
    named = shots if len(shots) <= _SHOWN else [shots[0], shots[-1]]
    winners = {shot: shown.name(task.best[shot]).whole for shot in named}
    chance = "" if task.chance is None else f" Guessing reaches {round(100 * task.chance, 1):g}\u00a0%."
    if len(task.contenders) == 1:
        return f"{winners[named[0]]} reaches {listed([_reached(task, shot) + _at(shot) for shot in named])}.{chance}"
    if len(set(winners.values())) == 1:
        text = f"{winners[named[0]]} is best: {listed([_reached(task, shot) + _at(shot) for shot in named])}."
    else:
        text = " ".join(f"Best{_at(shot)}: {winners[shot]}, {_reached(task, shot)}." for shot in named)
    return text + _ties(task, named) + chance


def _reached(task: Task, shot: str) -> str:
    row = task.best[shot]
    number = f"{percent(row)} %".replace(" ", "\u00a0")  # never broken over two lines
    return number + ("" if interval(row) else " (no interval)")


def _at(shot: str) -> str:
    return "" if shot == "listed" else f" at {shot}"


def _ties(task: Task, shots: Sequence[str]) -> str:
    """How many other intervals overlap that of the best, by shot."""
    counts = []
    for shot in shots:
        best = task.best[shot]
        others = (row for row in task.by_shot[shot] if row is not best and measured(row) and not is_oracle(row))
        n = sum(overlap(row, best) for row in others)
        if n:
            counts.append(f"{counted(n, 'other')}{_at(shot)}")
    return f" Intervals overlap with {listed(counts)}." if counts else ""
