"""`fewshot reproduce`: whether rows reproduce published numbers."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fewshot.commands import _options
from fewshot.commands._answers import answer, json_option
from fewshot.commands._ranked import width
from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fewshot.report.comparisons.reproduction import Reproduction
    from fewshot.results.files import Results
    from fewshot.results.published import PublishedNumber
    from fewshot.results.row import Row

_COLOURS = {"reproduced": "green", "not reproduced": "red", "not decided": "yellow", "not comparable": "yellow"}


@click.command("reproduce", short_help="Say whether rows reproduce published numbers.")
@click.argument("name", metavar="NAME")
@click.option(
    "--rows", "files", type=_options.FILE, multiple=True, required=True, help="Read rows of this results file."
)
@click.option(
    "--model",
    metavar="TEXT",
    default="",
    help="Compare all rows with the published network whose name holds TEXT (default: networks are matched by their "
    "weights).",
)
@_options.where_option
@_options.prefer_option
@json_option
def command(name: str, files: tuple[Path, ...], model: str, where: str, prefer: str | None) -> int:
    """Pair rows with the published numbers called NAME, and say of each: reproduced, not reproduced (and by how much),
    not decided (too few episodes), or not comparable (and why).

    NAME is a source or a benchmark; `fewshot list published` shows them. For example, after a run of the benchmark:

    \b
      fewshot reproduce mieb_few_shot --rows results/runs.jsonl
      fewshot reproduce simpleshot --rows results/runs.jsonl --model "ResNet-18"
    """
    from fewshot.commands._results import gathered
    from fewshot.report.comparisons.reproduction import reproductions
    from fewshot.results.published import numbers_called

    numbers = numbers_called(name)
    stored = gathered(files, where, prefer)
    found = reproductions(stored.rows(), numbers, model, lambda row: _test_images(stored, row))
    if not found:
        raise ValueError(_none_beside(name, numbers, len(stored.rows()), model))
    answer("\n\n".join([_counts(found), *map(_line, found)]), {"name": name, "numbers": [_value(one) for one in found]})
    return 0


def _line(one: Reproduction) -> str:
    labels = f" Published number: {'; '.join(one.number.labels)}." if one.number.labels else ""
    text = click.wrap_text(f"{one.sentence}{labels}", width(), "", "  ")
    return text.replace(one.verdict, click.style(one.verdict, _COLOURS[one.verdict]), 1)


def _counts(found: Sequence[Reproduction]) -> str:
    parts = ((sum(one.verdict == verdict for one in found), verdict) for verdict in _COLOURS)
    return ", ".join(f"{n:,} {verdict}" for n, verdict in parts if n)


def _value(one: Reproduction) -> dict[str, Any]:
    return {
        "run_id": one.row.run_id,
        "verdict": one.verdict,
        "reason": one.reason,
        "accuracy": one.row.accuracy,
        "published": asdict(one.number),
        "difference": None if one.difference is None else asdict(one.difference),
    }


def _test_images(stored: Results, row: Row) -> int | None:
    """The test images that each episode of a row answers, from its stored predictions; None without them."""
    try:
        part = next(stored.predictions(row), None)
    except ValueError:
        return None
    return None if part is None else len(part.episodes[:1].query)


def _none_beside(name: str, numbers: Sequence[PublishedNumber], n_rows: int, model: str) -> str:
    models = list(dict.fromkeys(one.model for one in numbers))
    data = list(dict.fromkeys(one.data.name for one in numbers))
    wanted = f"the network {model!r}" if model else "their networks by the names of weights"
    return (
        f"none of the {counted(n_rows, 'row')} stands beside a published number of {name} with {wanted}; it has "
        f"{', '.join(models[:4])}{', ...' * (len(models) > 4)} on {', '.join(data[:6])}{', ...' * (len(data) > 6)}; "
        "name the published network with --model"
    )
