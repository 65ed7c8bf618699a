"""A run on a leaderboard: where it comes from, who verified it, and what a reader should know beside its number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from fewshot.report.rows.choices import chosen_before
from fewshot.report.rows.costs import Costs, RunCost
from fewshot.report.rows.selection_budgets import image_size
from fewshot.results.comparability import labels
from fewshot.results.row import Row
from fewshot.sharing.claims import claim_labels
from fewshot.sharing.members import own_columns
from fewshot.sharing.reported import REPORTED
from fewshot.sharing.shared import Shared
from fewshot.sharing.verify import KINDS_OF_CHECKS, Verified

_REPORTED = frozenset(one.name for one in REPORTED)


@dataclass(frozen=True)
class Entry:
    """A run on a leaderboard, and where it comes from."""

    shared: Shared
    source: Verified
    checks: Mapping[str, str] = field(default_factory=dict)  # the strongest check of each person who verified it
    costs: RunCost | None = None
    also: tuple[str, ...] = ()  # other submissions that hold the run, with their number
    folders: tuple[Path, ...] = ()  # of all submissions that hold it
    dataset: str = ""  # its data set as tables show it, if that differs from the row's
    twin: int = 0  # how many entries before this one have its run id, for another run or another benchmark
    contested: bool = False  # another submission gives its run id to another run

    @cached_property
    def row(self) -> Row:
        """The row as tables show it: its run id is that of no other entry."""
        row = self.shared.row
        run_id = f"{self.twin + 1}:{row.run_id}" if self.twin else row.run_id
        return replace(row, run_id=run_id, dataset=self.dataset or row.dataset)

    @property
    def verified_by(self) -> tuple[str, ...]:
        """Those who verified the run, with what each of them checked."""
        return tuple(f"{by} ({kind})" for by, kind in self.checks.items())

    @property
    def labels(self) -> tuple[str, ...]:
        """What a reader should know beside the number."""
        row, seen = self.row, list[str]()
        if row.n_seen_classes:
            seen.append(f"{row.n_seen_classes:,} of {row.n_classes:,} classes seen in pre-training")
        elif row.seen_classes == "unknown":
            seen.append("seen classes unknown")
        return (*labels(row), *self._chosen(), *seen, *self._further_labels())

    def _chosen(self) -> Iterator[str]:
        if text := chosen_before(self.row):
            yield text

    def _further_labels(self) -> Iterator[str]:
        if size := image_size(self.row):
            yield f"{size} px"
        yield from claim_labels(self.row)
        if self.contested:
            yield "its run id is another run's too"
        if self.shared.own_code or own_columns(self.row):
            yield "own code"

    def mean_labels(self) -> Iterator[str]:
        """The same without numbers of classes, which differ from set to set."""
        yield from labels(self.row)
        yield from self._chosen()
        if self.row.n_seen_classes:
            yield "classes seen in pre-training"
        elif self.row.seen_classes == "unknown":
            yield "seen classes unknown"
        yield from self._further_labels()

    def unchecked(self) -> Iterator[str]:
        """The names of what nobody checked or could check of the run, as far as a leaderboard shows it."""
        texts = " ".join(text for text in self.source.unchecked if self.shared.row.run_id in text)
        if "its run id" in texts:
            yield "run id"
        if self.row.n_params and "its number of weights" in texts:
            yield "parameters"
        yield from (one.name for one in REPORTED if one.on_boards and one.has(self.row))

    @property
    def not_checked(self) -> str:
        """The same in one line."""
        return not_checked([self])

    def cost(self) -> RunCost:
        """The cost of the run, as the rows of its submission know it."""
        return Costs.of([self.row]).cost(self.row) if self.costs is None else self.costs


def not_checked(entries: Iterable[Entry]) -> str:
    """What nobody checked or could check of some of these runs, in one line."""
    return _not_checked(name for entry in entries for name in entry.unchecked())


def not_checked_here(entries: Iterable[Entry]) -> str:
    """The same without what nobody can check of any run."""
    return _not_checked(name for entry in entries for name in entry.unchecked() if name not in _REPORTED)


def never_checked(entries: Iterable[Entry]) -> str:
    """What some of these runs have and nobody can check of any run, in one sentence; "" for nothing."""
    names = dict.fromkeys(name for entry in entries for name in entry.unchecked() if name in _REPORTED)
    return f"Not checked of any run: {', '.join(names)}." if names else ""


def _not_checked(names: Iterable[str]) -> str:
    text = ", ".join(dict.fromkeys(names))
    return f"not checked: {text}" if text else ""


def labels_of_mean(entries: Sequence[Entry]) -> tuple[str, ...]:
    """What a reader should know beside a mean over the sets of these runs; a label of some sets says how many."""
    counts: dict[str, int] = {}
    for entry in entries:
        for label in dict.fromkeys(entry.mean_labels()):
            counts[label] = counts.get(label, 0) + 1
    n_sets = len(entries)
    return tuple(text if count == n_sets else f"{text} ({count} of {n_sets} sets)" for text, count in counts.items())


def checked_by(entries: Sequence[Entry]) -> tuple[str, ...]:
    """Those who checked every run, each with the weakest of these checks; else, if every run has someone, all of them
    together."""
    each = [entry.checks for entry in entries]
    by = [one for one in each[0] if all(one in others for others in each)]
    if by or not all(each):
        return tuple(f"{one} ({_weakest(checks[one] for checks in each)})" for one in by)
    together = " and ".join(dict.fromkeys(one for checks in each for one in checks))
    return (f"{together} together ({_weakest(strongest(checks.values()) for checks in each)})",)


def strongest(kinds: Iterable[str]) -> str:
    """The strongest of these kinds of checks."""
    return min(kinds, key=KINDS_OF_CHECKS.index)


def _weakest(kinds: Iterable[str]) -> str:
    return max(kinds, key=KINDS_OF_CHECKS.index)
