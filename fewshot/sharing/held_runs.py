"""Which rows of several submissions are one run, and which contradict each other.

A run id hashes what was run. So two rows of one id that say different things cannot both be right: a row whose run id
was computed again from its spec, images and episodes is, and the other is not. Where that was possible for neither,
both stand and each says so. A date decides nothing here, because its submitter writes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from fewshot.plugins.short_name import one_line
from fewshot.plugins.wording import agreeing, counted
from fewshot.results.columns import SpecColumns
from fewshot.results.comparability import comparability_key
from fewshot.results.row import Row
from fewshot.results.row_specs import without_paths
from fewshot.sharing.members import KINDS
from fewshot.sharing.shared import Shared
from fewshot.sharing.verify import Verified

_SPEC = tuple(column.name for column in fields(SpecColumns))
_DIGESTS = ("images_digest", "classes_digest", "split_digest", "weights_digest", "preprocess_digest")
_LONGEST = 60  # characters of a value in a sentence


@dataclass(frozen=True)
class Held:
    """A row in a submission. `contested`: another submission gives its run id to something else, and none of the two
    can be checked, or both hold."""

    shared: Shared
    source: Verified
    contested: bool = False

    @property
    def row(self) -> Row:
        """The row."""
        return self.shared.row

    @property
    def is_checked(self) -> bool:
        """Whether its run id was computed again."""
        return self.row.run_id in self.source.identified


@dataclass(frozen=True)
class HeldRuns:
    """Every run with the rows that hold it, of which the first one stands for all, and what contradicts a run."""

    runs: tuple[tuple[Held, ...], ...]
    conflicts: tuple[str, ...]  # one sentence for each two submissions


@dataclass(frozen=True)
class _Conflict:
    """A row that says something else than that which stands."""

    held: Held
    standing: Held
    column: str

    @property
    def sides(self) -> tuple[Path, Path, str, bool]:
        """What one sentence tells together."""
        return self.held.source.folder, self.standing.source.folder, self.column, self.held.contested


def held_runs(submissions: Iterable[Verified], names: Mapping[Path, str]) -> HeldRuns:
    """The runs of submissions in the order of their dates. Of rows that agree, one whose run id was checked stands, of
    these the one with the most episodes, then the first."""
    by_id: dict[str, list[Held]] = {}
    for source in submissions:
        for shared in source.runs:
            by_id.setdefault(shared.row.run_id, []).append(Held(shared, source))
    runs: list[tuple[Held, ...]] = []
    conflicts: list[_Conflict] = []
    for of_id in by_id.values():
        held, against = _agreeing(sorted(of_id, key=lambda one: (not one.is_checked, -one.row.n_episodes)))
        conflicts += against
        for same in held:
            by_key: dict[str, list[Held]] = {}
            for one in same:  # a run may be of a benchmark in one submission and of none in another
                by_key.setdefault(comparability_key(one.row), []).append(one)
            runs += map(tuple, by_key.values())
    return HeldRuns(tuple(runs), tuple(_sentences(conflicts, names)))


def _agreeing(of_id: Sequence[Held]) -> tuple[list[list[Held]], list[_Conflict]]:
    """The rows of a run id by what they say was run, and those that contradict the first of them, which are not ranked
    if it is checked and they are not."""
    groups: list[list[Held]] = []
    conflicts = []
    for one in of_id:
        group = next((group for group in groups if not _difference(group[0].row, one.row)), None)
        if group is not None:
            group.append(one)
            continue
        if groups:
            refused = groups[0][0].is_checked and not one.is_checked
            one = replace(one, contested=not refused)
            conflicts.append(_Conflict(one, groups[0][0], _difference(groups[0][0].row, one.row)))
            if refused:
                continue
        groups.append([one])
    if len(groups) > 1:
        groups = [[replace(one, contested=True) for one in group] for group in groups]
    return groups, conflicts


def _difference(a: Row, b: Row) -> str:
    """The first column of what was run in which two rows differ; "" if there is none. Paths are no difference, nor is a
    digest that an older row lacks."""
    for name in _SPEC:
        one, other = getattr(a, name), getattr(b, name)
        if one != other and (name not in KINDS or _plain(name, one) != _plain(name, other)):
            return name
    for name in _DIGESTS:
        one, other = getattr(a, name), getattr(b, name)
        if one and other and one != other:
            return name
    return ""


def _plain(column: str, text: str) -> str:
    return without_paths(KINDS[column].read(text)) if text else text


def _sentences(conflicts: Iterable[_Conflict], names: Mapping[Path, str]) -> Iterable[str]:
    """One sentence for each two submissions and column."""
    groups: dict[tuple[Path, Path, str, bool], list[_Conflict]] = {}
    for one in conflicts:
        groups.setdefault(one.sides, []).append(one)
    for (folder, standing, column, contested), same in groups.items():
        name, other = names[folder], names[standing]
        values = [one_line(str(getattr(row, column)), _LONGEST) for row in (same[0].held.row, same[0].standing.row)]
        what = f"{counted(len(same), 'run id')} of {other}, such as {same[0].held.row.run_id}"
        told = f"{name} has {what}, with another {column.replace('_', ' ')}: {values[0]!r} and not {values[1]!r}."
        if contested and not same[0].standing.is_checked:
            end = "Neither could be checked, so both are ranked with a label."
        elif contested:
            end = "Both run ids are those of what was run, so both are ranked with a label."
        else:
            end = (
                f"Only {other}'s {agreeing(len(same), 'run id was', 'run ids were')} computed again, so the "
                f"{agreeing(len(same), 'row', 'rows')} of {name} {agreeing(len(same), 'is', 'are')} not ranked."
            )
        yield f"{told} {end}"
