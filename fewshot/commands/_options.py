"""Options that several commands have, and what they mean."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fewshot.plugins.spec import Spec

Count = int | str  # a number, or "all"
Command = Callable[..., int | None]  # the exit code; None is 0
Decorator = Callable[[Command], Command]
FILE = click.Path(path_type=Path, dir_okay=False)


def count(text: str) -> Count:
    """The number that an option gives, or "all"."""
    if text.lower() != "all" and not (text.isdigit() and int(text) > 0):
        raise click.BadParameter(f"{text!r} is neither a positive number nor 'all'")
    return int(text) if text.isdigit() else "all"


def counts(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> tuple[Count, ...]:
    """What --shot gives: numbers or "all", one an option or several with commas between them; each once."""
    return tuple(dict.fromkeys(count(text.strip()) for several in given for text in several.split(",")))


def part(text: str) -> tuple[int, int]:
    """The pair (i, n) of "i/n", 1 <= i <= n."""
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    pair = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= pair[0] <= pair[1]:
        raise click.BadParameter(f"{text!r} is not a part such as 1/2, the first of two")
    return pair


def together(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Options as one decorator; the help shows them in this order."""

    def decorate(function: Command) -> Command:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


data_options = together(
    click.option(
        "--data",
        required=True,
        metavar="FOLDER|FILE|SPEC",
        help="A folder with one folder of images a class, a CSV file with the columns path and label, a file of "
        "vectors and labels (.npz, .safetensors, .parquet), or a data set such as \"Icons(domain='mono')\".",
    ),
    click.option(
        "--split",
        metavar="SPEC",
        help="Rule for seen and novel classes, such as BySeed(seed=1); "
        "without it the data set's own, or all classes are novel.",
    ),
    click.option(
        "--classes",
        type=click.Choice(["seen", "validation", "novel", "all"]),
        default="novel",
        help="Part of the split that episodes are drawn from.",
    ),
)

episode_options = together(
    click.option(
        "--way", type=count, metavar="N|all", help="Classes an episode. Default: 5, or all where there are fewer."
    ),
    click.option(
        "--shot",
        callback=counts,
        metavar="N|all",
        multiple=True,
        help="Support images a class, several as 1,5,10. Default: 1.",
    ),
    click.option(
        "--query",
        type=count,
        metavar="N|all",
        help="Query images a class. Default: 15, or what the smallest class leaves. all: every other image, or the "
        "test partition as a whole.",
    ),
    click.option("--at-most", is_flag=True, help="Let small classes have fewer support images than --shot."),
    click.option("--support-from", metavar="GROUP=NAME", help="Image group of the support, such as domain=mono."),
    click.option("--query-from", metavar="GROUP=NAME", help="Image group of the queries."),
    click.option("--sampler", metavar="SPEC", help="How episodes are composed. Default: Balanced."),
    click.option("--seed", type=int, default=0, help="Seed of the episodes."),
)

selection_options = together(
    click.option(
        "--select",
        type=click.Choice(["support", "validation", "oracle"]),
        help="Choose hyperparameters by cross-validation inside every support, on validation classes, or, as an "
        "oracle, on the test episodes.",
    ),
    click.option(
        "--grid",
        "settings",
        multiple=True,
        metavar="FIELD=VALUES",
        help="What to choose from, such as C=0.01,0.1,1 or C=dinov2; may be repeated for other fields.",
    ),
    click.option(
        "--select-episodes",
        type=click.IntRange(min=1),
        help="How many episodes each setting is tried on, 200 if not given; not for --select support.",
    ),
)

dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would be computed and written, and do neither.")

shard_option = click.option(
    "--shard", type=part, metavar="I/N", default="1/1", help="Which part of the episodes to solve here."
)


def compute_options(function: Command) -> Command:
    """Options that never change a number."""
    budget = click.option("--budget-mb", type=click.IntRange(min=1), default=24, help="Memory for solving episodes.")
    device = click.option("--device", metavar="DEVICE", help="Where networks run. Default: the best there is.")
    return together(budget, device)(function)


def dataset_spec(data: str) -> Spec:
    """The spec of what the user gave as --data: a folder of class folders, a CSV file, a file of vectors,
    a name or a spec."""
    from fewshot.plugins.registry import DATASETS

    known = DATASETS.names()
    if data not in known and Path(data).expanduser().is_dir():
        return DATASETS.spec(f"ImageFolderSet(root={str(Path(data).expanduser())!r})")
    source = {".csv": "Manifest", ".npz": "VectorSet", ".safetensors": "VectorSet", ".parquet": "VectorSet"}.get(
        Path(data).suffix.lower()
    )
    if "(" not in data and source is not None:
        return DATASETS.spec(f"{source}(path={str(Path(data).expanduser())!r})")
    if "(" in data or ":" in data or data in known:
        return DATASETS.spec(data)
    close = difflib.get_close_matches(data, known, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise ValueError(
        f"there is neither a folder {data!r} nor a data set of that name (known: {', '.join(known)}){hint}"
    )
