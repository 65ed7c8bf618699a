"""The intervals of a row beside that for these images: what each is for, and why one is missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fewshot.plugins.wording import listed
from fewshot.report.rows.dependence import draws_depend
from fewshot.report.rows.reasons import ONE_DRAW, are_fixed, sentence
from fewshot.results.row import Row
from fewshot.statistics.interval import DEPENDENT_DRAWS
from fewshot.statistics.units import ENOUGH_CLASSES

MOST_MONTE_CARLO = 0.2  # share of episode noise in a variance above which readers get a note
_NARROW = 1e-3  # a width that one digit would round to nothing
OLDER = "the run was made by an older release"
NO_SPREAD = "every episode has the same accuracy"
THESE_IMAGES = (
    "An interval for these images covers other episodes of the same images and classes, not new images or new classes."
)
Bounds = tuple[float, float]


@dataclass(frozen=True)
class Kind:
    """One interval of a row: the stem of its columns, and its short name."""

    columns: str
    name: str

    def population(self, rows: Sequence[Row]) -> str:
        """What the interval is for: "new images", "new classes" or the groups that rows name, "new draws"."""
        if self.columns == "new_classes":
            units = dict.fromkeys(row.new_classes_unit or "classes" for row in rows)
            return " or ".join(f"new {unit}" for unit in units)
        return self.name

    def bounds(self, row: Row) -> Bounds | None:
        """The interval, or None."""
        if self.columns == "new_draws" and draws_depend(row):
            return None
        low, high = getattr(row, f"{self.columns}_low"), getattr(row, f"{self.columns}_high")
        if low is None or high is None or not (math.isfinite(low) and math.isfinite(high) and low < high):
            return None
        return float(low), float(high)

    def reason(self, row: Row) -> str:
        """Why the interval is missing, as rows store it; "" if it is there."""
        if self.bounds(row) is not None:
            return ""
        if self.columns == "new_draws" and draws_depend(row):
            return DEPENDENT_DRAWS
        low, high = getattr(row, f"{self.columns}_low"), getattr(row, f"{self.columns}_high")
        return str(getattr(row, f"{self.columns}_reason")) or (OLDER if low is None or low != high else NO_SPREAD)


KINDS = (Kind("new_images", "new images"), Kind("new_classes", "new classes"), Kind("new_draws", "new draws"))


def known(rows: Sequence[Row]) -> list[Kind]:
    """The kinds of interval that at least one of the rows has."""
    return [kind for kind in KINDS if any(kind.bounds(row) is not None for row in rows)]


def of_rankings(rows: Sequence[Row]) -> list[Kind]:
    """Those of them that rankings may be for: without new classes where the classes are too few."""
    few = any((row.new_classes_unit or "classes") == "classes" and row.n_classes < ENOUGH_CLASSES for row in rows)
    return [kind for kind in known(rows) if not (few and kind is KINDS[1])]


def beside(rows: Sequence[Row]) -> list[Kind]:
    """The kinds of [ ] in the cells of a table: all that are known, or that for new draws alone. It stands in place of
    the ± of these images, which may be the wider one, because it has the quantile of a few draws."""
    kinds = known(rows)
    return [KINDS[2]] if KINDS[2] in kinds else kinds


def texts(row: Row, kinds: Sequence[Kind]) -> list[str]:
    """The intervals in %, one per kind: "[58.1, 67.8]", or "[–]" if the row lacks it."""
    return [percent(kind.bounds(row)) for kind in kinds]


def percent(bounds: Bounds | None) -> str:
    """An interval in %, or a dash; `why` gives the reason."""
    return "[–]" if bounds is None else f"[{100 * bounds[0]:z.1f}, {100 * bounds[1]:z.1f}]"


def bracket(bounds: Bounds | None) -> str:
    """An interval in %, with two digits if it is narrow; "" for none, and for a single value, which proves nothing."""
    if bounds is None or not bounds[0] < bounds[1]:
        return ""
    digits = 2 if bounds[1] - bounds[0] < _NARROW else 1
    return f"[{100 * bounds[0]:z.{digits}f}, {100 * bounds[1]:z.{digits}f}]"


def meaning(rows: Sequence[Row]) -> list[str]:
    """What the square brackets of these rows are, and why other intervals are missing, one sentence each; none for
    rows of older releases."""
    measured = [row for row in rows if row.status == "ok"]
    return [*brackets(measured, beside(measured)), *narrower(measured), *why(measured)]


def brackets(rows: Sequence[Row], kinds: Sequence[Kind] | None = None) -> list[str]:
    """A sentence for the square brackets of these rows; none if there are none. `kinds`: those shown, if not all."""
    kinds = known(rows) if kinds is None else kinds
    if not kinds:
        return []
    order = "s, in this order," if len(kinds) > 1 else ""
    explained = [f"for {_explained(kind, rows)}" for kind in kinds]
    return [f"{' '.join(['[ ]'] * len(kinds))}: 95 % interval{order} {listed(explained)}."]


def narrower(rows: Sequence[Row]) -> list[str]:
    """A sentence if more episodes would make the interval for new classes much narrower; else none."""
    share = max((row.new_classes_monte_carlo or 0.0 for row in rows), default=0.0)
    if not share > MOST_MONTE_CARLO or are_fixed(rows):
        return []
    most = "" if len(rows) == 1 else "Up to "
    unit = "new-class" if KINDS[1].population(rows) == "new classes" else "new-group"
    return [
        f"{most}{100 * share:.0f} % of the {unit} variance is episode noise; more episodes will narrow the interval."
    ]


def why(rows: Sequence[Row]) -> list[str]:
    """For every kind of interval that some rows lack, a sentence with the reason. An interval for new draws is missed
    only if each episode is a whole test set; nothing is said if all rows are of older releases."""
    lacking = [reason for row in rows if (reason := of_images(row))]
    sentences = [sentence("No interval for these images", lacking, are_fixed(rows))] if lacking else []
    for kind in KINDS:
        eligible = [row for row in rows if kind.columns != "new_draws" or row.draws or row.new_draws_low is not None]
        some = any(kind.bounds(row) for row in eligible)
        reasons = [reason for row in eligible if (reason := kind.reason(row)) and (some or reason != OLDER)]
        if reasons:
            cells = " in some cells" if some else ""
            sentences.append(sentence(f"No interval{cells} for {kind.population(eligible)}", reasons, are_fixed(rows)))
    return sentences


def of_images(row: Row) -> str:
    """Why the interval for these images is missing; "" if it is there. All equal episodes give one without width, which
    is no certainty; draws that depend on each other have none, nor has the one draw of a set of a benchmark."""
    if draws_depend(row) and row.n_episodes > 1:
        return DEPENDENT_DRAWS
    if row.n_episodes == 1 and row.draws and row.benchmark_set:
        return ONE_DRAW
    known = row.accuracy_low is not None and row.accuracy_low == row.accuracy_high
    return row.accuracy_reason or (NO_SPREAD if known else "")


def without(rows: Sequence[Row]) -> list[str]:
    """A sentence with the reason for every run that lacks the interval for new classes; none if no run lacks it."""
    reasons = [reason for row in rows if (reason := KINDS[1].reason(row)) and reason != OLDER]
    return [sentence(f"No interval for {KINDS[1].population(rows)}", reasons, are_fixed(rows))] if reasons else []


def _explained(kind: Kind, rows: Sequence[Row]) -> str:
    """The population, with what a draw is."""
    more = " (another support and other test images of these classes)" if kind.columns == "new_draws" else ""
    return kind.population(rows) + more
