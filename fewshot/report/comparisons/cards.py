"""A comparison as a card: one sentence with its populations, and below it everything that the claim rests on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from fewshot.report.comparisons.pairing import RunPair
from fewshot.report.comparisons.verdicts import (
    THESE_WEIGHTS,
    bounds,
    number,
    p_value,
    points,
    settled,
    settled_for_classes,
    verdict,
)
from fewshot.report.rows import selection_budgets as budgets
from fewshot.report.rows.origins import command
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import shot_label
from fewshot.report.rows.wording import training_data
from fewshot.results.asked import asked
from fewshot.results.row import Row
from fewshot.statistics.intervals import Interval


@dataclass(frozen=True)
class Card:
    """A claim and what it rests on."""

    sentence: str
    fields: tuple[tuple[str, str], ...]


def card(pair: RunPair, shown: Shown, p_adjusted: float, n_compared: int) -> Card:
    """The card of A minus B."""
    fields = (*_found(pair, p_adjusted, n_compared), *_design(pair, shown), *_sides(pair))
    return Card(_sentence(pair, shown, p_adjusted), tuple((name, text) for name, text in fields if text))


def _sentence(pair: RunPair, shown: Shown, p_adjusted: float) -> str:
    found, units = pair.comparison, pair.units.name
    a, b = shown.name(pair.a).whole, shown.name(pair.b).whole
    size = f"{100 * found.these_images.mean:z.2f} points"
    if settled_for_classes(pair, p_adjusted):
        return f"{a} exceeds {b} by {size}, for new {units} {bounds(found.new_classes)}."
    images = f"for other episodes from these images {bounds(found.these_images)}"
    among = " among all pairs shown" if settled(found.new_classes) else ""
    told = found.new_classes.reason or f"for new {units} it is not settled{among}, {bounds(found.new_classes)}"
    if settled(found.these_images):
        return f"{a} exceeds {b} by {size}, {images}; {told}."
    return f"{a} and {b} are not told apart: {size}, {images}; {told}."


def _found(pair: RunPair, p_adjusted: float, n_compared: int) -> list[tuple[str, str]]:
    found, units = pair.comparison, pair.units.name
    least = [number(100 * one, 2) for one in (found.detectable_episodes, found.detectable_classes)]
    return [
        ("other episodes from these images", _points(found.these_images)),
        (f"new {units}", _points(found.new_classes)),
        ("verdict", verdict(pair, p_adjusted)),
        (f"p over {units}", f"{p_value(p_adjusted).removeprefix('= ')}, Holm over {n_compared} pairs"),
        ("detectable with 80 % power", f"{least[0]} points for these images, {least[1]} for new {units}"),
        ("correlation of the runs", number(found.correlation, 2)),
        ("width unpaired / paired", number(found.width_ratio, 1)),
    ]


def _points(interval: Interval) -> str:
    return f"{points(interval)} points" if math.isfinite(interval.low) else interval.reason


def _design(pair: RunPair, shown: Shown) -> list[tuple[str, str]]:
    row, only = pair.a, abs(pair.a.n_episodes - pair.b.n_episodes)
    return [
        ("task", f"{shown.title(row)}, {shot_label(row)}"),
        ("population", f"{pair.units.n_units} {pair.units.name}, {len(pair.accuracy_a)} episodes, seed {row.seed}"),
        ("left out", f"{only} episodes that only one of them solved" if only else "no episode that one of them solved"),
        ("speaks of", f"{THESE_WEIGHTS}, one checkpoint each" if row.backbone != pair.b.backbone else ""),
        ("images digest", row.images_digest[:16]),
        ("split digest", row.split_digest[:16]),
    ]


_SIDES: dict[str, Callable[[Row], str]] = {
    "protocol": lambda row: row.protocol,
    "choice of hyperparameters": lambda row: budgets.choice(row) or "as given",
    "classes in training": lambda row: training_data(row) or row.seen_classes,
    "sees all queries at once": lambda row: "yes" if row.transductive else "no",
    "image size": lambda row: str(_field(row, "image_size") or "the network's own"),
    "pooling": lambda row: str(_field(row, "pool") or "the network's own"),
    "transform": lambda row: asked(row).transform.short_name,
    "not converged": lambda row: f"{row.n_not_converged} episodes",
    "seconds of embedding and solving": lambda row: f"{row.seconds_embedding:.1f} + {row.seconds_solving:.1f}",
    "weights digest": lambda row: row.weights_digest[:16],
    "episodes digest": lambda row: row.episodes_digest[:16],
    "command": command,
    "run": lambda row: row.run_id,
}


def _sides(pair: RunPair) -> list[tuple[str, str]]:
    """What is told of each run: once where both say the same."""
    told = []
    for name, of in _SIDES.items():
        a, b = of(pair.a), of(pair.b)
        told.append((name, a if a == b else f"A: {a or 'not known'}; B: {b or 'not known'}"))
    return told


def _field(row: Row, name: str) -> object:
    return asked(row).backbone.fields.get(name)
