"""Rows grouped by task: what may stand in one table, because it was measured on the same kind of episodes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from fewshot.report.rows.selection_budgets import is_oracle
from fewshot.report.rows.short_names import label, labels, size
from fewshot.results.row import Row

_ALWAYS = ("dataset", "sampler", "classes", "n_way", "n_query")
_IF_DIFFERENT = ("split", "seed", "images_digest", "split_digest")
_SOME_OF_ALL_WAYS = ("Hierarchical", "VariableWayShot")  # draw some of the classes where n_way is None
_POPULATIONS = {"these images": "other episodes from these images and classes, not new images and not new classes"}
Contender = tuple[str, str, str, str, str]  # backbone, transform, evaluator, dtype, how hyperparameters were chosen


@dataclass(frozen=True, eq=False)
class Task:
    """Finished rows of one task, the others left out, and its title."""

    title: str
    rows: tuple[Row, ...]

    @cached_property
    def shots(self) -> list[str]:
        """The labels of the shots, the fewest first; "all" stands last."""
        return [shot_label(row) for row in sorted({shot_label(r): r for r in self.rows}.values(), key=_shot_order)]

    @cached_property
    def contenders(self) -> list[Contender]:
        """What is compared, backbone by backbone, in order of appearance."""
        backbones = list(dict.fromkeys(row.backbone for row in self.rows))
        return sorted(dict.fromkeys(map(contender, self.rows)), key=lambda c: backbones.index(c[0]))

    @cached_property
    def best(self) -> dict[str, Row]:
        """The most accurate row of every shot, among those of the most episodes; of equal ones the first. An oracle is
        never the best."""
        found: dict[str, Row] = {}
        for row in filter(measured, self.rows):
            shot = shot_label(row)
            if not is_oracle(row) and (shot not in found or _rank(row) > _rank(found[shot])):
                found[shot] = row
        return {shot: found[shot] for shot in self.shots if shot in found}

    @property
    def chance(self) -> float | None:
        """The accuracy of guessing between ways of equal size; None where the ways are not known or differ."""
        row = self.rows[0]
        if row.sampler.startswith("Listed") or (row.n_way is None and row.sampler.startswith(_SOME_OF_ALL_WAYS)):
            return None
        ways = row.n_way or row.n_classes
        return 1 / ways if ways and ways > 1 else None

    @property
    def population(self) -> str:
        """What the intervals speak of, in words."""
        named = dict.fromkeys(row.population for row in self.rows if row.population and interval(row))
        return "; ".join(_POPULATIONS.get(name, name) for name in named)


def tasks(rows: Iterable[Row]) -> list[Task]:
    """The tasks of all rows that did not fail, in order of appearance. The titles differ."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        if row.status != "failed":
            groups.setdefault(tuple(getattr(row, name) for name in _ALWAYS + _IF_DIFFERENT), []).append(row)
    datasets = labels(group[0].dataset for group in groups.values())
    firsts = [group[0] for group in groups.values()]
    titles = [_title(row, datasets[row.dataset]) for row in firsts]
    namesakes = {title: [row for row, other in zip(firsts, titles, strict=True) if other == title] for title in titles}
    return [
        Task(title + _what_differs(row, namesakes[title]), tuple(group))
        for title, row, group in zip(titles, firsts, groups.values(), strict=True)
    ]


def under_skewed_queries(rows: Sequence[Row]) -> dict[str, Row]:
    """For every transductive run under balanced queries, by its run id, the same run under queries in Dirichlet shares:
    what is left of its score without the balanced prior."""
    found = {_but_for_queries(row): row for row in rows if row.sampler.startswith("DirichletQuery") and measured(row)}
    balanced = (row for row in rows if row.transductive and row.sampler.startswith("Balanced"))
    return {row.run_id: found[_but_for_queries(row)] for row in balanced if _but_for_queries(row) in found}


def _but_for_queries(row: Row) -> tuple[object, ...]:
    shared = ("n_way", "k_shot", "n_query", "seed", "images_digest", "split_digest", "classes")
    return contender(row), *(getattr(row, name) for name in shared)


def _rank(row: Row) -> tuple[int, float]:
    return row.n_episodes, accuracy(row)


def contender(row: Row) -> Contender:
    """What is compared: backbone, transform, evaluator, dtype, and how hyperparameters were chosen."""
    return row.backbone, row.transform, row.evaluator, row.dtype, row.selection_rule


def shot_label(row: Row) -> str:
    """The column of a row: "1 shot", "5 shots", "at most 5 shots", "all shots", "5 shots on average"; "listed" for
    episodes of a file."""
    if row.sampler.startswith("Listed"):
        return "listed"
    count, mean = size(row.k_shot, row.sampler), " on average" if row.sampler.startswith("Imbalanced") else ""
    return f"{'at most ' if row.k_shot_at_most else ''}{count} shot{'' if row.k_shot == 1 else 's'}{mean}"


def measured(row: Row) -> bool:
    """Whether the row has an accuracy that is a number."""
    return row.status != "failed" and row.accuracy is not None and math.isfinite(row.accuracy)


def accuracy(row: Row) -> float:
    """The accuracy of a measured row."""
    assert row.accuracy is not None
    return row.accuracy


def interval(row: Row) -> tuple[float, float] | None:
    """The bounds of the interval; None where there is none, as after a single episode."""
    low, high = row.accuracy_low, row.accuracy_high
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return None
    return low, high


def overlap(row: Row, best: Row) -> bool:
    """Whether the intervals of two measured rows share a value; a row without one is a point."""
    low, high = interval(row) or (accuracy(row), accuracy(row))
    best_low, best_high = interval(best) or (accuracy(best), accuracy(best))
    return high >= best_low and low <= best_high


def _shot_order(row: Row) -> tuple[float, bool]:
    return math.inf if row.k_shot is None else row.k_shot, row.k_shot_at_most


def _title(row: Row, dataset: str) -> str:
    """Data set, how its images are divided, classes, ways and queries, as far as they are known."""
    sampler = label(row.sampler)
    listed = row.sampler.startswith("Listed")
    parts = [
        dataset,
        "" if sampler == "balanced" else sampler,
        "" if listed else f"{row.classes} classes",
        "" if listed else f"{size(row.n_way, row.sampler)}-way",
        "" if listed else _queries(row),
    ]
    return ", ".join(filter(None, parts))


def _queries(row: Row) -> str:
    if row.n_query is None and row.sampler.startswith("VariableWayShot"):
        return "up to 10 queries a class"
    many = "all other images as queries" if row.n_query is None else f"{row.n_query} queries a class"
    shared_out = " on average" if row.sampler.startswith("DirichletQuery") else ""
    return ("1 query a class" if row.n_query == 1 else many) + shared_out


def _what_differs(row: Row, namesakes: Sequence[Row]) -> str:
    """What tells a task from others of the same title: the split alone, where that does."""
    names = [n for n in _IF_DIFFERENT if len({getattr(other, n) for other in namesakes}) > 1]
    if len({other.split for other in namesakes}) == len(namesakes):
        names = names[:1]
    said = [f"{n.replace('_', ' ')} {_short(n, str(getattr(row, n))) or 'unnamed'}" for n in names]
    return f" ({', '.join(said)})" if said else ""


def _short(name: str, value: str) -> str:
    return value[:12] if name.endswith("_digest") else label(value) if name == "split" else value
