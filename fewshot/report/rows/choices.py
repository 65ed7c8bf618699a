"""What runs chose among the settings of their grids, and whether the grids were wide and fine enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fewshot import protocols
from fewshot.files.regular import parsed_json
from fewshot.plugins.grids import combinations
from fewshot.plugins.registry import EVALUATORS
from fewshot.plugins.short_name import one_line, with_values
from fewshot.plugins.wording import listed
from fewshot.protocols._heads import has_own_head
from fewshot.report.rows.tasks import shot_label
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of

_MAJORITY = 0.5  # share of the episodes that choose the edge of a grid, from which on the notes say so
_SHOWN = 4  # settings that a note names
_LONGEST = 80  # characters of a setting


@dataclass(frozen=True)
class Neighbours:
    """The values of one field next to the chosen one, with all other fields as chosen: places in the grid."""

    field: str
    below: int | None  # None: the chosen value is the smallest
    above: int | None

    @property
    def edge(self) -> str:
        """Which end of the grid was chosen: "smallest", "largest", or "" for neither."""
        return "smallest" if self.below is None else "largest" if self.above is None else ""


def notes(row: Row) -> tuple[str, ...]:
    """What the supports of a run chose, and why its grid should be wider or finer; () without a choice."""
    return tuple(filter(None, [chosen_settings(row), *_of_supports(row), *_of_trials(row)]))


def chosen_before(*rows: Row) -> str:
    """What the selection before each run chose, such as "the selection chose C=10"; with the shots where the runs of
    several shots chose otherwise; "" if nothing was chosen."""
    by_setting: dict[str, dict[str, None]] = {}
    for row in rows:
        if row.chosen:
            by_setting.setdefault(_chosen(row), {})[shot_label(row)] = None
    if not by_setting:
        return ""
    several = len(by_setting) > 1
    texts = [f"{setting} at {listed(list(shots))}" if several else setting for setting, shots in by_setting.items()]
    return f"the selection chose {listed(texts)}"


def _chosen(row: Row) -> str:
    """The chosen values of the grid; the whole evaluator if its rule is unreadable."""
    spec, settings = EVALUATORS.read(row.chosen), _settings(row, inside=False)
    setting = {name: spec.fields[name] for name in (settings[0] if settings else {}) if name in spec.fields}
    return one_line(_named(setting) if setting else spec.short_name, _LONGEST)


def chosen_evaluator(row: Row) -> str:
    """The evaluator that the selection before a run chose, with the chosen values: "LinearProbe(C=100.0)"."""
    rule = specs_of(row).selection
    return with_values(EVALUATORS.read(row.chosen), () if rule is None else [field for field, _ in rule.grid])


def chosen_settings(row: Row) -> str:
    """How many episodes chose each setting on their support, the most chosen first; "" if they chose nothing."""
    counts, settings = _counts(row.support_choices), _settings(row, inside=True)
    if not settings or not 0 < len(counts) <= len(settings):
        return ""
    total, order = sum(counts), sorted(range(len(counts)), key=lambda place: -counts[place])
    shown = [f"{_named(settings[place])} ({100 * counts[place] / total:.0f} %)" for place in order if counts[place]]
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return f"the supports chose {', '.join(shown[:_SHOWN])}{more}"


def _of_supports(row: Row) -> Iterator[str]:
    """The ends of the grid that most episodes chose."""
    counts, settings = _counts(row.support_choices), _settings(row, inside=True)
    if not settings or not 0 < len(counts) <= len(settings):
        return
    for field, values in _ordered(settings).items():
        for value, end, further in ((values[0], "smallest", "smaller"), (values[-1], "largest", "larger")):
            share = sum(n for n, one in zip(counts, settings, strict=False) if one[field] == value) / sum(counts)
            if share >= _MAJORITY:
                what = _named({field: value})
                advice = _advice(row, f"try {further} values")
                yield f"{100 * share:.0f} % of the episodes chose {what}, the {end} of the grid: {advice}"


def _of_trials(row: Row) -> Iterator[str]:
    """Where the best setting before the run is at an end of the grid, or far better than both neighbours."""
    tried, settings = _trials(row.trial_accuracies), _settings(row, inside=False)
    if not settings or len(tried) != len(settings):
        return
    best = max(range(len(tried)), key=lambda place: tried[place][0])
    half = _half_width(tried[best])
    for one in _neighbours(settings, best):
        chosen = _named({one.field: settings[best][one.field]})
        places = [place for place in (one.below, one.above) if place is not None]
        gain = min(tried[best][0] - tried[place][0] for place in places)
        clear = half is not None and gain > half
        others = " and ".join(_named({one.field: settings[place][one.field]}) for place in places)
        better = f"{100 * gain:.1f} points better than {others}, more than its interval (± {100 * (half or 0):.1f})"
        if one.edge:
            further = "smaller" if one.edge == "smallest" else "larger"
            rising = f", and {better}" if clear else ""
            yield f"{chosen} is the {one.edge} of the grid{rising}: {_advice(row, f'try {further} values')}"
        elif clear:
            yield f"{chosen} is {better}: {_advice(row, 'try values in between')}"


def _advice(row: Row, to_do: str) -> str:
    """What to do about the grid of a run; that of a benchmark's own head is no choice of the user."""
    known = protocols.of_protocol(row.protocol) if row.benchmark_set else None
    prescribed = known is not None and has_own_head(row, known)
    return f"{row.protocol} prescribes this grid" if prescribed else to_do


