"""`fewshot seen`: the classes of a data set that were in the training data of given weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from fewshot.commands import _options
from fewshot.commands._answers import answer, json_option, print_progress
from fewshot.commands._data_request import DataRequest
from fewshot.commands._names import NameOf

if TYPE_CHECKING:
    from fewshot.results.seen_classes import SeenClasses

_COLOURS = {"seen": "red", "unknown": "yellow", "not seen": "green"}


@click.command("seen", short_help="Show which classes were in the training data of weights.")
@_options.takes(data=DataRequest)
@click.option(
    "--backbone",
    type=NameOf("backbones"),
    metavar="NAME|SPEC",
    help="Use the training data of this backbone; a timm name downloads nothing.",
)
@click.option(
    "--trained-on",
    metavar="TEXT",
    help='Name the training data instead of a backbone, such as "ImageNet-21k" or "CUB 100/50/50 train".',
)
@json_option
def command(data: DataRequest, backbone: str | None, trained_on: str | None) -> None:
    """List the classes of a data set with their state: seen, not seen or unknown in the training data of given weights,
    and the evidence."""
    from fewshot.results.seen_classes import SEEN, UNKNOWN, sentence
    from fewshot.runs.workbench import Workbench

    if (backbone is None) == (trained_on is None):
        raise click.UsageError("give either --backbone, or --trained-on with the name of the training data")
    opened = data.open(Workbench())
    names = [opened.images.class_names[label] for label in opened.labels]
    seen = _seen_classes(backbone, trained_on, opened.images.name, names)
    width = max(len(c.name) for c in seen.classes)
    order = sorted(seen.classes, key=lambda c: list(_COLOURS).index(c.state))
    lines = [f"{click.style(f'{c.state:9}', _COLOURS[c.state])}{c.name:{width}}  {c.evidence}" for c in order]
    n_seen, n_unknown, part = seen.count(SEEN), seen.count(UNKNOWN), "" if data.classes == "all" else data.classes
    lines.append(sentence(n_seen, n_unknown, len(names), part, seen.pretrained_on, seen.by))
    counts = {"n_seen": n_seen, "n_unknown": n_unknown, "n_classes": len(names)}
    values = {"dataset": opened.images.name, "pretrained_on": seen.pretrained_on, "found_by": seen.by, **counts}
    answer("\n".join(lines), values | {"state": seen.state, "classes": [asdict(c) for c in seen.classes]})


def _seen_classes(backbone: str | None, trained_on: str | None, dataset: str, names: Sequence[str]) -> SeenClasses:
    """The state of each class, for the weights of a backbone or for named training data."""
    from fewshot.backbones.pretrained import Pretrained
    from fewshot.plugins.member_field import member
    from fewshot.plugins.registry import BACKBONES
    from fewshot.plugins.suggestions import hint
    from fewshot.results.seen_classes import seen_classes, seen_in_training
    from fewshot.results.seen_classes.corpora import corpora, known

    if backbone is None:
        if all(not corpus.synsets.members for corpus in corpora(str(trained_on))):
            near = hint(str(trained_on), known())
            print_progress(
                f"fewshot does not know the classes of {trained_on!r}; it knows: {', '.join(known())}.{near}"
            )
        return seen_classes(str(trained_on), dataset, names)
    source = member(BACKBONES, backbone).make()
    if isinstance(source, Pretrained):
        return seen_in_training(source.record, dataset, names)
    return seen_classes(source.trained_on(), dataset, names)
