"""`fewshot results`: list, show, filter, merge, delete, rename, move and export the runs of results files."""

from __future__ import annotations

from pathlib import Path

import click

from fewshot.commands import _options
from fewshot.commands._answers import NOT_WRITTEN, answer, json_option, row_values, size
from fewshot.commands._groups import SuggestingGroup
from fewshot.commands._results import gathered
from fewshot.commands._stored_runs import Renames, confirm, copy, one_run, report_runs, split_renames
from fewshot.plugins.wording import counted

files_argument = click.argument("files", metavar="FILE...", nargs=-1, required=True, type=_options.FILE)
file_argument = click.argument("file", metavar="FILE", type=_options.FILE)
new_file_option = click.option("--out", required=True, type=_options.FILE, help="Write this new results file.")


@click.group("results", cls=SuggestingGroup, short_help="List, copy, merge, delete, rename or export finished runs.")
def command() -> None:
    """List, show, filter, merge, delete, rename, move or export the runs of results files.

    A run is a row of a .jsonl file with its predictions; both move together.
    """


@command.command("list")
@files_argument
@_options.where_option
@_options.prefer_option
@json_option
def list_runs(files: tuple[Path, ...], where: str, prefer: str | None) -> int:
    """List the runs of results files, one line per run."""
    from fewshot.commands._results import runs_in_short
    from fewshot.files.terminal import width
    from fewshot.report.rows.shown import Shown

    runs = gathered(files, where, prefer)
    answer(runs_in_short(Shown.of(runs.rows(), runs.short_names), width()), row_values(runs.rows()))
    return 0


@command.command("show")
@click.argument("run_id", metavar="RUN")
@files_argument
@json_option
def show(run_id: str, files: tuple[Path, ...]) -> int:
    """Show every column of one run, its seconds per image and per episode, and its comparability key.

    RUN is a run id or its first letters. Runs with one key may stand in one table.
    """
    from tabulate import tabulate

    from fewshot.results.comparability import comparability_key
    from fewshot.results.costs import derived_costs

    row = one_run(gathered(files, prefer="last"), run_id).row
    values = row_values([row])[0] | derived_costs(row) | {"comparability_key": comparability_key(row)}
    lines = [(name, value) for name, value in values.items() if value not in (None, "")]
    answer(tabulate(lines, tablefmt="plain", disable_numparse=True), values)
    return 0


@command.command("filter")
@files_argument
@_options.needed_where_option
@new_file_option
@_options.prefer_option
@_options.dry_run_option
@json_option
def filter_runs(files: tuple[Path, ...], where: str, out: Path, prefer: str | None, dry_run: bool) -> int:
    """Copy the runs that meet --where, with their predictions, to a new results file."""
    return copy(gathered(files, where, prefer), out, dry_run)


@command.command("merge")
@files_argument
@new_file_option
@_options.where_option
@_options.prefer_option
@_options.dry_run_option
@json_option
def merge(files: tuple[Path, ...], out: Path, where: str, prefer: str | None, dry_run: bool) -> int:
    """Copy the runs of several results files, with their predictions, to a new one.

    If several files hold the same run, the row with the most episodes counts. If two files hold different numbers for
    the same run, nothing is written and an error names both, unless --prefer chooses.
    """
    return copy(gathered(files, where, prefer), out, dry_run)


@command.command("delete")
@file_argument
@_options.where_option
@click.option("--run", "run_ids", metavar="RUN", multiple=True, help="Delete this run (an id or its first letters).")
@click.option("--yes", is_flag=True, help="Delete without asking.")
@_options.dry_run_option
@json_option
def delete(file: Path, where: str, run_ids: tuple[str, ...], yes: bool, dry_run: bool) -> int:
    """Delete runs and their predictions from a results file. There is no undo: try --dry-run first."""
    from fewshot.results.copies import delete_runs
    from fewshot.results.files import Results

    if bool(where) == bool(run_ids):
        raise click.UsageError("choose what to delete: either --where CONDITION or --run RUN")
    held = gathered([file], where)
    runs = held.runs if where else tuple({(run := one_run(held, start)).key: run for start in run_ids}.values())
    n_bytes = sum(part.stat().st_size for run in runs if run.has_predictions for part in run.parts.files())
    what = f"{counted(len(runs), 'run')} of {file} and {size(n_bytes)} of predictions"
    if not dry_run:
        confirm(what, runs, yes)
        delete_runs(Results(file), runs)
    report_runs(f"{'would delete' if dry_run else 'deleted'} {what}", runs, dry_run)
    return 0


