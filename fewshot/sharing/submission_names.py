"""Names of submissions that differ: two of one name also say what they differ in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from fewshot.results.row_specs import data_name
from fewshot.sharing.verify import Verified


def submission_names(submissions: Sequence[Verified]) -> Mapping[Path, str]:
    """The name of each submission by its folder; where several have one name, with the first of authors, date, data and
    seed that tells all of them apart, or with a number."""
    groups: dict[str, list[Verified]] = {}
    for one in submissions:
        groups.setdefault(" ".join(_name(one).casefold().split()), []).append(one)
    return {
        one.folder: f"{_name(one)} ({mark})" if mark else _name(one)
        for held in groups.values()
        for one, mark in zip(held, _marks(held), strict=True)
    }


def _marks(held: Sequence[Verified]) -> list[str]:
    """What tells these submissions of one name apart."""
    if len(held) == 1:
        return [""]
    for mark in _MARKS:
        texts = [mark(one) for one in held]
        if all(texts) and len(set(texts)) == len(texts):
            return texts
    return [str(number) for number in range(1, len(held) + 1)]


def _name(one: Verified) -> str:
    return one.manifest.about.name if one.manifest else one.folder.name


def _authors(one: Verified) -> str:
    return one.manifest.about.authors if one.manifest else ""


def _date(one: Verified) -> str:
    return one.manifest.about.made[:10] if one.manifest else ""


def _data(one: Verified) -> str:
    return _listed(data_name(run.row) for run in one.runs)


def _seeds(one: Verified) -> str:
    seeds = sorted({run.row.seed for run in one.runs})
    return f"{'seed' if len(seeds) == 1 else 'seeds'} {_listed(map(str, seeds))}"


_MARKS: Sequence[Callable[[Verified], str]] = (_authors, _date, _data, _seeds)
_MOST = 3  # names in a mark


def _listed(names: Iterable[str]) -> str:
    distinct = list(dict.fromkeys(names))
    more = [f"{len(distinct) - _MOST} more"] if len(distinct) > _MOST else []
    return ", ".join([*distinct[:_MOST], *more])
