"""All pairs of a task as a coloured table, and the claims that follow; or why they are not there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fewshot.report.comparisons.cards import Card, card
from fewshot.report.comparisons.pairing import Contest, RunPair, adjusted, contest, rivals
from fewshot.report.comparisons.verdicts import (
    bounds,
    more_episodes,
    of_weights,
    p_value,
    settled,
    settled_for_classes,
    warnings,
)
from fewshot.report.rows.selection_budgets import is_oracle
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import accuracy, measured, shot_label
from fewshot.results.files import Results
from fewshot.results.row import Row

MOST = 12  # runs in a matrix; the most accurate are kept
MOST_MATRICES = 36  # on a page


@dataclass(frozen=True)
class PairCell:
    """Row minus column: its number, its interval, a class of the style sheet, and all of it in a sentence."""

    text: str
    interval: str
    style: str  # "better-2" (for new classes too), "better-1" (for these images), "worse-2", "worse-1", "open", "self"
    said: str


@dataclass(frozen=True)
class RunLine:
    """A run against all others."""

    number: int
    name: str
    accuracy: str
    ranks: str
    cells: tuple[PairCell, ...]


@dataclass(frozen=True)
class Matrix:
    """The runs of one task at one number of shots, the most accurate first; no lines, and the reason, where none can be
    compared."""

    title: str
    lines: tuple[RunLine, ...] = ()
    caption: str = ""
    remarks: tuple[str, ...] = ()
    cards: tuple[Card, ...] = ()
    reason: str = ""


def matrices(shown: Shown, results: Results | None) -> list[Matrix]:
    """A matrix for every task and number of shots that two runs or more have in common, at most 36. Whatever is missing
    becomes a reason, never an error; where no task has any, they are one reason without a title."""
    found: list[Matrix] = []
    groups = rivals(shown.rows, "anything")
    for number, group in enumerate(groups):
        if sum(bool(matrix.lines) for matrix in found) == MOST_MATRICES:
            rest = f"{len(groups) - number} more groups of runs are not compared here; see fewshot compare."
            return [*found, Matrix("", reason=rest)]
        row = group[0]
        title = f"{shown.title(row)}, {shot_label(row)}"
        try:
            found.append(_matrix(title, group, results, shown))
        except Exception as error:  # predictions of strangers may be damaged in any way
            reason = " ".join(str(error).split()) or type(error).__name__
            found.append(Matrix(title, reason=f"No pairs are compared: {reason}."))
    if found and not any(matrix.lines for matrix in found):
        return [Matrix("", reason=" ".join(dict.fromkeys(matrix.reason for matrix in found)))]
    return found


def _matrix(title: str, group: Sequence[Row], results: Results | None, shown: Shown) -> Matrix:
    stored = [row for row in group if results is not None and results.parts(row.run_id).folder.is_dir()]
    told = sorted(filter(measured, stored), key=accuracy, reverse=True)
    if results is None or len(told) < 2:
        missing = "the predictions of these runs are not beside their rows"
        missing = missing if results is not None else "the predictions of these rows were not given"
        return Matrix(title, reason=f"No pairs are compared: {missing}.")
    met = contest(results, told[:MOST])
    pairs = met.pairs()
    values = adjusted(pairs).tolist()
    p_values = {ids: p for pair, p in zip(pairs, values, strict=True) for ids in (_ids(pair), _ids(pair)[::-1])}
    unfair = "; ".join(warnings(met.rows))
    remarks = (of_weights(met.rows), more_episodes(pairs), f"Not quite fair: {unfair}." if unfair else "")
    return Matrix(
        title,
        _lines(met, pairs, shown, p_values),
        _caption(met, len(group) - len(met.rows), len(pairs)),
        tuple(filter(None, remarks)),
        tuple(card(pair, shown, p_values[_ids(pair)], len(pairs)) for pair in _of_the_best(met.rows, pairs)),
    )


def _ids(pair: RunPair) -> tuple[str, str]:
    return pair.a.run_id, pair.b.run_id


def _of_the_best(rows: Sequence[Row], pairs: Sequence[RunPair]) -> list[RunPair]:
    """The best run, which is the most accurate of those with the most episodes and no oracle, against every other; the
    better one of each pair first."""
    fair = [row for row in rows if not is_oracle(row)] or rows
    best = max(fair, key=lambda row: (row.n_episodes, accuracy(row)))
    of_best = [pair for pair in pairs if best in (pair.a, pair.b)]
    return [pair if pair.comparison.these_images.mean >= 0 else pair.turned() for pair in of_best]


def _lines(
    met: Contest, pairs: Sequence[RunPair], shown: Shown, p_values: Mapping[tuple[str, str], float]
) -> tuple[RunLine, ...]:
    ranks, by_ids = met.ranks(), {_ids(pair): pair for pair in pairs}
    order = [pairs[0].a, *(pair.b for pair in pairs if pair.a is pairs[0].a)]
    lines = []
    for number, row in enumerate(order, 1):
        cells = []
        for other in order:
            pair = by_ids.get((row.run_id, other.run_id)) or by_ids.get((other.run_id, row.run_id))
            if pair is None:
                cells.append(PairCell("", "", "self", "itself"))
            else:
                cells.append(_cell(pair if pair.a is row else pair.turned(), shown, p_values[_ids(pair)]))
        low, high = ranks[row.run_id]
        told = f"{low}" if low == high else f"{low} to {high}"
        lines.append(RunLine(number, shown.name(row).whole, f"{100 * accuracy(row):.1f}", told, tuple(cells)))
    return tuple(lines)


def _cell(pair: RunPair, shown: Shown, p_adjusted: float) -> PairCell:
    found = pair.comparison
    told = found.these_images if found.new_classes.reason else found.new_classes
    images = settled(found.these_images)
    strength = images + (images and settled_for_classes(pair, p_adjusted))
    side = "better" if told.mean > 0 else "worse"
    verdict = {
        2: f"{side}, for these images and for new {pair.units.name}",
        1: f"{side} for these images, not settled for new {pair.units.name}",
        0: "not settled",
    }[strength]
    p = f", p {p_value(p_adjusted)}" if math.isfinite(p_adjusted) else ""
    said = (
        f"{shown.name(pair.a).whole} minus {shown.name(pair.b).whole}: {100 * told.mean:+z.2f} points, "
        f"for these images {bounds(found.these_images)}, for new {pair.units.name} "
        f"{found.new_classes.reason or bounds(found.new_classes)}{p}; {verdict}"
    )
    interval = "" if told.reason else f"[{100 * told.low:z.1f}, {100 * told.high:z.1f}]"
    return PairCell(f"{100 * told.mean:+z.1f}", interval, f"{side}-{strength}" if strength else "open", said)


def _caption(met: Contest, left_out: int, n_pairs: int) -> str:
    units, counts = met.units, sorted({len(values) for values in met.accuracy})
    episodes = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    said = [
        f"Row minus column in points, on the same {episodes} episodes, with the 95 % interval for new {units.name}, or "
        "for other episodes from these images where there is none. Strong colour: settled for these images and for new "
        f"{units.name}; pale: for these images alone; no colour: not settled. Rank: what simultaneous intervals allow.",
        f"Settled for new {units.name} means after Holm's adjustment over {n_pairs} pairs." if n_pairs > 1 else "",
        f"Runs left out, less accurate or without stored predictions: {left_out}." if left_out else "",
    ]
    return " ".join(filter(None, said))
