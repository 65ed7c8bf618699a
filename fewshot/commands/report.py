"""`fewshot report`: an HTML report of rows, or tables for a README."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fewshot.commands import _options
from fewshot.commands._answers import NOT_WRITTEN, answer, json_option
from fewshot.commands._results import gathered, read_rows
from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fewshot.report.rows.images import RowImages
    from fewshot.report.rows.shown import Shown
    from fewshot.results.collections import Collection


@click.command("report", short_help="Write an HTML report.")
@click.argument("rows", metavar="[ROWS]...", nargs=-1, type=_options.FILE)
@click.option("--out", type=_options.FILE, help="Write this file (default: the first ROWS with the suffix .html).")
@_options.where_option
@_options.prefer_option
@click.option("--markdown", is_flag=True, help="Print the table as markdown instead of writing a report.")
@click.option(
    "--readme", type=_options.FILE, help="Write the table between the marks in this file, such as README.md, instead."
)
@click.option("--check", is_flag=True, help="With --readme: change nothing, and exit with code 1 if the file differs.")
@click.option(
    "--board",
    type=_options.FOLDER,
    metavar="FOLDER",
    help="Write a leaderboard of the submissions in this folder (`fewshot submit`) instead.",
)
@_options.row_images_option("pictures and class names")
@click.option("--allow-import", is_flag=True, help="Allow to import code that rows name, such as your own data set.")
@_options.dry_run_option
@json_option
def command(
    rows: tuple[Path, ...],
    out: Path | None,
    where: str,
    prefer: str | None,
    markdown: bool,
    readme: Path | None,
    check: bool,
    board: Path | None,
    data: tuple[str, ...],
    allow_import: bool,
    dry_run: bool,
) -> int:
    """Write an HTML report of one or more results files, as one self-contained page.

    ROWS are .jsonl files (default: the file in results/ that changed last; with --readme, the reference rows that come
    with fewshot). The report reads no data that rows from another machine name; name their images with --data:

    \b
      fewshot report results/runs.jsonl --data birds
      fewshot report --board submissions --out board.html
    """
    from fewshot.report.rows.shown import Shown

    if board is not None:
        if rows or where or markdown or readme is not None or check:
            raise click.UsageError("--board takes --out only; it reads the submissions of its folder")
        return _board(board, out or board / "board.html", dry_run)
    if readme is not None and where:
        raise click.UsageError("--readme shows whole suites; remove --where")
    if readme is not None:
        return _readme(readme, rows, check, dry_run)
    if check:
        raise click.UsageError("--check needs --readme FILE")
    results = gathered(rows or [_latest()], where, prefer)
    shown = Shown.of(results.rows(), results.short_names, results.every)
    file = out or results.path.with_suffix(".html")
    if dry_run:
        return _plan(shown, None if markdown else file, results)
    if not markdown:
        return _page(shown, file, results, _options.row_images(data, allow_import))
    from fewshot.report.comparisons.benchmark_ranking import rankings_on_sets
    from fewshot.report.tables.markdown_report import markdown_report

    benchmarks = rankings_on_sets(shown.rows, results.short_names, results.predictions)
    table = markdown_report(shown, benchmarks)
    answer(table.removesuffix("\n"), {"markdown": table, "n_runs": len(shown.rows)})
    return 0


def _page(shown: Shown, out: Path, results: Collection, images: RowImages) -> int:
    from fewshot.report import page_title, write_report

    write_report(shown, out, results, page_title(shown, [file.path.stem for file in results.files]), images)
    n_runs = len(shown.rows)
    values = {"report": out, "n_runs": n_runs, "results": results.path}
    answer(f"report: {out}, {counted(n_runs, 'run')} of {results.label}", values)
    return 0


def _board(folder: Path, out: Path, dry_run: bool) -> int:
    """Writes the leaderboard of the submissions in a folder."""
    from fewshot.sharing.board import board
    from fewshot.sharing.board_page import write_board
    from fewshot.sharing.plain_texts import shown

    found = board(folder)
    if not dry_run:
        write_board(found, out, folder.resolve().name)
    n_refused = len(found.refused)
    lines = [
        f"leaderboard: {out}, {counted(found.n_runs, 'run')} of {counted(len(found.submissions), 'submission')} in "
        f"{counted(len(found.tables), 'table')}{NOT_WRITTEN * dry_run}"
    ]
    lines += [f"  not ranked: {shown(one.folder.name)}: {one.problems[0]}" for one in found.refused]
    lines += [f"  contradiction: {text}" for text in found.conflicts]
    values = {
        "board": out,
        "n_runs": found.n_runs,
        "submissions": [one.folder.name for one in found.submissions],
        "benchmarks": [one.ranking.values() for one in found.benchmarks],
        "tables": {table.key: table.ranking.task for table in found.tables},
        "refused": {one.folder.name: one.problems for one in found.refused},
        "contradictions": found.conflicts,
        "dry_run": dry_run,
    }
    answer("\n".join(lines), values)
    return 1 if n_refused and not found.submissions else 0


def _plan(shown: Shown, out: Path | None, results: Collection) -> int:
    """Answers with the tasks that a report would show, and the file that it would write."""
    titles, n_runs = [task.title for task in shown.tasks], len(shown.rows)
    n_failed, n_unreadable = len(shown.failed), results.n_unreadable
    what = (
        f"{counted(n_runs, 'run')} of {results.label}, {n_failed:,} failed, {counted(n_unreadable, 'unreadable line')}"
    )
    where = "tables would be printed" if out is None else f"{out} would be {'over' if out.exists() else ''}written"
    values = {"report": out, "n_runs": n_runs, "results": results.path, "tasks": titles}
    lines = [f"{where}: {what}{NOT_WRITTEN}", *(f"  {title}" for title in titles)]
    answer("\n".join(lines), values | {"n_failed": n_failed, "n_unreadable": n_unreadable})
    return 0


def _readme(readme: Path, given: Sequence[Path], check: bool, dry_run: bool) -> int:
    """Updates the tables of a README, or reports that they are out of date."""
    from fewshot.benchmarks import FOLDER
    from fewshot.report.tables.readme import suites, update_readme
    from fewshot.results.files import Results

    if not readme.is_file():
        raise ValueError(f"there is no file {readme}")
    files = given or [FOLDER / "results" / f"{suite}.jsonl" for suite in suites(readme)]
    same = update_readme(readme, [row for file in files for row in read_rows(Results(file))], check or dry_run)
    if check and not same:
        raise ValueError(f"the tables of {readme} differ from the rows; run: fewshot report --readme {readme}")
    state = "match the rows" if same else f"{'would be' if dry_run else 'were'} updated"
    answer(f"{readme}: the tables {state}", {"readme": readme, "changed": not same and not dry_run, "same": same})
    return 0


def _latest() -> Path:
    """The file in results/ that changed last."""
    files = sorted(Path("results").glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
    if not files:
        raise ValueError(
            "there are no rows in results/ yet; run `fewshot run --data FOLDER` or `fewshot bench`, or name a .jsonl "
            "file"
        )
    return files[-1]
