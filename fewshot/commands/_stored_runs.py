"""Stored runs in the commands of `fewshot results`: one by its id, copied, confirmed, named in an answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fewshot.commands._answers import NOT_WRITTEN, answer, wants_json
from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    from fewshot.results.collections import Collection, Lost, StoredRun

_MOST = 10  # runs in an answer
Renames = Sequence[tuple[str, str]]  # (old, new)


def split_renames(context: click.Context, parameter: click.Parameter, given: Iterable[str]) -> Renames:
    """The pairs (old, new) in "OLD=NEW", split at the last "="; an empty NEW gives the usual name back."""
    pairs = []
    for text in given:
        old, sign, new = (part.strip() for part in text.rpartition("="))
        if not (old and sign):
            raise click.BadParameter(f"{text!r} is not OLD=NEW, such as 'raw pixels 32=pixels'")
        pairs.append((old, new))
    return pairs


def confirm(what: str, runs: Sequence[StoredRun], yes: bool) -> None:
    """Asks before runs are deleted; a UsageError if nobody answers, and a ClickException after "no"."""
    if yes:
        return
    try:
        click.echo(_named(runs), err=wants_json())
        sure = click.confirm(f"Delete {what}? There is no undo", err=wants_json())
    except click.Abort as error:
        raise click.UsageError("nothing was deleted, because nobody confirmed it; add --yes") from error
    if not sure:
        raise click.ClickException("nothing was deleted")


def one_run(runs: Collection, start: str) -> StoredRun:
    """The one run whose id starts with this text."""
    matches = [run for run in runs.runs if run.row.run_id.startswith(start)]
    if len(matches) == 1:
        return matches[0]
    some = [run.row.run_id for run in matches or runs.runs]
    why = f"{len(matches)} run ids start" if matches else "no run id starts"
    raise ValueError(f"{why} with {start!r}; the runs are {', '.join(some[:3])}{', ...' if len(some) > 3 else ''}")


def copy(runs: Collection, out: Path, dry_run: bool) -> int:
    """Copies runs to a new results file, and answers with them."""
    from fewshot.results.copies import copy_runs
    from fewshot.results.files import Results

    without = sum(not run.has_predictions and run.row.status == "ok" for run in runs.runs)
    if not dry_run:
        copy_runs(runs.runs, Results(out), runs.short_names)
    left = f"; {counted(without, 'run')} without predictions, which cannot be compared" if without else ""
    lost = runs.lost
    missing = f"; {counted(len(lost), 'row')} could not be read, see below" if lost else ""
    copied = f"{'would copy' if dry_run else 'copied'} {counted(len(runs.runs), 'run')} to {out}{left}{missing}"
    report_runs(copied, runs.runs, dry_run, lost)
    return 1 if lost else 0


def report_runs(text: str, runs: Sequence[StoredRun], dry_run: bool, lost: Sequence[Lost] = ()) -> None:
    """Answers with what happened, and to which runs. `lost`: lines of their files that are no rows."""
    values = [{"run_id": run.row.run_id, "file": run.results.path} for run in runs]
    unread = [{"run_id": one.run_id, "file": one.path, "line": one.line, "why": one.why} for one in lost]
    lines = [f"{text}{NOT_WRITTEN * dry_run}", _named(runs), *lost_lines(lost)]
    answer("\n".join(lines), {"runs": values, "unreadable": unread, "dry_run": dry_run})


def lost_lines(lost: Sequence[Lost]) -> list[str]:
    """A line of text for each of the first ten lines that are no rows."""
    more = [f"  and {len(lost) - _MOST:,} more"] if len(lost) > _MOST else []
    return [*(f"  could not be read: {one.sentence}" for one in lost[:_MOST]), *more]


def _named(runs: Sequence[StoredRun]) -> str:
    """The runs in words, one per line, the first ten."""
    from fewshot.commands._results import describe

    lines = [f"  {run.row.run_id[:8]}  {describe(run.row)}" for run in runs[:_MOST]]
    return "\n".join([*lines, *([f"  and {len(runs) - _MOST:,} more"] if len(runs) > _MOST else [])])
