"""`fewshot distance`: how far target data sets are from source data sets."""

from __future__ import annotations

from dataclasses import asdict
from itertools import product

import click

from fewshot.commands._answers import answer, json_option
from fewshot.commands._names import NameOf

_PARTS = click.Choice(["seen", "validation", "novel", "all"])


@click.command("distance", short_help="Measure how far target sets are from source sets.")
@click.option(
    "--source",
    "sources",
    type=NameOf("datasets", with_files=True),
    multiple=True,
    required=True,
    metavar="FOLDER|SPEC",
    help="Measure from this data set; repeat for several.",
)
@click.option(
    "--target",
    "targets",
    type=NameOf("datasets", with_files=True),
    multiple=True,
    required=True,
    metavar="FOLDER|SPEC",
    help="Measure to this data set; repeat for several.",
)
@click.option(
    "--source-classes",
    type=_PARTS,
    default="seen",
    help="Use these classes of a source (all, if it has no default split).",
)
@click.option(
    "--target-classes",
    type=_PARTS,
    default="novel",
    help="Use these classes of a target (all, if it has no default split).",
)
@click.option(
    "--reference",
    type=NameOf("backbones"),
    default="tf_efficientnet_lite0",
    metavar="NAME|SPEC",
    help="Embed all images with this network; choose one that you do not score.",
)
@click.option(
    "--images",
    "n",
    type=click.IntRange(min=4),
    default=1000,
    help="Sample this many images of each set, or all if it has fewer.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Set the seed of the sampled images.")
@json_option
def command(
    sources: tuple[str, ...],
    targets: tuple[str, ...],
    source_classes: str,
    target_classes: str,
    reference: str,
    n: int,
    seed: int,
) -> int:
    """Print the unbiased squared MMD, the Fréchet distance and the nearest source class of every target from every
    source."""
    from tabulate import tabulate

    from fewshot.commands._data_request import open_data
    from fewshot.features.distances import distances
    from fewshot.plugins.member_field import member
    from fewshot.plugins.registry import BACKBONES
    from fewshot.runs.workbench import Workbench

    bench, spec = Workbench(), member(BACKBONES, reference)
    values = []
    for source, target in product(sources, targets):
        first, second = open_data(source, None, "all", bench), open_data(target, None, "all", bench)
        labels = [
            data.labels if data.rule else data.split.classes(part, data.images)
            for data, part in ((first, source_classes), (second, target_classes))
        ]
        network = bench.backbone(spec).to(None)
        measured = distances(first.images, labels[0], second.images, labels[1], network, n, seed)
        values.append({"source": first.images.name, "target": second.images.name} | asdict(measured))
    header = {"mmd": "MMD^2", "mmd_alike": "of halves", "frechet": "Frechet", "nearest_class": "nearest class"}
    text = tabulate([{header.get(k, k): v for k, v in row.items()} for row in values], headers="keys", floatfmt=".4f")
    answer(text, {"reference": spec.text, "distances": values})
    return 0
