"""The output of `fewshot compare --json` as one small table for a README, with sentences about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate

from fewshot.report.comparisons.verdicts import number, p_value, points
from fewshot.statistics.interval import Interval

_TITLES = (
    *("A minus B", "with", "shots", "these images", "new classes"),
    *("correlation", "width unpaired", "width paired", "p over classes"),
)


def compared_table(outputs: Sequence[Mapping[str, Any]]) -> str:
    """One line per pair, in points. Below it, one line each: pairs whose own intervals overlap, and warnings."""
    pairs = [(contest, pair) for output in outputs for contest in output["contests"] for pair in contest["pairs"]]
    if not pairs:
        raise ValueError("nothing was compared; write benchmarks/results/compare_*.json by fewshot compare --json")
    table = tabulate([_line(*both) for both in pairs], _TITLES, "github", disable_numparse=True)
    overlaps = filter(None, (_overlapping(*both) for both in pairs))
    warnings = dict.fromkeys(
        f"{_group(contest)}: {text[0].lower()}{text[1:]}" for contest, _ in pairs for text in contest["warnings"]
    )
    notes = "\n".join(f"- {text}" for text in [*overlaps, *warnings])
    return "\n\n".join(filter(None, [table, notes])) + "\n"


def _line(contest: Mapping[str, Any], pair: Mapping[str, Any]) -> tuple[str, ...]:
    images = Interval(**pair["these_images"])
    return (
        _name(contest, pair, " − "),
        contest["with"],
        contest["shots"],
        points(images),
        points(_interval(pair["new_classes"])),
        number(_value(pair["correlation"]), 2),
        number(100 * pair["unpaired_width"], 2),
        number(100 * (images.high - images.low), 2),
        p_value(_value(pair.get("p_holm", pair.get("p_best")))).removeprefix("= "),
    )


def _overlapping(contest: Mapping[str, Any], pair: Mapping[str, Any]) -> str:
    """What the paired comparison shows if the usual intervals of both runs overlap; else ""."""
    runs = {run["run_id"]: run for run in contest["runs"]}
    a, b = (Interval(**runs[pair[side]]["these_images"]) for side in "ab")
    if a.low > b.high or b.low > a.high:
        return ""
    both = " and ".join(f"{100 * one.low:.2f} to {100 * one.high:.2f}" for one in (a, b))
    return (
        f"{_name(contest, pair, ' and ')} with {contest['with']} at {contest['shots']}: the usual intervals overlap "
        f"({both}), so they cannot tell. Paired on the same episodes, the difference is {pair['verdict']}."
    )


def _group(contest: Mapping[str, Any]) -> str:
    return f"{contest['by'].capitalize()}s with {contest['with']}"


def _name(contest: Mapping[str, Any], pair: Mapping[str, Any], between: str) -> str:
    names = {run["run_id"]: run["name"] for run in contest["runs"]}
    return f"{names[pair['a']]}{between}{names[pair['b']]}"


def _interval(values: Mapping[str, Any]) -> Interval:
    return Interval(**{key: _value(value) for key, value in values.items()})


def _value(value: Any) -> Any:
    """NaN for null: JSON has no NaN."""
    return float("nan") if value is None else value
