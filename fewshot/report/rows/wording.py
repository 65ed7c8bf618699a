"""Words for single rows: their accuracy, their details, and what to know before you trust them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fewshot.plugins.wording import counted
from fewshot.protocols._heads import head_label
from fewshot.report.rows import choices, intervals
from fewshot.report.rows.selection_budgets import choice
from fewshot.report.rows.tasks import accuracy, interval, measured
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of
from fewshot.results.seen_classes import counted as counted_classes
from fewshot.results.seen_classes import sentence

_ROUNDING = 1e-9  # of sums of decimals


def percent(row: Row) -> str:
    """The accuracy in % with its interval: "84.5 ± 0.6", "84.5 [80.1, 86.0]", "84.5" without one, or "–"."""
    return with_interval(accuracy(row), interval(row)) if measured(row) else "–"


def with_interval(value: float, bounds: tuple[float, float] | None) -> str:
    """A fraction in % with its interval: "84.5 ± 0.6"; or "98.0 [94.9, 100.0]" if the value is not its middle, or if ±
    would reach below 0 or above 100."""
    mean = 100 * value
    if bounds is None:
        return f"{mean:.1f}"
    low, high = 100 * bounds[0], 100 * bounds[1]
    half = (high - low) / 2
    digits = 2 if half < 0.05 else 1
    reach = round(mean, digits) - round(half, digits), round(mean, digits) + round(half, digits)
    possible = reach[0] > -_ROUNDING and reach[1] < 100 + _ROUNDING
    if possible and abs((high + low) / 2 - mean) < 0.05:
        return f"{mean:.{digits}f} ± {half:.{digits}f}"
    return f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def details(row: Row) -> str:
    """The details of one cell or mark, one per line: mean, intervals, episodes, notes, run."""
    bounds, further, these = interval(row), intervals.known([row]), f" for {row.population}" if row.population else ""
    lines = (
        f"mean {100 * accuracy(row):.2f} %" if measured(row) else "no accuracy",
        "no interval" if bounds is None else f"95 % interval{these} [{100 * bounds[0]:.2f}, {100 * bounds[1]:.2f}] %",
        *(f"95 % interval for {k.population([row])} {intervals.percent(k.bounds(row))} %" for k in further),
        counted(row.n_episodes, "episode"),
        *notes([row]),
        f"run {row.run_id}",
    )
    return "\n".join(lines)


def notes(rows: Sequence[Row]) -> tuple[str, ...]:
    """What a reader must know before trusting the accuracies of one contender."""
    stopped, episodes = sum(row.n_not_converged for row in rows), sum(row.n_episodes for row in rows)
    texts = [_transductive([row for row in rows if row.transductive])]
    texts.extend(
        dict.fromkeys(_seen(row) for state in ("seen", "unknown") for row in rows if row.seen_classes == state)
    )
    texts.append(f"{stopped:,} of {counted(episodes, 'episode')} did not converge" if stopped else "")
    texts.extend(dict.fromkeys(f"class names as {row.templates}" for row in rows if row.templates))
    texts.extend(dict.fromkeys(map(choice, rows)))
    texts.append(choices.chosen_before(*rows))
    texts.extend(dict.fromkeys(text for row in rows for text in choices.notes(row)))
    texts.extend(dict.fromkeys(map(unequal_queries, rows)))
    texts.extend(dict.fromkeys(map(head_label, rows)))
    return tuple(filter(None, texts))


def _seen(row: Row) -> str:
    """How many of the classes the weights of a row have seen in training, as a note. Matching by name misses classes
    that the training data calls otherwise, so such a count is a lower bound."""
    if row.seen_classes == "unknown":
        return "seen classes unknown"
    if row.n_seen_classes is None:  # an older row
        return "classes seen in training"
    unknown = f", {row.n_unknown_classes} unknown" if row.n_unknown_classes else ""
    counts = row.n_seen_classes, row.n_unknown_classes or 0, row.n_classes
    return f"{counted_classes(*counts, row.seen_classes_by)} classes seen in training{unknown}"


def unequal_queries(row: Row) -> str:
    """A pointer to the mean per-class accuracy if it is not the accuracy, because classes have unequally many queries;
    "" otherwise, and for older rows."""
    value = row.measures.get("mean_per_class")
    if not measured(row) or not isinstance(value, float) or math.isclose(value, accuracy(row), abs_tol=1e-9):
        return ""
    return f"classes have unequally many queries: the mean per-class accuracy is {100 * value:.1f} %"


def training_data(row: Row) -> str:
    """The same as a sentence, with the training data of the weights and how classes were matched; "" for rows of older
    releases and for weights that were trained on nothing."""
    if row.n_seen_classes is None or row.pretrained_on == "nothing":
        return ""
    counts = row.n_seen_classes, row.n_unknown_classes or 0, row.n_classes
    return sentence(*counts, row.classes.replace("listed", ""), row.pretrained_on, row.seen_classes_by)


def _transductive(rows: Sequence[Row]) -> str:
    """The note for rows whose evaluator sees all queries at once; "" for no rows. Balanced queries give it a prior,
    because the number of queries per class is part of the answer."""
    balanced = any(map(_has_balanced_queries, rows))
    return "transductive" + ": balanced queries give it a prior" * balanced if rows else ""


def _has_balanced_queries(row: Row) -> bool:
    """Whether all classes of an episode are known to have equally many queries."""
    sampler = specs_of(row).sampler
    fixed = row.n_query is not None or bool(sampler.declares("most_open_queries"))
    return fixed and sampler.declares("queries_on_average") is False