@command.command("rename")
@file_argument
@click.argument("names", metavar="OLD=NEW...", nargs=-1, required=True, callback=split_renames)
@_options.dry_run_option
@json_option
def rename(file: Path, names: Renames, dry_run: bool) -> int:
    """Give backbones or methods short names, which tables, reports and comparisons of FILE then show.

    OLD is a name in tables, a part of only one name, or words that several names share, such as a network of several
    seeds: then only these words change. An empty NEW gives the usual name back. No row and no run id
    changes: the names lie beside FILE.

    \b
      fewshot results rename runs.jsonl "raw pixels 32=pixels" "L2 + Prototype=ProtoNet"
    """
    from fewshot.report.rows.renaming import renames
    from fewshot.report.rows.shown import Shown
    from fewshot.results.files import Results

    held = gathered([file])
    chosen = renames(Shown.of(held.rows(), held.short_names), names)
    if not dry_run:
        Results(file).short_names.changed(chosen).write(Results(file).names_path)
    lines = [f"{spec} is now {new!r}" if new else f"{spec} has its usual name again" for spec, new in chosen.items()]
    answer("\n".join(lines) + NOT_WRITTEN * dry_run, {"names": chosen, "file": file, "dry_run": dry_run})
    return 0


@command.command("move")
@file_argument
@click.argument("new", metavar="NEW", type=_options.FILE)
@_options.dry_run_option
@json_option
def move(file: Path, new: Path, dry_run: bool) -> int:
    """Move a results file together with its predictions, trials and short names."""
    from fewshot.results.copies import move_results
    from fewshot.results.files import Results

    gathered([file])
    if not dry_run:
        move_results(Results(file), new)
    text = f"{file} would become {new}" if dry_run else f"{file} is now {new}"
    answer(text + NOT_WRITTEN * dry_run, {"from": file, "to": new, "dry_run": dry_run})
    return 0


@command.command("export")
@files_argument
@click.option("--out", required=True, type=_options.FILE, help="Write a .csv, .parquet, .tex or .md file.")
@_options.where_option
@_options.prefer_option
@click.option(
    "--rename",
    "names",
    metavar="OLD=NEW",
    multiple=True,
    callback=split_renames,
    help="Show a name as NEW, such as 'raw pixels 32=pixels'; `fewshot results rename` keeps names.",
)
@_options.dry_run_option
@json_option
def export(files: tuple[Path, ...], out: Path, where: str, prefer: str | None, names: Renames, dry_run: bool) -> int:
    """Write runs as a table: .csv and .parquet with every column, .tex (booktabs) and .md for a paper.

    The last two begin with the means of benchmarks over their data sets; .md also has the costs of each run.
    """
    from fewshot.files.atomic import write_atomically
    from fewshot.report.comparisons.benchmark_ranking import rankings_on_sets
    from fewshot.report.rows.renaming import renames
    from fewshot.report.rows.shown import Shown
    from fewshot.report.tables.exports import check_suffix, exported, has_means

    suffix = out.suffix.lower()
    check_suffix(suffix)
    runs = gathered(files, where, prefer)
    rows = runs.rows()
    short_names = runs.short_names.changed(renames(Shown.of(rows, runs.short_names), names))
    means = rankings_on_sets(rows, short_names, runs.predictions) if has_means(suffix) else []
    table = exported(Shown.of(rows, short_names, runs.every), suffix, means)
    if not dry_run:
        write_atomically(out, table)
    text = f"{'would write' if dry_run else 'wrote'} {counted(len(rows), 'run')} to {out}"
    answer(text + NOT_WRITTEN * dry_run, {"out": out, "n_runs": len(rows), "dry_run": dry_run})
    return 0
