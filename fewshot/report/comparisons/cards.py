"""A comparison as a card: one sentence with its intervals, and below it everything that supports the claim."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from fewshot.plugins.wording import counted
from fewshot.report.comparisons.run_pair import RunPair
from fewshot.report.comparisons.unique_names import UniqueNames
from fewshot.report.comparisons.verdicts import (
    bounds,
    number,
    p_value,
    points,
    significant,
    significant_for_classes,
    significant_in_ranking,
    too_few,
    verdict,
)
from fewshot.report.rows import selection_budgets as budgets
from fewshot.report.rows.costs import TITLES, Costs, RunCost
from fewshot.report.rows.origins import command
from fewshot.report.rows.reasons import in_words
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import shot_label
from fewshot.report.rows.wording import training_data
from fewshot.results.costs import machine
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of
from fewshot.statistics.interval import Interval


@dataclass(frozen=True)
class Card:
    """A claim and what supports it: names and texts."""

    sentence: str
    fields: tuple[tuple[str, str], ...]


def card(pair: RunPair, names: UniqueNames, p_adjusted: float, n_compared: int) -> Card:
    """The card of A minus B."""
    fields = (*_evidence(pair, p_adjusted, n_compared), *_design(pair, names.shown), *_sides(pair, names.shown.costs))
    return Card(_sentence(pair, names, p_adjusted), tuple((name, text) for name, text in fields if text))


def _sentence(pair: RunPair, names: UniqueNames, p_adjusted: float) -> str:
    comparison, units = pair.comparison, pair.units.name
    a, b = names.run(pair.a), names.run(pair.b)
    if pair.equal:
        return f"{a} and {b} have the same accuracy in every episode."
    size = f"{100 * comparison.these_images.mean:z.2f} points"
    if pair.few:
        certain = significant_in_ranking(pair, p_adjusted)
        start = f"{a} exceeds {b} by {size}" if certain else f"{a} and {b} do not differ significantly: {size}"
        return f"{start}; 95 % interval for {pair.population} {bounds(pair.shown)}; {too_few(pair)}."
    if significant_for_classes(pair, p_adjusted):
        return f"{a} exceeds {b} by {size}; 95 % interval for new {units} {bounds(comparison.new_classes)}."
    images = f"95 % interval for these images {bounds(comparison.these_images)}"
    corrected = " after correction" if significant(comparison.new_classes) else ""
    classes = f"not significant for new {units}{corrected}, {bounds(comparison.new_classes)}"
    if comparison.new_classes.reason:
        classes = f"no interval for new {units} ({in_words(comparison.new_classes.reason)})"
    if significant(comparison.these_images) and (pair.of_classes or significant_in_ranking(pair, p_adjusted)):
        return f"{a} exceeds {b} by {size}; {images}; {classes}."
    return f"{a} and {b} do not differ significantly: {size}; {images}; {classes}."


def _evidence(pair: RunPair, p_adjusted: float, n_compared: int) -> list[tuple[str, str]]:
    comparison, units = pair.comparison, pair.units.name
    least = [number(100 * one, 2) for one in (comparison.detectable_episodes, comparison.detectable_classes)]
    detectable = f"{least[0]} points for these images, {least[1]} for new {units}"
    return [
        ("difference, these images", _points(comparison.these_images)),
        (f"difference, new {units}", _points(comparison.new_classes)),
        ("verdict", verdict(pair, p_adjusted)),
        (
            f"p over {units}" if pair.of_classes else f"p for {pair.population}",
            f"{p_value(p_adjusted).removeprefix('= ')}, corrected for {counted(n_compared, 'comparison')} of each run",
        ),
        ("detectable with 80 % power", detectable if math.isfinite(comparison.detectable_episodes) else ""),
        ("correlation of the runs", number(comparison.correlation, 2)),
        ("width unpaired / paired", number(comparison.width_ratio, 1)),
    ]


def _points(interval: Interval) -> str:
    return f"{points(interval)} points" if math.isfinite(interval.low) else in_words(interval.reason)


def _design(pair: RunPair, shown: Shown) -> list[tuple[str, str]]:
    row, rest = pair.a, abs(pair.a.n_episodes - pair.b.n_episodes)
    episodes = counted(len(pair.accuracy_a), "episode")
    return [
        ("task", f"{shown.title(row)}, {shot_label(row)}"),
        ("design", f"{pair.units.n_units:,} {pair.units.name}, {episodes}, seed {row.seed}"),
        ("not compared", f"{counted(rest, 'episode')} that only one run solved" if rest else ""),
        ("applies to", "these checkpoints, not their training recipes" if row.backbone != pair.b.backbone else ""),
        ("images digest", row.images_digest[:16]),
        ("split digest", row.split_digest[:16]),
    ]


def _cost(cost: RunCost) -> str:
    """The known costs of a run in words."""
    known = [f"{text} {title}" for title, text in zip(TITLES, cost.texts, strict=True) if text]
    return ", ".join(known) + "; ‡: other runs measured it" * cost.of_others


_SIDES: dict[str, Callable[[Row, Costs], str]] = {
    "protocol": lambda row, _: row.protocol,
    "choice of hyperparameters": lambda row, _: budgets.choice(row) or "as given",
    "classes in training": lambda row, _: training_data(row) or row.seen_classes,
    "sees all queries at once": lambda row, _: "yes" if row.transductive else "no",
    "image size": lambda row, _: str(_field(row, "image_size") or "the network's default"),
    "pooling": lambda row, _: str(_field(row, "pool") or "the network's default"),
    "transform": lambda row, _: specs_of(row).transform.short_name,
    "not converged": lambda row, _: counted(row.n_not_converged, "episode"),
    "seconds of embedding + solving": lambda row, _: f"{row.seconds_embedding:.1f} + {row.seconds_solving:.1f}",
    "cost": lambda row, costs: _cost(costs.cost(row)),
    "seconds from": lambda row, _: machine(row),
    "weights digest": lambda row, _: row.weights_digest[:16],
    "episodes digest": lambda row, _: row.episodes_digest[:16],
    "command": lambda row, _: command(row),
    "run": lambda row, _: row.run_id,
}


def _sides(pair: RunPair, costs: Costs) -> list[tuple[str, str]]:
    """The properties of both runs: one text if they are equal."""
    fields = []
    for name, text in _SIDES.items():
        a, b = text(pair.a, costs), text(pair.b, costs)
        fields.append((name, a if a == b else f"A: {a or 'not known'}; B: {b or 'not known'}"))
    return fields


def _field(row: Row, name: str) -> object:
    return specs_of(row).backbone.fields.get(name)
