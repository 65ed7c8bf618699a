"""`fewshot submit`: runs as a folder that others can check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fewshot.commands import _options
from fewshot.commands._answers import NOT_WRITTEN, answer, json_option, size
from fewshot.commands._results import gathered
from fewshot.commands._stored_runs import lost_lines
from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    from fewshot.results.collections import Collection
    from fewshot.sharing.submit import Submitted


@click.command("submit", short_help="Write runs as a folder to share.")
@click.argument("rows", metavar="ROWS...", nargs=-1, required=True, type=_options.FILE)
@click.option("--out", required=True, type=_options.NEW_FOLDER, help="Write this new folder.")
@click.option("--name", help="Name the submission, such as 'ResNet baselines' (default: the name of the folder).")
@click.option("--authors", default="", help="Name the authors (default: nobody).")
@click.option("--url", default="", help="Link to a page, such as https://example.org/paper.")
@click.option("--note", default="", help="Add a note to the README.")
@_options.where_option
@_options.prefer_option
@_options.row_images_option("the classes and labels")
@_options.dry_run_option
@json_option
def command(
    rows: tuple[Path, ...],
    out: Path,
    name: str | None,
    authors: str,
    url: str,
    note: str,
    where: str,
    prefer: str | None,
    data: tuple[str, ...],
    dry_run: bool,
) -> int:
    """Write runs as one folder that others can check, merge and rank.

    The folder holds rows, predictions, versions, commands and the sha256 of every file. It holds no image, no path, no
    user name and no host name. ROWS are .jsonl files. Check the folder with `fewshot verify`:

    \b
      fewshot submit results/runs.jsonl --out baselines --authors "A. Author"
    """
    from fewshot.sharing.about import About
    from fewshot.sharing.images import AtHand
    from fewshot.sharing.submit import submit

    about = About(name or out.name, authors, url, note)
    runs = gathered(rows, where, prefer)
    specs = tuple(map(_options.dataset_spec, data))
    if dry_run:
        return _plan(runs, out)
    return _answer(out, submit(runs, out, about, AtHand(specs, own=True)))


def _plan(runs: Collection, out: Path) -> int:
    n_bytes = sum(part.stat().st_size for run in runs.runs if run.has_predictions for part in run.parts.files())
    without = sum(not run.has_predictions for run in runs.runs)
    left = f"; {counted(without, 'run')} failed or without predictions would be left out" if without else ""
    lost = runs.lost
    text = f"would share {counted(len(runs.runs) - without, 'run')}, {size(n_bytes)} of predictions, in {out}{left}"
    unread = [one.sentence for one in lost]
    values = {"out": out, "n_runs": len(runs.runs) - without, "n_bytes": n_bytes, "unreadable": unread, "dry_run": True}
    answer("\n".join([text + NOT_WRITTEN, *lost_lines(lost)]), values)
    return 1 if lost else 0


def _answer(out: Path, done: Submitted) -> int:
    """Says what is shared, and why other runs are not. The exit code is 1 if a row could not be read."""
    from fewshot.sharing.layout import is_run_id

    own = [run for run in done.runs if run.own_code]
    without = [run for run in done.runs if not run.design.has_names]
    lines = [f"{out}: {counted(len(done.runs), 'run')}, {size(done.n_bytes)}"]
    lines += [f"  left out {run[:8] if is_run_id(run) else run}: {why}" for run, why in done.manifest.left_out]
    lines += [f"  {run.row.run_id[:8]} is own code, which others cannot run: {run.own_code}" for run in own]
    if without:
        lines.append(
            f"  {counted(len(without), 'run')} without the labels of their images, so others cannot check their run "
            "ids; name the images with --data"
        )
    lines.append(f"check it: fewshot verify {out}")
    values = {
        "out": out,
        "unreadable": done.n_lost,
        "runs": [run.row.run_id for run in done.runs],
        "own_code": {run.row.run_id: run.own_code for run in own},
        "left_out": dict(done.manifest.left_out),
        "n_bytes": done.n_bytes,
    }
    answer("\n".join(lines), values)
    return 1 if done.n_lost else 0