def _neighbours(settings: Sequence[dict[str, Any]], best: int) -> Iterator[Neighbours]:
    """The neighbours of a setting, field by field of those that hold numbers."""
    for field, values in _ordered(settings).items():
        at = values.index(settings[best][field])
        beside = [values[place] if 0 <= place < len(values) else None for place in (at - 1, at + 1)]
        below, above = (None if value is None else settings.index(settings[best] | {field: value}) for value in beside)
        yield Neighbours(field, below, above)


def _ordered(settings: Sequence[dict[str, Any]]) -> dict[str, list[float]]:
    """The values of each field, ascending, of the fields that have several and only numbers."""
    columns = {field: list(dict.fromkeys(one[field] for one in settings)) for field in settings[0]}
    return {
        field: sorted(values)
        for field, values in columns.items()
        if len(values) > 1 and all(type(value) in (int, float) for value in values)
    }


def _settings(row: Row, inside: bool) -> list[dict[str, Any]]:
    """The settings of the grid that the supports (`inside`) or the run before it chose from; none if unreadable."""
    if inside:
        grid = (EVALUATORS.read(row.chosen) if row.chosen else specs_of(row).evaluator).fields.get("grid")
    else:
        rule = specs_of(row).selection
        grid = None if rule is None else rule.grid
    try:
        return [] if grid is None else combinations(grid)
    except ValueError:
        return []


def _counts(text: str) -> list[int]:
    """The counts of a column; none if it is empty or unreadable."""
    values = _listed(text)
    return values if all(type(value) is int and value >= 0 for value in values) and sum(values) else []


def _trials(text: str) -> list[tuple[float, float | None, float | None]]:
    """Accuracy, low and high of every setting; none if the column is empty or unreadable."""
    values = _listed(text)
    whole = all(isinstance(value, list) and len(value) == 3 and isinstance(value[0], float | int) for value in values)
    return [tuple(value) for value in values] if whole else []


def _listed(text: str) -> list[Any]:
    """The list in a column; empty if there is none."""
    try:
        values = parsed_json(text) if text else []
    except ValueError:
        return []
    return values if isinstance(values, list) else []


def _half_width(tried: tuple[float, float | None, float | None]) -> float | None:
    _, low, high = tried
    return None if low is None or high is None else (high - low) / 2


def _named(setting: dict[str, Any]) -> str:
    """A setting in words: "C=0.01, max_iter=50"."""
    return ", ".join(
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}" for name, value in setting.items()
    )
