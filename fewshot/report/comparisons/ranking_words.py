"""Rankings in sentences: which run is the best, whether the others may be as good, and what limits the claim."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fewshot.plugins.wording import counted
from fewshot.report.comparisons.standing import Standing
from fewshot.report.rows.intervals import of_images
from fewshot.report.rows.reasons import are_fixed
from fewshot.report.rows.reasons import sentence as missing
from fewshot.statistics.interval import Interval


def verdict(standings: Sequence[Standing], population: str, reason: str = "", few: str = "", untested: str = "") -> str:
    """One sentence: the best run, and its lead or the runs that may be as good. `reason`: why it is not for new
    classes, as rows store it; the sentence then names these classes. `few`: their number, if they are too few.
    `untested`: why there is no test at all; the sentence then claims none."""
    if untested:
        return f"{_highest(standings, _among(standings[0], reason))} not tested: {untested}."
    more = f"; {few} are too few to speak for new ones" if few else ""
    without = [standing for standing in standings if standing.untested]
    return f"{_claim(standings, population, _among(standings[0], reason))}{more}.{_not_tested(without)}"


def _not_tested(standings: Sequence[Standing]) -> str:
    """A sentence about the runs without a test; "" for none."""
    if not standings:
        return ""
    first, more = standings[0], counted(len(standings) - 1, "other")
    if len(standings) == 1:
        return f" {first.name} was not tested ({first.untested}), so it may be better or worse."
    return f" {first.name} and {more} were not tested ({first.untested}), so they may be better or worse."


def _highest(standings: Sequence[Standing], among: str) -> str:
    """The run with the highest accuracy, and that the differences were ..."""
    best, several = standings[0], len(standings) > 2
    differences = "differences are" if several else "difference is"
    return (
        f"{best.name} has the highest accuracy{among}, {100 * best.accuracy:.1f} %; whether the {differences} real was"
    )


def _among(best: Standing, reason: str) -> str:
    """The classes that a claim holds for, if it is not for new ones."""
    return f" on these {counted(best.row.n_classes, 'class')}" if reason and best.row.n_classes > 1 else ""


def _claim(standings: Sequence[Standing], population: str, among: str) -> str:
    best, others = standings[0], standings[1:]
    reached = f"{100 * best.accuracy:.1f} %"
    if not others:
        return f"{best.name} reaches {reached}{among}{_bounds(best.interval, population)}"
    rivals = [standing for standing in others if standing.leads]
    n_tested = sum(not standing.untested for standing in standings)
    tested = f" the {n_tested:,} tested runs" if n_tested < len(standings) else ""
    if rivals:
        ties = [standing for standing in rivals if _lead(standing, best) == 0]
        behind = [standing for standing in rivals if standing not in ties]
        clauses = [f", and {_equal(ties)}"] if ties else []
        clauses += [f", but {_as_good(behind, best, n_tested, population)}"] if behind else []
        return f"{best.name} leads{tested}{among} with {reached}{''.join(clauses)}"
    rest = [standing for standing in others if not math.isnan(standing.p_adjusted)]
    if not rest:
        return f"{best.name} reaches {reached}{among}; only oracles are better"
    lead, certain = _points(rest[0], best), _difference(rest[0], population)
    first = f"{best.name} is the best{tested and f' of{tested}'}{among}"
    return f"{first}: {reached}, {lead} above the next, {rest[0].name}{certain}"


def _equal(ties: Sequence[Standing]) -> str:
    """That runs have exactly the accuracy of the best one, and whether they have it everywhere, not only on average."""
    others = f" and {counted(len(ties) - 1, 'other')}" if len(ties) > 1 else ""
    verb = "are" if others else "is"
    every = all(one.images is not None and one.images.low == one.images.high == 0 for one in ties)
    return f"{ties[0].name}{others} {verb} equal to it{' throughout' if every else ' on average'}"


def _as_good(rivals: Sequence[Standing], best: Standing, n_runs: int, population: str) -> str:
    first = rivals[0]
    if len(rivals) == 1:
        behind = f"{_points(first, best)} {'behind' if _lead(first, best) >= 0 else 'ahead'}"
        among = f", not significant among {n_runs:,} runs" if n_runs > 2 else ""
        return f"{first.name} may be as good: it is {behind}{_difference(first, population)}{among}"
    others = counted(len(rivals) - 1, "other")
    leads = [100 * _lead(standing, best) for standing in rivals]
    least, most = min(leads), max(leads)
    size = f"{least:z.1f} to {most:z.1f} points behind"
    if least < 0:  # a run of few episodes may beat the best one on them
        size = f"between {-least:z.1f} points ahead and {most:z.1f} behind"
    return (
        f"{first.name} and {others} may be as good for {population}: they are {size}, which is not significant among "
        f"{n_runs:,} runs"
    )


def _lead(standing: Standing, best: Standing) -> float:
    """The best minus this run, on the same episodes if both have predictions."""
    return best.accuracy - standing.accuracy if standing.images is None else -standing.images.mean


def _points(standing: Standing, best: Standing) -> str:
    size = abs(100 * _lead(standing, best))
    digits = 1 if abs(size) >= 0.05 or size == 0 else 2
    return f"{size:z.{digits}f} point{'' if f'{size:.1f}' == '1.0' else 's'}"


def _difference(standing: Standing, population: str) -> str:
    """The interval of the lead in brackets; "" if there is none."""
    found = standing.difference
    return "" if found is None or not found.low < found.high else _bounds(_turned(found), population)


def _turned(interval: Interval) -> tuple[float, float]:
    return -interval.high, -interval.low


def _bounds(bounds: tuple[float, float] | None, population: str) -> str:
    if bounds is None:
        return ""
    return f" (95 % interval {100 * bounds[0]:z.1f} to {100 * bounds[1]:z.1f} for {population})"


def caveats(standings: Sequence[Standing], reason: str, few: str = "", untested: str = "") -> list[str]:
    """What limits the ranking, one sentence each; that the classes are too few is in the verdict already."""
    every = [of_images(standing.row) for standing in standings]
    fixed = are_fixed([standing.row for standing in standings])
    unpaired = 0 if untested else sum("without pairing" in standing.reason for standing in standings)
    sentences = [
        missing("No interval for these images", lacking, fixed) if (lacking := list(filter(None, every))) else "",
        missing("No test for new classes", [reason], fixed) if reason and not few and not untested else "",
        f"{counted(unpaired, 'run')} of {len(standings):,} compared without pairing, which separates less"
        " (no stored predictions of the same episodes)."
        if unpaired
        else "",
    ]
    return list(filter(None, sentences))
