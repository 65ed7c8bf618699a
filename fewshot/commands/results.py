"""`fewshot results`: list, show, filter, delete, rename, merge and export the runs of results files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fewshot.commands import _options
from fewshot.commands._answers import NOT_WRITTEN, amount, answer, json_option, row_values

if TYPE_CHECKING:
    from fewshot.results.collections import StoredRun
    from fewshot.results.files import Results

files_argument = click.argument("files", metavar="FILE...", nargs=-1, required=True, type=_options.FILE)
file_argument = click.argument("file", metavar="FILE", type=_options.FILE)
where_option = click.option(
    "--where",
    metavar="CONDITION",
    default="",
    help="Choose runs by columns of their rows, such as 'k_shot == 5, accuracy >= 0.8'.",
)
prefer_option = click.option(
    "--prefer",
    type=click.Choice(["first", "last"]),
    default=None,
    help="Choose the file whose number counts where two files disagree (default: stop).",
)
rename_option = click.option(
    "--rename", metavar="OLD=NEW", multiple=True, help="Show a name as NEW, such as 'tf_efficientnet_lite0=Lite0'."
)


@click.group("results")
def command() -> None:
    """List, filter, merge, export or delete finished runs."""


@command.command("list")
@files_argument
@where_option
@prefer_option
@json_option
def list_runs(files: tuple[Path, ...], where: str, prefer: str | None) -> int:
    """List the runs of results files, one line per run."""
    from fewshot.commands._results import runs_in_short
    from fewshot.report.rows.shown import Shown

    rows = [run.row for run in _chosen(files, where, prefer)]
    answer(runs_in_short(Shown.of(rows)), row_values(rows))
    return 0


@command.command("show")
@click.argument("run_id", metavar="RUN")
@files_argument
@json_option
def show(run_id: str, files: tuple[Path, ...]) -> int:
    """Show every column of one run. RUN is a run id or its first letters."""
    from tabulate import tabulate

    row = _one(_chosen(files, "", "last"), run_id).row
    (values,) = row_values([row])
    lines = [(name, value) for name, value in values.items() if value not in (None, "")]
    answer(tabulate(lines, tablefmt="plain", disable_numparse=True), values)
    return 0


@command.command("filter")
@file_argument
@click.option("--where", metavar="CONDITION", required=True, help="Copy the runs whose rows meet this condition.")
@click.option("--out", required=True, type=_options.FILE, help="Write this new results file.")
@_options.dry_run_option
@json_option
def filter_runs(file: Path, where: str, out: Path, dry_run: bool) -> int:
    """Copy some runs, with their predictions, to a new results file."""
    return _copy(_chosen([file], where, "last"), out, dry_run)


@command.command("merge")
@files_argument
@click.option("--out", required=True, type=_options.FILE, help="Write this new results file.")
@where_option
@prefer_option
@_options.dry_run_option
@json_option
def merge(files: tuple[Path, ...], out: Path, where: str, prefer: str | None, dry_run: bool) -> int:
    """Copy the runs of several results files, with their predictions, to a new one.

    Of a run that several files hold, the row with the most episodes counts. If two files hold different numbers for the
    same run, nothing is written and an error names both, unless --prefer chooses.
    """
    return _copy(_chosen(files, where, prefer), out, dry_run)


@command.command("delete")
@file_argument
@click.option("--where", metavar="CONDITION", default="", help="Delete the runs whose rows meet this condition.")
@click.option("--run", "run_ids", metavar="RUN", multiple=True, help="Delete this run (an id or its first letters).")
@_options.dry_run_option
@json_option
def delete(file: Path, where: str, run_ids: tuple[str, ...], dry_run: bool) -> int:
    """Delete runs and their predictions from a results file. There is no undo: try --dry-run first."""
    from fewshot.results.collections import delete_runs
    from fewshot.results.files import Results

    if bool(where) == bool(run_ids):
        raise click.UsageError("choose what to delete: either --where CONDITION or --run RUN")
    runs = _chosen([file], where, "last")
    if run_ids:
        runs = list({run.key: run for run in (_one(runs, run_id) for run_id in run_ids)}.values())
    if not dry_run:
        delete_runs(Results(file), runs)
    _report(f"{'would delete' if dry_run else 'deleted'} {amount(len(runs), 'run')} of {file}", runs, dry_run)
    return 0


@command.command("rename")
@file_argument
@click.argument("new", metavar="NEW", type=_options.FILE)
@json_option
def rename(file: Path, new: Path) -> int:
    """Rename or move a results file together with its predictions."""
    from fewshot.results.collections import move_results

    move_results(_existing(file), new)
    answer(f"{file} is now {new}", {"from": file, "to": new})
    return 0


@command.command("export")
@files_argument
@click.option("--out", required=True, type=_options.FILE, help="Write a .csv, .parquet, .tex or .md file.")
@where_option
@prefer_option
@rename_option
@json_option
def export(files: tuple[Path, ...], out: Path, where: str, prefer: str | None, rename: tuple[str, ...]) -> int:
    """Write runs as a table: .csv and .parquet with every column, .tex (booktabs) and .md for a paper."""
    from fewshot.files.atomic import write_atomically
    from fewshot.report.rows.shown import Shown
    from fewshot.report.tables.exports import exported

    rows = [run.row for run in _chosen(files, where, prefer)]
    write_atomically(out, exported(Shown.of(rows), out.suffix.lower(), _renamed(rename)))
    answer(f"wrote {amount(len(rows), 'run')} to {out}", {"out": out, "n_runs": len(rows)})
    return 0


def _renamed(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.rpartition("=") for text in given]
    wrong = [text for text, (old, sign, new) in zip(given, pairs, strict=True) if not (old and sign and new)]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r} is not OLD=NEW", param_hint="--rename")
    return {old: new for old, _, new in pairs}


def _existing(path: Path) -> Results:
    from fewshot.commands._results import read_rows
    from fewshot.results.files import Results

    results = Results(path)
    read_rows(results)
    return results


def _chosen(files: tuple[Path, ...] | list[Path], where: str, prefer: str | None) -> list[StoredRun]:
    """The runs of these files that meet a condition, at least one."""
    from fewshot.results.collections import chosen_by, runs_of

    meets = chosen_by(where)
    runs = runs_of([_existing(path) for path in files], prefer or "")
    chosen = [run for run in runs if meets(run.row)]
    if not chosen:
        raise ValueError(f"none of the {amount(len(runs), 'run')} meets {where!r}")
    return chosen


def _one(runs: list[StoredRun], start: str) -> StoredRun:
    """The one run whose id starts with this text."""
    found = [run for run in runs if run.row.run_id.startswith(start)]
    if len(found) == 1:
        return found[0]
    some = ", ".join(run.row.run_id for run in (found or runs)[:3])
    why = "no run id starts" if not found else f"{len(found)} run ids start"
    raise ValueError(f"{why} with {start!r}; the file has {some}{', ...' if len(found or runs) > 3 else ''}")


def _copy(runs: list[StoredRun], out: Path, dry_run: bool) -> int:
    from fewshot.results.collections import copy_runs
    from fewshot.results.files import Results

    without = sum(not run.has_predictions and run.row.status == "ok" for run in runs)
    if not dry_run:
        copy_runs(runs, Results(out))
    left = f"; {amount(without, 'run')} without predictions, which cannot be compared" if without else ""
    _report(f"{'would copy' if dry_run else 'copied'} {amount(len(runs), 'run')} to {out}{left}", runs, dry_run)
    return 0


def _report(text: str, runs: list[StoredRun], dry_run: bool) -> None:
    values = [{"run_id": run.row.run_id, "file": run.results.path} for run in runs]
    answer(text + NOT_WRITTEN * dry_run, {"runs": values, "dry_run": dry_run})
