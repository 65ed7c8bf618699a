"""Whether a row reproduces a published number: reproduced, not reproduced, not decided or not comparable.

Both numbers are of the same test images and classes, so what separates them is the luck of the draws: of episodes, or
of supports. The test is Welch's on the difference: the error of the run over its own draws or episodes, that of the
published number over its draws, from its interval, or, where only its number of episodes is known, as if they spread
like the run's; and its rounding. A run of one draw that answers a whole test set has no draws to compare, so its error
is the one of sampling its test images. Draws that depend on each other, such as MIEB's, count as one. The mean of a
benchmark over its sets has the errors of these sets together. *Reproduced* means that the 95 % interval of the
difference holds 0 and that a difference of 3 points would have shown; a wider interval decides nothing.

The draws do not hold the luck of training: a network trained anew may differ by more than its published weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fewshot.plugins.wording import counted, listed
from fewshot.report.comparisons.published_match import head_mismatches, is_network, mismatches, of_model, partner
from fewshot.report.rows.benchmark_means import ALL, MOST_NAMES, SetRuns, set_runs
from fewshot.report.rows.errors import TestImages, draws_in_words, error_of
from fewshot.report.rows.reasons import are_fixed
from fewshot.report.rows.tasks import accuracy, measured
from fewshot.results.comparability import benchmark
from fewshot.results.published import PublishedNumber, published_table
from fewshot.results.row import Row
from fewshot.statistics.interval import THESE_IMAGES, Interval
from fewshot.statistics.two_means import Error, difference

REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
NOT_DECIDED, NOT_COMPARABLE = "not decided", "not comparable"
_WIDEST = 0.03  # half the width of an interval that still decides
_Z = 1.959964  # of a published 95 % interval


@dataclass(frozen=True)
class Reproduction:
    """A row, or the mean of a benchmark over its sets, beside a published number. `difference`: this run minus the
    published number; None where they are not comparable."""

    rows: tuple[Row, ...]  # one, or one for each set
    accuracy: float  # a fraction
    number: PublishedNumber
    verdict: str
    reason: str  # of the verdict, in words
    difference: Interval | None = None

    @property
    def sentence(self) -> str:
        """The verdict with both numbers and its reason."""
        return self.with_name("")

    def with_name(self, name: str) -> str:
        """The same; `name` is that of the run, where several stand beside one number."""
        by = f" by {name};" if name else ","
        both = f"{100 * self.accuracy:.2f} here{by} {100 * self.number.accuracy:.2f} published"
        return f"{self.number.name}: {self.verdict} ({both}): {self.reason}."


def reproductions(
    rows: Sequence[Row],
    numbers: Sequence[PublishedNumber],
    model: str = "",
    n_test: TestImages = lambda row: None,
) -> list[Reproduction]:
    """The reproductions of all measured rows that stand beside one of these numbers, then of the means of benchmarks.
    `n_test`: the test images that each draw of a row answers, where they are known."""
    means, own = [one for one in numbers if one.mean_of], [one for one in numbers if not one.mean_of]
    paired = ((row, partner(row, _of_benchmark(row, own), model)) for row in rows if own and measured(row))
    found = [reproduction(row, number, n_test(row)) for row, number in paired if number is not None]
    return found + (_of_means(rows, means, model, n_test) if means else [])


def _of_benchmark(row: Row, numbers: Sequence[PublishedNumber]) -> list[PublishedNumber]:
    """The numbers without those of another benchmark than the one that a row follows."""
    name = benchmark(row).partition("@")[0]
    return [one for one in numbers if not name or published_table(one.source).benchmark in ("", name)]


def reproduction(row: Row, number: PublishedNumber, n_test: int | None = None) -> Reproduction:
    """Whether a row reproduces a number."""
    error = error_of(row, lambda _: number.data.n_test or n_test)
    known = None if error is None else error[:2]
    return _reproduction((row,), accuracy(row), number, list(mismatches(row, number, n_test)), known)


def _of_means(
    rows: Sequence[Row], numbers: Sequence[PublishedNumber], model: str, n_test: TestImages
) -> list[Reproduction]:
    """The reproductions of published means over the sets of a benchmark, contender by contender."""
    named = of_model(numbers, model) if model else numbers
    found: list[Reproduction] = []
    for runs in set_runs(rows):
        first = next(iter(runs.rows.values()))
        for number in named:
            if number.mean_of == runs.benchmark.name and (model or is_network(first, number)):
                found += _of_mean(runs, number, [*head_mismatches(first, number)], n_test)
    return found


def _of_mean(runs: SetRuns, number: PublishedNumber, reasons: list[str], n_test: TestImages) -> Iterator[Reproduction]:
    """The mean of a contender beside a published one, unless it has none of its sets."""
    wanted = runs.group(number.group or ALL)
    rows = tuple(runs.rows[name] for name in wanted if name in runs.rows)
    missing = [name for name in wanted if name not in runs.rows]
    if missing:
        others = listed(missing) if len(missing) <= MOST_NAMES else f"the other {len(missing)}"
        reasons.append(f"it is the mean of {len(rows)} of {counted(len(wanted), 'set')}; run {others} too")
    if rows:
        mean = runs.mean(wanted, n_test)
        error = Error.of_sum(mean.errors) if mean.errors else None
        yield _reproduction(rows, mean.value, number, reasons, None if error is None else (error, mean.source))


def _reproduction(
    rows: tuple[Row, ...], mean: float, number: PublishedNumber, reasons: list[str], own: tuple[Error, str] | None
) -> Reproduction:
    if reasons:
        return Reproduction(rows, mean, number, NOT_COMPARABLE, "; ".join(reasons))
    if own is None:
        return Reproduction(rows, mean, number, NOT_DECIDED, _without_error(rows))
    theirs, words = _error_of_published(number, own[0], rows[0].n_episodes)
    gap = difference(mean, number.accuracy, [own[0], theirs, Error.of_rounding(number.digits)], THESE_IMAGES)
    verdict, reason = _judged(gap, are_fixed(rows))
    return Reproduction(rows, mean, number, verdict, f"{reason} (Welch's t, {own[1]} against {words})", gap)


def _without_error(rows: Sequence[Row]) -> str:
    """Why a run has no error to compare with, and what to do."""
    if are_fixed(rows):
        return "the run has no spread and no stored predictions, which tell its test images; keep them beside its rows"
    return "the run has 1 episode, which has no spread; run 5 or more"


def _judged(gap: Interval, fixed: bool) -> tuple[str, str]:
    half, bounds = (gap.high - gap.low) / 2, f"[{100 * gap.low:+z.2f}, {100 * gap.high:+z.2f}]"
    size = f"the difference is {100 * gap.mean:+z.2f} points, 95 % interval {bounds}"
    if not gap.low <= 0 <= gap.high:
        outside = min(abs(gap.low), abs(gap.high))
        return NOT_REPRODUCED, f"{size}, which leaves out 0 by {100 * outside:.2f} points"
    if half > _WIDEST:
        more = "its benchmark fixes the episodes, so more cannot be run" if fixed else "run more episodes or draws"
        return NOT_DECIDED, f"{size}, too wide to see 3 points; {more}"
    return REPRODUCED, f"{size}, which holds 0; more than {100 * half:.2f} points would have shown"


def _error_of_published(number: PublishedNumber, own: Error, n_own: int) -> tuple[Error, str]:
    if len(number.draws) > 1:
        depend = number.draws_depend
        words = draws_in_words(len(number.draws), "published draw", depend)
        return Error.of_draws(number.draws, depend), words
    if number.half_width:
        return Error(number.half_width / _Z), f"the published interval of ± {100 * number.half_width:.2f}"
    if number.n_episodes > 1 and own.freedom < math.inf:
        scale = math.sqrt(n_own / number.n_episodes)
        words = f"{counted(number.n_episodes, 'published episode')}, taken to spread like the run's"
        return Error(own.standard_error * scale, own.freedom), words
    return Error(0.0), "a published number without a spread"
