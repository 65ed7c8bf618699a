"""Releases and times that a submission states: each must be one, and must not contradict its rows."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence

from fewshot.results.row import Row
from fewshot.results.rules import time_of
from fewshot.sharing.about import About

_NUMBERS = r"(?:0|[1-9][0-9]*)"
_RELEASE = re.compile(
    rf"(?:{_NUMBERS}!)?(?P<numbers>{_NUMBERS}(?:\.{_NUMBERS})*)(?:(?:a|b|rc){_NUMBERS})?(?:\.post{_NUMBERS})?"
    rf"(?:\.dev{_NUMBERS})?(?:\+[a-z0-9]+(?:[._-][a-z0-9]+)*)?"
)  # PEP 440
_OF_ROW = re.compile(r"(?:^|, )fewshot ([^,]*)")
_CLOCKS = datetime.timedelta(days=1)  # by which the clocks of two machines may differ


def numbers_of(release: str) -> tuple[int, ...] | None:
    """The numbers of a release, such as (0, 1) of "0.1.0rc1", without zeros at the end; None if it is no version."""
    found = _RELEASE.fullmatch(release)
    if found is None or len(release) > 40:
        return None
    numbers = [int(part) for part in found["numbers"].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def check_written(about: About) -> None:
    """Raises a ValueError unless release and time are those of a folder that fewshot could have written."""
    if numbers_of(about.fewshot) is None:
        raise ValueError(
            f"the fewshot of a submission should be a release such as '0.1.0' (PEP 440), found {about.fewshot!r:.80}"
        )
    when = time_of(about.made)
    if when is None:
        raise ValueError(
            "the made of a submission should be a date and time such as '2026-01-31T12:00:00+00:00' (ISO 8601), "
            f"found {about.made!r:.80}"
        )
    if when > _latest():
        raise ValueError(f"the made of a submission should be at most now, found {about.made}, which is in the future")


def contradictions(about: About, rows: Sequence[Row]) -> Iterator[str]:
    """What the stated release and time of a submission contradict in its rows, in one sentence each."""
    wrote, made = numbers_of(about.fewshot) or (), time_of(about.made)
    releases = {
        found[1]: row for row in rows if (found := _OF_ROW.search(row.versions)) and found[1] != "not installed"
    }
    for release, row in releases.items():
        computed = numbers_of(release)
        if computed is None:
            yield f"run {row.run_id}: its versions name fewshot {release!r:.60}, which is no release"
        elif computed > wrote:
            yield (
                f"fewshot {about.fewshot} is said to have written the submission, but fewshot {release} computed the "
                f"run {row.run_id}"
            )
    finished = {row.run_id: when for row in rows if (when := time_of(row.finished)) is not None}
    for run_id, when in finished.items():
        if when > _latest():
            yield f"run {run_id}: column finished should be at most now, found {when.isoformat()}"
        elif made is not None and when > made + _CLOCKS:
            yield f"run {run_id}: it finished {when.isoformat()}, but the submission is said to be of {about.made}"


def _latest() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC) + _CLOCKS
