"""`fewshot reproduce`: whether rows reproduce published numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fewshot.commands import _options
from fewshot.commands._answers import answer, json_option
from fewshot.commands._benchmark import BenchmarkRequest, backbones_option, partial_option, sets_option
from fewshot.commands._compute_request import ComputeRequest
from fewshot.commands._rates import remember_rows
from fewshot.commands._results import gathered, print_failures, writable_results
from fewshot.files.terminal import width
from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fewshot.report.comparisons.reproduction import Reproduction
    from fewshot.results.published import PublishedNumber

_COLOURS = {"reproduced": "green", "not reproduced": "red", "not decided": "yellow", "not comparable": "yellow"}


@click.command("reproduce", short_help="Say whether rows reproduce published numbers.")
@click.argument("name", metavar="NAME")
@click.option("--rows", "files", type=_options.FILE, multiple=True, help="Read rows of this results file.")
@click.option("--data", metavar="ROOT", help="Run the benchmark on the data sets below this folder first.")
@backbones_option
@sets_option
@partial_option
@click.option(
    "--results", type=_options.FILE, default="results/runs.jsonl", help="With --data: append the rows to this file."
)
@click.option(
    "--model",
    metavar="TEXT",
    default="",
    help="Compare all rows with the published network whose name holds TEXT (default: networks are matched by their "
    "weights).",
)
@_options.takes(compute=ComputeRequest)
@_options.where_option
@_options.prefer_option
@json_option
def command(
    name: str,
    files: tuple[Path, ...],
    data: str | None,
    backbones: tuple[str, ...],
    sets: tuple[str, ...],
    partial: bool,
    results: Path,
    compute: ComputeRequest,
    model: str,
    where: str,
    prefer: str | None,
) -> int:
    """Pair rows with the published numbers called NAME, and say of each: reproduced, not reproduced (and by how much),
    not decided (too few episodes), or not comparable (and why).

    NAME is a source or a benchmark; `fewshot list published` shows them. The rows are those of --rows, or those of the
    benchmark on your --data:

    The exit code says nothing about the verdicts, which --json has: it is 0 if at least one number stands beside a row,
    and 1 if none does, or after another error.

    \b
      fewshot reproduce mieb_few_shot --data ~/data --backbone vit_base_patch14_dinov2.lvd142m --partial
      fewshot reproduce mieb_few_shot --rows results/runs.jsonl
      fewshot reproduce simpleshot --rows results/runs.jsonl --model "ResNet-18"
    """
    from fewshot.report.comparisons.reproduction import reproductions
    from fewshot.report.rows.errors import n_test_images
    from fewshot.results.published import numbers_called

    if bool(files) == (data is not None):
        raise click.UsageError("give either --rows FILE, or --data ROOT to run the benchmark first")
    _check_published(name)
    numbers = numbers_called(name)
    own: set[str] | None = None
    if data is not None:
        chosen = BenchmarkRequest(_benchmark_of(name), sets, partial)
        own = _run(chosen, data, backbones, results, compute)
    stored = gathered(files or [results], where, prefer)
    rows = [row for row in stored.rows() if own is None or row.run_id in own]
    pairs = reproductions(rows, numbers, model, n_test_images(stored.predictions))
    if not pairs:
        raise ValueError(_none_beside(name, numbers, len(rows), model))
    answer(
        "\n\n".join([_counts(pairs), *_lines(pairs), *_notes(pairs)]),
        {"name": name, "numbers": [_value(one) for one in pairs]},
    )
    return 0


def _check_published(name: str) -> None:
    """Raises a ValueError for a benchmark without published numbers."""
    from fewshot import protocols
    from fewshot.results.published import published_table, table_names

    sources = {one: published_table(one).benchmark for one in table_names()}
    if name in protocols.names() and name not in {*sources, *sources.values()}:
        raise ValueError(
            f"fewshot has no published numbers of {name} to compare with; run it without them: fewshot run --benchmark "
            f"{name} --data ROOT"
        )


def _benchmark_of(name: str) -> str:
    """The benchmark that a source or benchmark of published numbers belongs to; a ValueError if there is none."""
    from fewshot.results.published import published_table, table_names

    benchmark = published_table(name).benchmark if name in table_names() else name
    if not benchmark:
        raise ValueError(f"no benchmark of fewshot runs the protocol of {name}; run it, and give its rows with --rows")
    return benchmark


def _run(
    chosen: BenchmarkRequest, data: str, backbones: tuple[str, ...], results: Path, compute: ComputeRequest
) -> set[str]:
    """The ids of the runs of a benchmark; those that are missing are computed and their rows appended."""
    from fewshot.runs.pipeline import run_all

    bench = compute.workbench(checks_counts=True)
    plan = chosen.plan(data, backbones, [], "float32", bench)
    written = writable_results(results)
    known = {row.run_id for row in written.rows()}
    done = [row for _, row in run_all(plan.specs, written, bench, compute.shard) if row is not None]
    remember_rows(row for row in done if row.run_id not in known)
    print_failures(done)
    return {row.run_id for row in done}


def _lines(pairs: Sequence[Reproduction]) -> list[str]:
    """A paragraph for each pair; with the names of the runs where several stand beside one number."""
    from fewshot.report.rows.shown import Shown

    shown, counts = Shown.of(row for one in pairs for row in one.rows), Counter(one.number for one in pairs)
    return [_line(one, ", ".join(shown.name(one.rows[0])) if counts[one.number] > 1 else "") for one in pairs]


def _line(one: Reproduction, name: str) -> str:
    own = [label for label in one.number.labels if label not in one.number.name]
    labels = f" Published number: {'; '.join(own)}." if own else ""
    text = click.wrap_text(f"{one.with_name(name)}{labels}", width(), "", "  ")
    return text.replace(one.verdict, click.style(one.verdict, _COLOURS[one.verdict]), 1)


def _notes(pairs: Sequence[Reproduction]) -> list[str]:
    """What to know about all numbers of the sources, one line each."""
    from fewshot.results.published import published_table

    sources = dict.fromkeys(one.number.source for one in pairs)
    notes = [note for source in sources for note in published_table(source).notes]
    return ["\n".join(click.wrap_text(note, width(), "", "  ") for note in notes)] if notes else []


def _counts(pairs: Sequence[Reproduction]) -> str:
    parts = ((sum(one.verdict == verdict for one in pairs), verdict) for verdict in _COLOURS)
    return ", ".join(f"{n:,} {verdict}" for n, verdict in parts if n)


def _value(one: Reproduction) -> dict[str, Any]:
    return {
        "run_ids": [row.run_id for row in one.rows],
        "verdict": one.verdict,
        "reason": one.reason,
        "accuracy": one.accuracy,
        "published": asdict(one.number),
        "difference": None if one.difference is None else asdict(one.difference),
    }


def _none_beside(name: str, numbers: Sequence[PublishedNumber], n_rows: int, model: str) -> str:
    models = list(dict.fromkeys(one.model for one in numbers))
    data = list(dict.fromkeys(one.data.name for one in numbers))
    of_model = f" of {model!r}" if model else ""
    to_do = "give more or less of its name" if model else "if one of these is your network, name it with --model TEXT"
    known = f"{', '.join(models[:4])}{', ...' * (len(models) > 4)} on {', '.join(data[:6])}{', ...' * (len(data) > 6)}"
    return f"{name} has no published number{of_model} for the {counted(n_rows, 'row')}; it has {known}; {to_do}"
