"""Releases and times that a submission states: each must be one, and must not contradict its rows."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator

from fewshot.results.row import Row
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


def time_of(text: str) -> datetime.datetime | None:
    """The time that a text of ISO 8601 states, in UTC unless it says otherwise; None if it states none."""
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


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


def contradictions(about: About, rows: Iterable[Row]) -> Iterator[str]:
    """Each row that the stated release or time of a submission contradicts, in one sentence each."""
    wrote, made = numbers_of(about.fewshot) or (), time_of(about.made)
    for row in rows:
        release = _OF_ROW.search(row.versions)
        computed = numbers_of(release[1]) if release else None
        if release and computed is None and release[1] != "not installed":
            yield f"run {row.run_id}: its versions name fewshot {release[1]!r:.60}, which is no release"
        if computed is not None and computed > wrote:
            assert release is not None
            yield (
                f"run {row.run_id}: fewshot {release[1]} computed it, but fewshot {about.fewshot} is said to have "
                "written the submission"
            )
        finished = time_of(row.finished) if row.finished else None
        if finished is not None and finished > _latest():
            yield f"run {row.run_id}: column finished should be at most now, found {row.finished}"
        elif finished is not None and made is not None and finished > made + _CLOCKS:
            yield f"run {row.run_id}: it finished on {row.finished}, but the submission says that it was made {about.made}"


def _latest() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC) + _CLOCKS
