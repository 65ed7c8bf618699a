"""`fewshot split`: splits of classes into seen, validation and novel ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fewshot.commands import _options
from fewshot.commands._answers import NOT_WRITTEN, answer, json_option
from fewshot.commands._groups import SuggestingGroup
from fewshot.commands._names import NameOf
from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    from fewshot.splits import ClassSplit


@click.group("split", cls=SuggestingGroup)
def command() -> None:
    """Make or show a split of the classes of a data set."""


@command.command("make")
@click.option(
    "--data",
    type=NameOf("datasets", with_files=True),
    required=True,
    metavar="FOLDER|SPEC",
    help="Split the classes of this folder of class folders or data set.",
)
@click.option(
    "--rule",
    type=NameOf("splits"),
    required=True,
    metavar="SPEC",
    help='Split by this rule, such as "BySeed(novel=0.4, seed=1)" or '
    "\"ByGroup('superclass', novel=('animal', 'food'))\".",
)
@click.option("--out", required=True, type=_options.FILE, help="Write this JSON file.")
@_options.dry_run_option
@json_option
def make(data: str, rule: str, out: Path, dry_run: bool) -> None:
    """Split the classes of a data set by a rule and write a JSON file, for --split "FromFile('...')"."""
    from fewshot.plugins.registry import SPLITS
    from fewshot.splits import check_classes

    dataset, made = _options.dataset_spec(data).make(), SPLITS.make(rule)
    check_classes(made, dataset)
    split = made.split(dataset.load())
    if not dry_run:
        split.save(out)
    counts = ", ".join(f"{len(getattr(split, part))} {part}" for part in ("seen", "validation", "novel"))
    values = {part: len(getattr(split, part)) for part in ("seen", "validation", "novel")}
    answer(f"{out}: {counts} classes{NOT_WRITTEN if dry_run else ''}", {"file": out, "written": not dry_run} | values)


@command.command("show")
@click.option(
    "--data",
    type=NameOf("datasets", with_files=True),
    metavar="FOLDER|SPEC",
    help="Show the split of this folder of class folders or data set.",
)
@click.option("--split", "rule", metavar="SPEC", help="Split --data by this rule (default: the data set's own).")
@click.option("--file", type=_options.FILE, help="Show a JSON file of `fewshot split make`, instead of --data.")
@json_option
def show(data: str | None, rule: str | None, file: Path | None) -> None:
    """Print the classes of each part of a split, with their numbers of images."""
    from fewshot.splits import PARTS, ClassSplit

    if (data is None) == (file is None) or (file is not None and rule is not None):
        raise click.UsageError("give --data (with --split, if it has no default split) or --file, not both")
    split, sizes = (ClassSplit.load(file), {}) if file is not None else _of_data(str(data), rule)
    lines = []
    for part in PARTS:
        classes = getattr(split, part)
        n_images = f", {counted(sum(sizes[name] for name in classes), 'image')}" if sizes else ""
        lines.append(click.style(f"{part}: {counted(len(classes), 'class')}{n_images}", bold=True))
        if classes:
            names = (f"{name} ({sizes[name]})" if sizes else name for name in classes)
            lines.append(click.wrap_text(", ".join(names), 100, "  ", "  "))
    answer("\n".join(lines), {part: {name: sizes.get(name) for name in getattr(split, part)} for part in PARTS})


def _of_data(data: str, rule: str | None) -> tuple[ClassSplit, dict[str, int]]:
    """The split of a data set, and the number of images of each class."""
    from fewshot.commands._data_request import open_data
    from fewshot.runs.workbench import Workbench

    opened = open_data(data, rule, "all", Workbench())
    counts = (opened.images.pool().start[1:] - opened.images.pool().start[:-1]).tolist()
    return opened.split, dict(zip(opened.images.class_names, counts, strict=True))
