"""Which runs are compared: those of one task that differ in one thing, and why the others are not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fewshot.plugins.wording import listed
from fewshot.report.comparisons.pairing import Contest, Stored, contest
from fewshot.report.comparisons.solved import Grouping
from fewshot.report.rows.dependence import n_independent
from fewshot.report.rows.reasons import one_episode
from fewshot.results.comparability import nearest, refusal, task_choices
from fewshot.results.row import Row

# The columns that may differ for each choice of --by. All other columns of the spec are equal.
BY = {
    "evaluator": ("transform", "evaluator", "selection_rule"),
    "backbone": ("backbone", "dtype"),
    "anything": ("transform", "evaluator", "selection_rule", "backbone", "dtype"),
}
_NO_SECOND = "no other run of its task has two episodes or more"


@dataclass(frozen=True)
class Uncompared:
    """Runs of one task that cannot be compared: one of them, and why."""

    row: Row
    reason: str
    names_run: bool = False  # whether the reason is that of this run, not of all runs of its task


class NothingCompared(ValueError):
    """No two runs can be compared; `others` are those that have a reason of their own."""

    def __init__(self, sentence: str, others: Sequence[Uncompared]) -> None:
        super().__init__(sentence)
        self.others = tuple(others)


def contests(
    results: Stored, rows: Sequence[Row], by: str, grouping: Callable[[Row], Grouping] | None = None
) -> tuple[list[Contest], list[Uncompared]]:
    """The contests among these rows, of two runs or more that differ in `by` alone and solved the same two episodes or
    more; and the runs that cannot be compared, such as those of one episode, or a group without stored predictions.

    `grouping` gives the groups that replace the classes of a row's data set. Raises `NothingCompared` if no two runs
    can be compared.
    """
    compared, others = [], []
    for group in rivals(rows, by):
        several = [row for row in group if n_independent(row) > 1]
        single = [row for row in group if n_independent(row) < 2]
        if several:
            others += [Uncompared(row, one_episode(row, "it"), names_run=True) for row in single]
        else:
            others += [Uncompared(row, one_episode(row)) for row in single]
        if len(several) < 2:
            others += [Uncompared(row, _NO_SECOND, names_run=True) for row in several]
            continue
        try:
            compared.append(contest(results, several, grouping))
        except ValueError as error:
            others.append(Uncompared(several[0], str(error)))
    if not compared and not others:
        raise NothingCompared(_none(results, rows, by), ())
    others += alone(rows, by)
    if not compared:
        raise NothingCompared("; ".join(dict.fromkeys(map(_sentence, others))), others)
    return compared, others


def _none(results: Stored, rows: Sequence[Row], by: str) -> str:
    """That no two runs differ in `by` alone, with all choices in which they differ."""
    differing = refusal([row for row in rows if row.status == "ok"])
    what, to_do = (
        f"differ in {by} alone",
        "compare with --by anything, or run another backbone or evaluator on the task",
    )
    if by == "anything":
        what, to_do = "differ in backbone or evaluator", "run another backbone or evaluator on the same task"
    because = f", because they differ in {differing}" if differing else ""
    verb = "has" if len(results.paths) == 1 else "have"
    files = listed([str(path) for path in results.paths])
    return f"{files} {verb} no two runs that {what} and share their episodes{because}; {to_do}"


def _sentence(other: Uncompared) -> str:
    """Why a run is not compared, with its id if the reason is its own."""
    return f"run {other.row.run_id[:8]}: {other.reason}" if other.names_run else other.reason


def alone(rows: Sequence[Row], by: str = "anything") -> list[Uncompared]:
    """The runs that no other run differs from in `by` alone, although other runs are there, each with the choices of
    its task in which it differs from the nearest run."""
    done = [row for row in rows if row.status == "ok"]
    with_rival = {row.run_id for group in rivals(done, by) for row in group}
    if len(done) < 2:
        return []
    lone = [row for row in done if row.run_id not in with_rival]
    return [Uncompared(row, _why_alone(nearest(row, done), by), names_run=by != "anything") for row in lone]


def _why_alone(differing: str, by: str) -> str:
    if differing:
        return f"no other run has its task; the nearest differs in {differing}"
    return f"no other run of its task differs from it in {by} alone"


def rivals(rows: Sequence[Row], by: str) -> list[list[Row]]:
    """Groups of two or more runs that did not fail and differ in `by` alone."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    fixed = [name for name in BY["anything"] if name not in BY[by]]
    for row in rows:
        if row.status == "ok":
            groups.setdefault((*task_choices(row), *(getattr(row, name) for name in fixed)), []).append(row)
    return [group for group in groups.values() if len(group) > 1]
