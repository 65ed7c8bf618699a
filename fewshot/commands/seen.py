"""`fewshot seen`: which classes of a data set were in the training data of some weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from fewshot.commands import _options
from fewshot.commands._answers import answer, json_option, tell

if TYPE_CHECKING:
    from fewshot.results.seen_classes import SeenClasses

_COLOURS = {"seen": "red", "unknown": "yellow", "not seen": "green"}


@click.command("seen", short_help="Which classes were in the training data of some weights.")
@_options.data_options
@click.option("--backbone", metavar="NAME|SPEC", help="Its weights; nothing is downloaded for a name of timm's.")
@click.option(
    "--trained-on", metavar="TEXT", help='Instead of --backbone, such as "ImageNet-21k" or "CUB 100/50/50 train".'
)
@json_option
def command(data: str, split: str | None, classes: str, backbone: str | None, trained_on: str | None) -> None:
    """List the classes of a data set that were in the training data of some weights: seen, not seen or unknown, and
    why."""
    from fewshot.commands._request import open_data
    from fewshot.results.seen_classes import SEEN, UNKNOWN, sentence
    from fewshot.runs.pipeline import Workbench

    if (backbone is None) == (trained_on is None):
        raise click.UsageError("give --backbone, or --trained-on where the weights are no backbone of this machine")
    opened = open_data(data, split, classes, Workbench())
    names = [opened.images.class_names[label] for label in opened.labels]
    found = _found(backbone, trained_on, opened.images.name, names)
    width = max(len(c.name) for c in found.classes)
    order = sorted(found.classes, key=lambda c: list(_COLOURS).index(c.state))
    lines = [f"{click.style(f'{c.state:9}', _COLOURS[c.state])}{c.name:{width}}  {c.evidence}" for c in order]
    counts = {"n_seen": found.count(SEEN), "n_unknown": found.count(UNKNOWN), "n_classes": len(names)}
    told = (found.count(SEEN), found.count(UNKNOWN), len(names), "" if classes == "all" else classes)
    lines.append(sentence(*told, found.pretrained_on, found.by))
    values = {"dataset": opened.images.name, "pretrained_on": found.pretrained_on, "found_by": found.by, **counts}
    answer("\n".join(lines), values | {"state": found.state, "classes": [asdict(c) for c in found.classes]})


def _found(backbone: str | None, trained_on: str | None, dataset: str, names: Sequence[str]) -> SeenClasses:
    """What is known of weights by their backbone, or by what they are said to be trained on."""
    from fewshot.backbones.pretrained import Pretrained
    from fewshot.plugins.member_field import member
    from fewshot.plugins.registry import BACKBONES
    from fewshot.results.seen_classes import seen_classes, seen_in_training
    from fewshot.results.seen_classes.corpora import corpora, known

    if backbone is None:
        if all(not corpus.synsets.members for corpus in corpora(str(trained_on))):
            tell(f"no classes of {trained_on!r} are known; they are of: {', '.join(known())}")
        return seen_classes(str(trained_on), dataset, names)
    source = member(BACKBONES, backbone).make()
    if isinstance(source, Pretrained):
        return seen_in_training(source.record, dataset, names)
    return seen_classes(source.trained_on(), dataset, names)
