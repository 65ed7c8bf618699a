"""Whether a row reproduces a published number: reproduced, not reproduced, not decided or not comparable.

Both numbers are of the same test images and classes, so what separates them is the luck of the draws: of episodes, or
of supports. The test is Welch's on the difference: the error of the run over its own draws or episodes, that of the
published number over its draws, from its interval, or, where only its number of episodes is known, as if they spread
like the run's; and its rounding. A run of one draw that answers a whole test set has no draws to compare, so its error
is the one of sampling its test images. *Reproduced* means that the 95 % interval of the difference holds 0 and that a
difference of 3 points would have shown; a wider interval decides nothing.

The draws do not hold the luck of training: a network trained anew may differ by more than its published weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fewshot.plugins.wording import counted
from fewshot.report.comparisons.published_match import mismatches, partner
from fewshot.report.rows.tasks import accuracy, measured
from fewshot.results.published import PublishedNumber
from fewshot.results.row import Row
from fewshot.statistics.intervals import THESE_IMAGES, Interval
from fewshot.statistics.students_t import quantile
from fewshot.statistics.two_means import Error, difference

REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
NOT_DECIDED, NOT_COMPARABLE = "not decided", "not comparable"
_WIDEST = 0.03  # half the width of an interval that still decides
_Z = 1.959964  # of a published 95 % interval


@dataclass(frozen=True)
class Reproduction:
    """A row beside a published number. `difference`: run minus published; None where they are not comparable."""

    row: Row
    number: PublishedNumber
    verdict: str
    reason: str  # of the verdict, in words
    difference: Interval | None = None

    @property
    def sentence(self) -> str:
        """The verdict with both numbers and its reason."""
        both = f"{100 * accuracy(self.row):.2f} here, {100 * self.number.accuracy:.2f} published"
        return f"{self.number.name}: {self.verdict} ({both}): {self.reason}."


def reproductions(
    rows: Sequence[Row],
    numbers: Sequence[PublishedNumber],
    model: str = "",
    n_test: Callable[[Row], int | None] = lambda row: None,
) -> list[Reproduction]:
    """The reproductions of all measured rows that stand beside one of these numbers, in order. `n_test`: the test
    images that each draw of a row answers, where they are known."""
    paired = ((row, partner(row, numbers, model)) for row in rows if measured(row))
    return [reproduction(row, number, n_test(row)) for row, number in paired if number is not None]


def reproduction(row: Row, number: PublishedNumber, n_test: int | None = None) -> Reproduction:
    """Whether a row reproduces a number."""
    reasons = list(mismatches(row, number, n_test))
    if reasons:
        return Reproduction(row, number, NOT_COMPARABLE, "; ".join(reasons))
    own = _error_of_run(row, number.data.n_test)
    if own is None:
        return Reproduction(row, number, NOT_DECIDED, "the run has 1 episode, which has no spread; run 5 or more")
    theirs, words = _error_of_published(number, own[0], row.n_episodes)
    errors = [own[0], theirs, Error.of_rounding(number.digits)]
    gap = difference(accuracy(row), number.accuracy, errors, THESE_IMAGES)
    verdict, reason = _judged(gap)
    return Reproduction(row, number, verdict, f"{reason} (Welch's t, {own[1]} against {words})", gap)


def _judged(gap: Interval) -> tuple[str, str]:
    half, bounds = (gap.high - gap.low) / 2, f"[{100 * gap.low:+z.2f}, {100 * gap.high:+z.2f}]"
    size = f"the difference is {100 * gap.mean:+z.2f} points, 95 % interval {bounds}"
    if not gap.low <= 0 <= gap.high:
        outside = min(abs(gap.low), abs(gap.high))
        return NOT_REPRODUCED, f"{size}, which leaves out 0 by {100 * outside:.2f} points"
    if half > _WIDEST:
        return NOT_DECIDED, f"{size}, too wide to see 3 points; run more episodes or draws"
    return REPRODUCED, f"{size}, which holds 0; more than {100 * half:.2f} points would have shown"


def _error_of_run(row: Row, n_test: int) -> tuple[Error, str] | None:
    """The error of a row's accuracy over draws, with its source in words; None if a row shows none."""
    draws = [float(value) for value in row.draws.split()]
    if len(draws) > 1:
        return Error.of_draws(draws), counted(len(draws), "draw")
    if draws and n_test:
        mean = accuracy(row)
        return Error(math.sqrt(mean * (1 - mean) / n_test)), f"{n_test:,} test images"
    if row.n_episodes < 2 or row.accuracy_low is None or row.accuracy_high is None:
        return None
    half = max(row.accuracy_high - accuracy(row), accuracy(row) - row.accuracy_low)
    freedom = row.n_episodes - 1
    return Error(half / quantile(0.975, freedom), freedom), counted(row.n_episodes, "episode")


def _error_of_published(number: PublishedNumber, own: Error, n_own: int) -> tuple[Error, str]:
    if len(number.draws) > 1:
        return Error.of_draws(number.draws), counted(len(number.draws), "published draw")
    if number.half_width:
        return Error(number.half_width / _Z), f"the published interval of ± {100 * number.half_width:.2f}"
    if number.n_episodes > 1 and own.freedom < math.inf:
        scale = math.sqrt(n_own / number.n_episodes)
        words = f"{counted(number.n_episodes, 'published episode')}, taken to spread like the run's"
        return Error(own.standard_error * scale, own.freedom), words
    return Error(0.0), "a published number without a spread"
