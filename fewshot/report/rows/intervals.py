"""The intervals of rows beyond that over episodes, in words: for whom each speaks, and why there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fewshot.results.row import Row
from fewshot.statistics.intervals import NEW_DRAWS, NEW_IMAGES

MOST_MONTE_CARLO = 0.2  # share of a variance that the number of episodes may have
OLDER = "the run was made by an older release"
Bounds = tuple[float, float]


@dataclass(frozen=True)
class Kind:
    """One interval of a row: its columns, a short name, and whom it speaks of."""

    columns: str
    name: str

    def words(self, rows: Sequence[Row]) -> str:
        """Whom the interval speaks of."""
        if self.columns == "new_classes":
            units = dict.fromkeys(row.new_classes_unit or "classes" for row in rows)
            return " or ".join(f"new {unit}" for unit in units)
        return NEW_DRAWS if self.columns == "new_draws" else NEW_IMAGES

    def bounds(self, row: Row) -> Bounds | None:
        """The interval, or None."""
        low, high = getattr(row, f"{self.columns}_low"), getattr(row, f"{self.columns}_high")
        if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
            return None
        return float(low), float(high)

    def reason(self, row: Row) -> str:
        """Why there is no interval; "" where there is one."""
        if self.bounds(row) is not None:
            return ""
        return str(getattr(row, f"{self.columns}_reason")) or OLDER


KINDS = (Kind("new_images", "new images"), Kind("new_classes", "new classes"), Kind("new_draws", "new supports"))


def known(rows: Sequence[Row]) -> list[Kind]:
    """The kinds of which any of these rows has an interval."""
    return [kind for kind in KINDS if any(kind.bounds(row) is not None for row in rows)]


def texts(row: Row, kinds: Sequence[Kind]) -> list[str]:
    """The intervals in percent, one of every kind: "[58.1, 67.8]", and "[–]" where a row has none."""
    return [percent(kind.bounds(row)) for kind in kinds]


def percent(found: Bounds | None) -> str:
    """An interval in percent, or a dash whose reason `why` tells."""
    return "[–]" if found is None else f"[{100 * found[0]:z.1f}, {100 * found[1]:z.1f}]"


def meaning(rows: Sequence[Row]) -> list[str]:
    """What the square brackets of these rows are, and why there is no other interval, as sentences; none for rows of
    older releases."""
    measured = [row for row in rows if row.status == "ok"]
    kinds = known(measured)
    named = ", ".join(f"for {kind.words(measured)}" for kind in kinds)
    order = " one after the other" if len(kinds) > 1 else ""
    brackets = [f"Square brackets{order}: 95 % interval {named}."] if kinds else []
    return [*brackets, *narrower(measured), *why(measured)]


def narrower(rows: Sequence[Row]) -> list[str]:
    """A sentence where more episodes would make intervals for new classes much narrower; else none."""
    share = max((row.new_classes_monte_carlo or 0.0 for row in rows), default=0.0)
    if not share > MOST_MONTE_CARLO:
        return []
    where = "" if len(rows) == 1 else "up to "
    return [f"Of the variance for new classes {where}{100 * share:.0f} % is of few episodes: more would narrow it."]


def why(rows: Sequence[Row]) -> list[str]:
    """A sentence for every kind of interval that some of these rows lack: whom it would speak of, and the reason. Whole
    test sets are missed only where all classes are ways; nothing is said where all rows are of older releases."""
    alone = dict.fromkeys(row.accuracy_reason for row in rows if row.accuracy_reason)
    said = [f"None for other episodes: {'; or '.join(alone)}."] if alone else []
    for kind in KINDS:
        asked = [row for row in rows if kind.columns != "new_draws" or row.draws or row.new_draws_low is not None]
        some = any(kind.bounds(row) for row in asked)
        reasons = [r for r in dict.fromkeys(map(kind.reason, asked)) if r and (some or r != OLDER)]
        if reasons:
            cells = " in some cells" if some else ""
            said.append(f"None{cells} for {kind.words(asked)}: {'; or '.join(reasons)}.")
    return said
