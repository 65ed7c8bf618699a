"""Words for single rows: their number, their name in a comparison, and what to know before trusting them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fewshot.report.rows import intervals
from fewshot.report.rows.selection_budgets import choice
from fewshot.report.rows.tasks import accuracy, interval, measured
from fewshot.results.asked import asked
from fewshot.results.row import Row
from fewshot.results.seen_classes import counted, sentence


def percent(row: Row) -> str:
    """The accuracy in percent with its interval: "84.5 ± 0.6", "84.5 [80.1, 86.0]", "84.5" without one, or "–"."""
    if not measured(row):
        return "–"
    mean, bounds = 100 * accuracy(row), interval(row)
    if bounds is None:
        return f"{mean:.1f}"
    low, high = 100 * bounds[0], 100 * bounds[1]
    half = (high - low) / 2
    digits = 2 if half < 0.05 else 1
    if abs((high + low) / 2 - mean) < 0.05:
        return f"{mean:.{digits}f} ± {half:.{digits}f}"
    return f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def details(row: Row) -> str:
    """All that one cell or dot stands for, a line each: mean, interval, episodes, notes, run."""
    bounds = interval(row)
    said = (
        f"mean {100 * accuracy(row):.2f} %" if measured(row) else "no number",
        "no interval" if bounds is None else f"95 % interval {100 * bounds[0]:.2f} to {100 * bounds[1]:.2f} %",
        *(f"for {kind.words([row])} {intervals.percent(kind.bounds(row))} %" for kind in intervals.known([row])),
        f"{row.n_episodes} episode{'' if row.n_episodes == 1 else 's'}",
        *notes([row]),
        f"run {row.run_id}",
    )
    return "\n".join(said)


def notes(rows: Sequence[Row]) -> tuple[str, ...]:
    """What a reader has to know before trusting the numbers of one contender."""
    stopped, episodes = sum(row.n_not_converged for row in rows), sum(row.n_episodes for row in rows)
    said = [_transductive([row for row in rows if row.transductive])]
    said.extend(dict.fromkeys(_seen(row) for state in ("seen", "unknown") for row in rows if row.seen_classes == state))
    said.append(f"{stopped} of {episodes} not converged" if stopped else "")
    said.extend(dict.fromkeys(map(choice, rows)))
    said.extend(dict.fromkeys(map(unequal_queries, rows)))
    return tuple(filter(None, said))


def _seen(row: Row) -> str:
    """How many of its classes the weights of a row were trained on, for a note."""
    if row.seen_classes == "unknown":
        return "seen classes unknown"
    if row.n_seen_classes is None:  # an older row
        return "classes seen in training"
    unknown = f", {row.n_unknown_classes} unknown" if row.n_unknown_classes else ""
    counts = row.n_seen_classes, row.n_unknown_classes or 0, row.n_classes
    return f"{counted(*counts, row.seen_classes_by)} classes seen in training{unknown}"


def unequal_queries(row: Row) -> str:
    """A pointer to the mean per-class accuracy if it is not the accuracy, because classes have unequally many queries;
    "" otherwise, and for older rows."""
    value = row.measures.get("mean_per_class")
    if not measured(row) or not isinstance(value, float) or math.isclose(value, accuracy(row), abs_tol=1e-9):
        return ""
    return f"classes have unequally many queries: the mean per-class accuracy is {100 * value:.1f} %"


def training_data(row: Row) -> str:
    """The same as a sentence, with what the weights were trained on and how the classes were found; "" where nothing is
    known to say of a row: an older one, or one of weights that were trained on nothing."""
    if row.n_seen_classes is None or row.pretrained_on == "nothing":
        return ""
    counts = row.n_seen_classes, row.n_unknown_classes or 0, row.n_classes
    return sentence(*counts, row.classes.replace("listed", ""), row.pretrained_on, row.seen_classes_by)


def _transductive(rows: Sequence[Row]) -> str:
    """What to say of rows whose evaluator saw all queries: as many of every class is itself an answer, to a part of
    the question, and a score under other shares has to stand beside it."""
    balanced = any(map(_asks_classes_alike, rows))
    return "transductive" + ": balanced queries are a hidden prior" * balanced if rows else ""


def _asks_classes_alike(row: Row) -> bool:
    """Whether all classes of an episode are known to have as many queries."""
    sampler = asked(row).sampler
    fixed = row.n_query is not None or bool(sampler.declares("most_open_queries"))
    return fixed and sampler.declares("queries_on_average") is False
