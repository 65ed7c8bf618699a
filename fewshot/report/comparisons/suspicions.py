"""Results that point to a fault rather than to a method, among the rows of one task.

- A row whose interval lies below chance, or a trained network below raw pixels with the same transform and evaluator:
  143 such rows uncovered a normalisation that did nothing in one public benchmark.
- Rows whose accuracy and every other measure are equal to the last bit on the same episodes, although their transform,
  evaluator or weights differ: the option does nothing. Without a shot, methods have nothing to differ in.
- A row whose accuracy is above chance while its log loss is that of guessing or more: its probabilities say nothing.
- A trained network that is not better than random weights of its architecture, by the paired interval.

All are cautions, none refuses anything: raw pixels do beat networks on typefaces.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fewshot.plugins.wording import counted
from fewshot.report.rows.tasks import accuracy, chance, interval
from fewshot.results.columns import Value
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of
from fewshot.statistics.interval import Interval

Difference = Callable[[int, int], Interval | None]  # one row minus another by their places; None without an interval
_MOST_NAMES = 3  # in a sentence
_MOST_OF_A_KIND = 6  # sentences
_ROUNDING = 1e-5  # nats, of a mean of equal losses
_FEWEST_MEASURES = 2  # beside the accuracy: rows of older releases have fewer, and may be equal by luck


@dataclass(frozen=True, eq=False)
class _Rows:
    rows: Sequence[Row]
    name: Callable[[Row], str]
    difference: Difference

    def names(self, places: Sequence[int]) -> str:
        """The names of some rows: the first few, and how many more."""
        shown = [self.name(self.rows[place]) for place in places[:_MOST_NAMES]]
        more = len(places) - len(shown)
        return "; ".join(shown) + (f"; and {counted(more, 'other')}" if more else "")

    def minus(self, place: int, other: int) -> Interval | None:
        """One row minus another: paired, or from the intervals of both."""
        paired = self.difference(place, other)
        return _unpaired(self.rows[place], self.rows[other]) if paired is None or paired.reason else paired


def suspicions(rows: Sequence[Row], name: Callable[[Row], str], difference: Difference) -> tuple[str, ...]:
    """What looks like a fault among measured rows of one task, one sentence each, the gravest first."""
    of = _Rows(rows, name, difference)
    kinds = (_below_chance(of), _equal(of), _no_probabilities(of), _not_better_than_random(of), _below_pixels(of))
    return tuple(sentence for kind in kinds for sentence in _first(list(kind)))


def _first(sentences: Sequence[str]) -> list[str]:
    """The first sentences of a kind, and how many more there are."""
    rest = len(sentences) - _MOST_OF_A_KIND
    return [*sentences[:_MOST_OF_A_KIND], *([f"{counted(rest, 'more caution')} of this kind."] if rest > 0 else [])]


def _below_chance(of: _Rows) -> Iterator[str]:
    low = [place for place, row in enumerate(of.rows) if _is_below_chance(row)]
    if low:
        guessing = 100 * (chance(of.rows[low[0]]) or 0)
        yield f"Below chance ({guessing:.1f} %): {of.names(low)}; look for labels or features in another order."


def _is_below_chance(row: Row) -> bool:
    bounds, guessing = interval(row), chance(row)
    return bounds is not None and guessing is not None and bounds[1] < guessing


def _equal(of: _Rows) -> Iterator[str]:
    groups: dict[object, list[int]] = {}
    for place, row in enumerate(of.rows):
        measures = _measures(row.measures)
        if row.episodes_digest and len(measures) >= _FEWEST_MEASURES and 0 < accuracy(row) < 1:
            groups.setdefault((row.episodes_digest, accuracy(row), measures), []).append(place)
    for places in groups.values():
        same = [of.rows[place] for place in places]
        options = _OPTIONS if same[0].k_shot != 0 else _OF_NETWORKS
        differing = [word for word, value in options if len(set(map(value, same))) > 1]
        if differing:
            verb = "differs" if differing == ["transform"] or differing == ["evaluator"] else "differ"
            yield (
                f"Equal to the last digit in every measure, although the {' and the '.join(differing)} {verb}: "
                f"{of.names(places)}; the option may do nothing."
            )


def _measures(values: Mapping[str, Value]) -> tuple[tuple[str, Value], ...]:
    return tuple(sorted((name, value) for name, value in values.items() if isinstance(value, float)))


_OF_NETWORKS: tuple[tuple[str, Callable[[Row], object]], ...] = (("weights", lambda row: row.weights_digest),)
_OPTIONS: tuple[tuple[str, Callable[[Row], object]], ...] = (
    ("transform", lambda row: row.transform),
    ("evaluator", lambda row: specs_of(row).evaluator.name),
    *_OF_NETWORKS,
)


def _no_probabilities(of: _Rows) -> Iterator[str]:
    wrong = [place for place, row in enumerate(of.rows) if _has_no_probabilities(row)]
    if wrong:
        guessing = -math.log(chance(of.rows[wrong[0]]) or 1)
        yield (
            f"Log loss of guessing ({guessing:.2f} nats) or worse, although the accuracy is above chance: "
            f"{of.names(wrong)}; the answers count, but their probabilities are not usable."
        )


def _has_no_probabilities(row: Row) -> bool:
    """Whether the accuracy is above chance, by its interval if it has one, and the log loss is that of guessing or
    more, as far as stored probabilities (float16) tell."""
    loss, guessing, bounds = row.measures.get("log_loss"), chance(row), interval(row)
    if not isinstance(loss, float) or guessing is None:
        return False
    of_guessing = -math.log(guessing)
    least = min(of_guessing, float(np.float16(of_guessing))) - _ROUNDING
    return loss >= least and (accuracy(row) if bounds is None else bounds[0]) > guessing


def _not_better_than_random(of: _Rows) -> Iterator[str]:
    twins: dict[object, int] = {}
    for place, row in enumerate(of.rows):
        if _is_random(row) and (key := _twin(row)) is not None:
            twins.setdefault(key, place)
    for place, row in enumerate(of.rows):
        twin = None if _is_random(row) else twins.get(_twin(row))
        gap = None if twin is None else of.minus(place, twin)
        if gap is not None and gap.low <= 0:
            yield (
                f"{of.name(row)} is not better than random weights of its architecture: the difference is "
                f"{100 * gap.mean:+z.1f} points, interval [{100 * gap.low:z.1f}, {100 * gap.high:z.1f}]."
            )


def _twin(row: Row) -> object:
    """What a network and its random twin have in common; None for a backbone without the name of an architecture."""
    fields = specs_of(row).backbone.fields
    name = str(fields.get("name", "")).partition(".")[0]
    return (name, fields.get("image_size"), fields.get("pool"), *_method(row)) if name else None


def _below_pixels(of: _Rows) -> Iterator[str]:
    pixels: dict[object, int] = {}
    for place, row in enumerate(of.rows):
        if _is_pixels(row):
            best = pixels.setdefault(_method(row), place)
            pixels[_method(row)] = max(best, place, key=lambda each: accuracy(of.rows[each]))
    low = []
    for place, row in enumerate(of.rows):
        if _method(row) in pixels and not _is_random(row) and not _is_pixels(row):
            gap = of.minus(place, pixels[_method(row)])
            low += [place] if gap is not None and gap.high < 0 else []
    if low:
        yield f"Below raw pixels with the same transform and evaluator: {of.names(low)}."


def _is_pixels(row: Row) -> bool:
    return bool(specs_of(row).backbone.declares("shows_pixels"))


def _is_random(row: Row) -> bool:
    untrained = bool(specs_of(row).backbone.declares("is_untrained"))
    return untrained or (row.pretrained_on == "nothing" and not _is_pixels(row))


def _method(row: Row) -> tuple[str, ...]:
    return row.transform, row.evaluator, row.selection_rule, row.dtype


def _unpaired(row: Row, other: Row) -> Interval | None:
    """The difference from the intervals of both rows, as if they were independent; None if one has none."""
    own, theirs = interval(row), interval(other)
    if own is None or theirs is None:
        return None
    half = (((own[1] - own[0]) / 2) ** 2 + ((theirs[1] - theirs[0]) / 2) ** 2) ** 0.5
    mean = accuracy(row) - accuracy(other)
    return Interval(mean, mean - half, mean + half, "these images")
