"""All pairs of many runs: a narrow table of the first ones for a terminal, and a CSV file of every pair."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from tabulate import tabulate

from fewshot.files.csv_files import csv_text
from fewshot.plugins.wording import counted
from fewshot.report.comparisons.claims import Claims
from fewshot.report.comparisons.run_pair import RunPair
from fewshot.report.comparisons.verdicts import p_value, points
from fewshot.report.tables.exports import safe
from fewshot.report.tables.short_texts import shortened_or_wrapped

MOST = 40  # pairs of a table
_LEAST_NAME = 12  # characters
_COLUMNS = ("task", "a", "b", "run_a", "run_b", "episodes")
_BOUNDS = ("difference", "low", "high")


def pairs_table(claims: Claims, names: Mapping[str, str], width: int) -> str:
    """The pairs of the most accurate runs, at most MOST, in a table of this width. `names`: by run id."""
    tested = list(zip(claims.pairs, claims.p_values, strict=True))[:MOST]
    numbers = [
        (points(pair.comparison.new_classes), "" if math.isnan(p) else p_value(p).removeprefix("= "))
        for pair, p in tested
    ]
    titles = ("A", "minus B", f"new {claims.contest.units.name}", "p")
    taken = sum(2 + max(map(len, column)) for column in zip(titles[2:], *numbers, strict=True)) + 2
    runs = [run_id for pair, _ in tested for run_id in (pair.a.run_id, pair.b.run_id)]
    whole = [names[run_id] for run_id in dict.fromkeys(runs)]
    short = shortened_or_wrapped(whole, max(_LEAST_NAME, (width - taken) // 2))
    by_id = dict(zip(dict.fromkeys(runs), short, strict=True))
    lines = [
        (by_id[pair.a.run_id], by_id[pair.b.run_id], *texts) for (pair, _), texts in zip(tested, numbers, strict=True)
    ]
    table = tabulate(lines, titles, "simple", disable_numparse=True)
    return "\n".join([table, *_below(claims, width)])


def _below(claims: Claims, width: int) -> list[str]:
    """What stands below the table, wrapped."""
    rest = len(claims.pairs) - MOST
    texts = ["Differences of accuracy in points, the most accurate runs first."]
    if rest > 0:
        texts.append(f"{counted(rest, 'more pair')}: --out FILE.csv or --json writes all of them.")
    return ["", *wrap(" ".join(texts), width, break_on_hyphens=False)]


def pairs_csv(every: Sequence[Claims], names: Mapping[str, str]) -> bytes:
    """Every pair of these contests as a line, the most accurate runs first; differences are fractions."""
    header = [*_COLUMNS, *(f"{name}_{of}" for of in ("these_images", "new_classes") for name in _BOUNDS), "p"]
    lines = [
        _csv_line(claims, pair, p, names)
        for claims in every
        for pair, p in zip(claims.pairs, claims.p_values, strict=True)
    ]
    return csv_text([header, *lines]).encode()


def _csv_line(claims: Claims, pair: RunPair, p: float, names: Mapping[str, str]) -> list[Any]:
    comparison = pair.comparison
    bounds = [
        bound for one in (comparison.these_images, comparison.new_classes) for bound in (one.mean, one.low, one.high)
    ]
    about = (claims.title, names[pair.a.run_id], names[pair.b.run_id], pair.a.run_id, pair.b.run_id)
    return [*map(safe, about), len(pair.accuracy_a), *("" if math.isnan(x) else x for x in (*bounds, p))]
