"""`fewshot pretrain`: trains networks on the seen classes of a data set before runs need them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import TYPE_CHECKING, Annotated

import click

from fewshot.commands import _options
from fewshot.commands._answers import answer, json_option, print_progress
from fewshot.commands._names import NameOf
from fewshot.commands._plan import duration
from fewshot.commands._rates import rates, remember
from fewshot.commands._trainings import remember_training, training_line, training_seconds
from fewshot.plugins.wording import agreeing, counted

if TYPE_CHECKING:
    from fewshot.backbones.pretrained import Pretrained
    from fewshot.pretraining.trainer import Trainer
    from fewshot.results.training_record import TrainingRecord


@dataclass(frozen=True)
class TrainingRequest:
    """One training on --data, for every number of images and every seed."""

    data: Annotated[
        str | None,
        click.option(
            "--data",
            type=NameOf("datasets", with_files=True),
            metavar="FOLDER|SPEC",
            help="Train on the seen classes of this folder or data set.",
        ),
    ]
    split: Annotated[
        str | None,
        click.option(
            "--split", metavar="SPEC", help="Choose the seen classes by this rule (default: the data set's own)."
        ),
    ]
    network: Annotated[
        str, click.option("--network", metavar="SPEC", default="ConvNet()", help="Start from this network.")
    ]
    recipe: Annotated[
        str,
        click.option(
            "--recipe",
            type=NameOf("recipes"),
            metavar="SPEC",
            default="CrossEntropy()",
            help="Train by this recipe (fewshot list recipes).",
        ),
    ]
    n_images: Annotated[
        tuple[int | str, ...],
        click.option(
            "--images",
            "n_images",
            type=_options.count,
            metavar="N|all",
            multiple=True,
            help="Train on this many images; repeat for several trainings (default: all).",
        ),
    ]
    seeds: Annotated[
        tuple[int, ...],
        click.option(
            "--seed",
            "seeds",
            type=click.IntRange(min=0),
            multiple=True,
            help="Set the seed of the images, their order and the initial weights; repeat for several (default: 0).",
        ),
    ]

    def sources(self) -> list[Pretrained]:
        """The trainings: every number of images with every seed; empty without --data."""
        from fewshot.pretraining.ladders import seeded

        if self.data is None:
            return []
        fields = f"network={self.network}, data={_options.dataset_spec(self.data)}, recipe={self.recipe}"
        source = _pretrained(f"Pretrained({fields}{'' if self.split is None else f', split={self.split}'})")
        numbers = [None if n == "all" else int(n) for n in self.n_images] or [None]
        return [seeded(source, n_images=n, seed=seed) for n, seed in product(numbers, self.seeds or (0,))]


@click.command("pretrain", short_help="Train a network on seen classes, to use as a backbone.")
@click.argument("specs", nargs=-1, metavar="[SPEC]...")
@_options.takes(request=TrainingRequest)
@_options.device_option("Train")
@_options.dry_run_option
@json_option
def command(specs: tuple[str, ...], request: TrainingRequest, device: str | None, dry_run: bool) -> int:
    """Train networks, given as SPECs "Pretrained(...)" or by --data; use them with `fewshot run --backbone SPEC`.

    fewshot skips finished trainings and resumes interrupted ones. For example:

    \b
      fewshot pretrain --data birds --recipe "CrossEntropy(epochs=5)" --images 100 --images all
    """
    from fewshot.plugins.registry import BACKBONES
    from fewshot.pretraining.trainer import Trainer

    sources = [*map(_pretrained, specs), *request.sources()]
    if not sources:
        raise click.UsageError("nothing to train; give a spec such as Pretrained(...), or --data")
    trainer = Trainer(device=device)
    if dry_run:
        return _dry_run(sources, trainer)
    records = []
    for source in sources:
        before = source.weights.is_file()
        trainer.ready(source)
        record = source.record
        if not before:
            remember_training(source, record)
        records.append(record)
        print_progress(f"{BACKBONES.canonical(source)}\n  {_outcome(record)}\n  {source.folder}")
    values = [asdict(r) | {"folder": str(s.folder)} for s, r in zip(sources, records, strict=True)]
    trained = f"{counted(len(records), 'network')} trained; use {agreeing(len(records), 'its spec', 'their specs')}"
    answer(f"{trained} with --backbone", values)
    return 0


def _pretrained(spec: str) -> Pretrained:
    from fewshot.backbones.pretrained import Pretrained
    from fewshot.plugins.registry import BACKBONES

    source = BACKBONES.make(spec)
    if not isinstance(source, Pretrained):
        raise ValueError(f"{spec} cannot be trained; write Pretrained(network=..., data=..., recipe=...)")
    return source


def _dry_run(sources: Sequence[Pretrained], trainer: Trainer) -> int:
    from fewshot.pretraining.planning import planned_trainings

    planned = planned_trainings(sources, trainer)
    for key in {p.rate_key for p in planned} - set(rates()):
        first = next(_pretrained(p.spec) for p in planned if p.rate_key == key)
        if not first.network.to_train():
            remember({key: trainer.pace(first)})
    seconds = training_seconds(planned)
    lines = [f"{training_line(p)}\n  into {p.folder}" for p in planned]
    passes = counted(sum(p.n_passes for p in planned), "image pass")
    total = f"{counted(len(planned), 'network')} to train, {passes}, {duration(seconds)}"
    answer("\n".join([*lines, total]), {"trainings": [asdict(p) for p in planned], "seconds": seconds})
    return 0


def _outcome(record: TrainingRecord) -> str:
    held_out = counted(record.n_held_out, "held-out image")
    error = "" if record.seen_error is None else f", error {record.seen_error:.3f} on {held_out}"
    images, steps = counted(record.unique_images, "image"), counted(record.steps, "step")
    return (
        f"{images} of {counted(len(record.classes), 'class')}, {steps}, loss "
        f"{record.first_loss:.3f} to {record.training_loss:.3f}{error}, {duration(record.seconds)}"
    )
