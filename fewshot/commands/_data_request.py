"""The request for data that several commands share: the data set, its split, and the part to use.

Every field of a request is an option (`_options.takes`), so an option is added in one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import click

from fewshot.commands._names import NameOf

if TYPE_CHECKING:
    from fewshot.datasets import LabelledImages
    from fewshot.runs.sizes import Data
    from fewshot.runs.workbench import Workbench


@dataclass(frozen=True)
class DataRequest:
    """The data set, its split, and the part of the split to use."""

    data: Annotated[
        str,
        click.option(
            "--data",
            type=NameOf("datasets", with_files=True),
            required=True,
            metavar="FOLDER|FILE|SPEC",
            help="Read images from a folder with one subfolder per class or from a CSV file with the columns path and "
            "label, read vectors and labels from a file (.npz, .safetensors, .parquet), or name a data set, such as "
            "\"Icons(domain='mono')\".",
        ),
    ]
    split: Annotated[
        str | None,
        click.option(
            "--split",
            type=NameOf("splits"),
            metavar="SPEC",
            help='Divide the classes into seen and novel ones by this rule, such as "BySeed(seed=1)" (default: the '
            "data set's own rule; without one, all classes are novel).",
        ),
    ]
    classes: Annotated[
        str,
        click.option(
            "--classes",
            type=click.Choice(["seen", "validation", "novel", "all"]),
            default="novel",
            help="Use the classes of this part of the split.",
        ),
    ]

    def open(self, bench: Workbench) -> Data:
        """The loaded data."""
        return open_data(self.data, self.split, self.classes, bench)


def open_data(data: str, split: str | None, classes: str, bench: Workbench) -> Data:
    """The loaded data of --data, --split and --classes; without any rule for a split, all classes are novel."""
    from fewshot.runs import sizes

    return sizes.open_data(data, split, classes, bench.images)


def usual_backbone(images: LabelledImages) -> str:
    """The default backbone for these images or vectors."""
    from fewshot.runs.defaults import BACKBONE

    return BACKBONE if images.vectors is None else "given"
