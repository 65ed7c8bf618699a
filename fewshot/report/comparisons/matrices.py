"""All pairs of a task as a coloured table, with cards for the claims about the best run; or why they are missing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fewshot.plugins.short_name import one_line
from fewshot.plugins.wording import counted
from fewshot.report.comparisons.cards import Card, card
from fewshot.report.comparisons.contests import rivals
from fewshot.report.comparisons.pairing import Contest, contest
from fewshot.report.comparisons.run_pair import RunPair
from fewshot.report.comparisons.unique_names import UniqueNames
from fewshot.report.comparisons.verdicts import (
    about_weights,
    bounds,
    caution,
    more_episodes,
    p_value,
    significant,
    significant_in_ranking,
    too_few,
)
from fewshot.report.rows.dependence import n_independent
from fewshot.report.rows.reasons import in_words, one_episode
from fewshot.report.rows.selection_budgets import is_oracle
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import accuracy, measured, shot_label
from fewshot.results.files import Results
from fewshot.results.row import Row
from fewshot.statistics.interval import THESE_IMAGES

MOST = 12  # runs in a matrix: the most accurate ones
MOST_MATRICES = 10  # in a report; each takes 40 kilobytes
_SIGNS = {"better": ("", " △", " ▲"), "worse": ("", " ▽", " ▼")}  # by strength
_LONGEST = 300  # characters of an error, which may quote a stranger's row
MOST_CARDS = 5  # below a matrix: the best run against its closest rivals


@dataclass(frozen=True)
class PairCell:
    """Row minus column: its number with a sign if it is significant, its interval, a class of the style sheet, and a
    sentence with all of it."""

    text: str
    interval: str
    style: (
        str  # "better-2" (as in the ranking), "better-1" (for these images only), "worse-2", "worse-1", "open", "self"
    )
    sentence: str


@dataclass(frozen=True)
class RunLine:
    """A run against all others."""

    number: int
    name: str
    accuracy: str
    cells: tuple[PairCell, ...]


@dataclass(frozen=True)
class Matrix:
    """The runs of one task at one number of shots, the most accurate first. No lines, and the reason, if none can be
    compared. `caption` and `remarks`: one sentence per line."""

    title: str
    lines: tuple[RunLine, ...] = ()
    caption: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    cards: tuple[Card, ...] = ()
    reason: str = ""


def matrices(shown: Shown, results: Results | None) -> list[Matrix]:
    """A matrix for every task and number of shots with two runs or more, at most 10. Missing predictions become a
    reason, never an error; if no task has any, there is one reason without a title."""
    every: list[Matrix] = []
    groups, names = rivals(shown.rows, "anything"), UniqueNames.of(shown)
    for number, group in enumerate(groups):
        if sum(bool(matrix.lines) for matrix in every) == MOST_MATRICES:
            rest = counted(len(groups) - number, "more group")
            return [*every, Matrix("", reason=f"{rest} of runs not compared here; see fewshot compare.")]
        row = group[0]
        title = f"{shown.title(row)}, {shot_label(row)}"
        try:
            every.append(_matrix(title, group, results, names))
        except Exception as error:  # predictions of strangers may be damaged in any way
            reason = one_line(str(error), _LONGEST) or type(error).__name__
            every.append(Matrix(title, reason=f"No pairs are compared: {reason}."))
    if every and not any(matrix.lines for matrix in every):
        return [Matrix("", reason=" ".join(dict.fromkeys(matrix.reason for matrix in every)))]
    return every


def _matrix(title: str, group: Sequence[Row], results: Results | None, names: UniqueNames) -> Matrix:
    stored = [row for row in group if results is not None and results.parts(row.run_id).folder.is_dir()]
    known = sorted(filter(measured, stored), key=accuracy, reverse=True)
    comparable = [row for row in known if n_independent(row) > 1]
    if len(comparable) < 2 <= len(known):
        single = next(row for row in known if n_independent(row) < 2)
        reason = one_episode(single, names.run(single)) if comparable else one_episode(single)
        return Matrix(title, reason=f"No pairs are compared: {reason}.")
    if results is None or len(comparable) < 2:
        missing = "these runs have no stored predictions"
        missing = missing if results is not None else "this report was made without stored predictions"
        return Matrix(title, reason=f"No pairs are compared: {missing}.")
    compared = contest(results, comparable[:MOST])
    pairs = compared.pairs()
    n_rivals = max(1, sum(measured(row) and not is_oracle(row) for row in group) - 1)
    values = [min(1.0, pair.p_value * n_rivals) for pair in pairs]
    p_values = {ids: p for pair, p in zip(pairs, values, strict=True) for ids in (_ids(pair), _ids(pair)[::-1])}
    remarks = (about_weights(compared.rows), more_episodes(pairs), caution(compared.rows))
    return Matrix(
        title,
        _lines(compared, pairs, names, p_values),
        _caption(pairs, len(group) - len(compared.rows), n_rivals),
        tuple(filter(None, remarks)),
        tuple(card(pair, names, p_values[_ids(pair)], n_rivals) for pair in _closest(compared.rows, pairs)),
    )


def _ids(pair: RunPair) -> tuple[str, str]:
    return pair.a.run_id, pair.b.run_id


def _closest(rows: Sequence[Row], pairs: Sequence[RunPair]) -> list[RunPair]:
    """The best run against the closest others, the better of each pair first. Best is the most accurate run of those
    with the most episodes, without oracles."""
    fair = [row for row in rows if not is_oracle(row)] or rows
    best = max(fair, key=lambda row: (row.n_episodes, accuracy(row)))
    own = [pair for pair in pairs if best in (pair.a, pair.b)][:MOST_CARDS]
    return [pair if pair.comparison.these_images.mean >= 0 else pair.turned() for pair in own]


def _lines(
    compared: Contest, pairs: Sequence[RunPair], names: UniqueNames, p_values: Mapping[tuple[str, str], float]
) -> tuple[RunLine, ...]:
    by_ids = {_ids(pair): pair for pair in pairs}
    order = [pairs[0].a, *(pair.b for pair in pairs if pair.a is pairs[0].a)]
    lines = []
    for number, row in enumerate(order, 1):
        cells = []
        for other in order:
            pair = by_ids.get((row.run_id, other.run_id)) or by_ids.get((other.run_id, row.run_id))
            if pair is None:
                cells.append(PairCell("", "", "self", "itself"))
            else:
                cells.append(_cell(pair if pair.a is row else pair.turned(), names, p_values[_ids(pair)]))
        lines.append(RunLine(number, names.run(row), f"{100 * accuracy(row):.1f}", tuple(cells)))
    return tuple(lines)


def _cell(pair: RunPair, names: UniqueNames, p_adjusted: float) -> PairCell:
    comparison, units = pair.comparison, pair.units.name
    displayed, images = pair.shown, significant(comparison.these_images)
    strength = 2 if significant_in_ranking(pair, p_adjusted) else int(images and pair.population != THESE_IMAGES)
    side = "better" if displayed.mean > 0 else "worse"
    population = pair.population
    verdict = {
        2: f"{side} for {population}",
        1: f"{side} for these images, not significant for {population}",
        0: "not significant",
    }[strength]
    p = f", p {p_value(p_adjusted)} for {population}" if math.isfinite(p_adjusted) else ""
    reason = comparison.new_classes.reason
    classes = f"no interval ({in_words(reason)})" if reason else bounds(comparison.new_classes)
    sentence = (
        f"{names.run(pair.a)} minus {names.run(pair.b)}: {100 * displayed.mean:+z.2f} points; "
        f"these images {bounds(comparison.these_images)}; new {units} {classes}{p}; {verdict}"
    )
    interval = "" if displayed.reason else f"[{100 * displayed.low:z.1f}, {100 * displayed.high:z.1f}]"
    text = f"{100 * displayed.mean:+z.1f}{_SIGNS[side][strength]}"
    return PairCell(text, interval, f"{side}-{strength}" if strength else "open", sentence)


def _caption(pairs: Sequence[RunPair], n_omitted: int, n_rivals: int) -> tuple[str, ...]:
    counts, why = sorted({len(pair.accuracy_a) for pair in pairs}), too_few(pairs[0])
    most = counted(counts[-1], "episode")
    episodes = most if len(counts) == 1 else f"{counts[0]:,} to {most}"
    population = " or ".join(dict.fromkeys(pair.population for pair in pairs))
    few = f"; {why}" if why else ""
    corrected = f", corrected for the {n_rivals:,} comparisons of a run with the others" if n_rivals > 1 else ""
    sentences = [
        f"Row minus column in points on the same {episodes}, with the 95 % interval for {population}{few}.",
        f"▲ ▼, strong colour: better, worse for {population} by the test of the ranking (p below 0.05{corrected}).",
        "△ ▽, pale: for these images only." if population != THESE_IMAGES else "",
        f"{counted(n_omitted, 'run')} omitted (less accurate, one episode, or no stored predictions)."
        if n_omitted
        else "",
    ]
    return tuple(filter(None, sentences))
