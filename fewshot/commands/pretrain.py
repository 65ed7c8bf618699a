"""`fewshot pretrain`: networks trained on the seen classes of a data set, ahead of the runs that need them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import product
from typing import TYPE_CHECKING, Any

import click

from fewshot.commands import _options
from fewshot.commands._answers import answer, json_option, tell
from fewshot.commands._plan import duration
from fewshot.commands._rates import rates, remember
from fewshot.commands._trainings import remember_training, training_line, training_seconds

if TYPE_CHECKING:
    from fewshot.backbones.pretrained import Pretrained
    from fewshot.results.training_record import TrainingRecord


@click.command("pretrain", short_help="Train a network on seen classes, to be used as a backbone.")
@click.argument("specs", nargs=-1, metavar="[SPEC]...")
@click.option("--data", metavar="FOLDER|SPEC", help="What to train on; its split's seen classes.")
@click.option("--split", metavar="SPEC", help="Rule for the seen classes, where it is not the data set's own.")
@click.option("--network", metavar="SPEC", default="ConvNet()", help="Where the training starts.")
@click.option("--recipe", metavar="SPEC", default="CrossEntropy()", help="How it is trained (fewshot list recipes).")
@click.option(
    "--images", "n_images", type=_options.count, metavar="N|all", multiple=True, help="How many; may be repeated."
)
@click.option("--seed", "seeds", type=click.IntRange(min=0), multiple=True, help="May be repeated. Default: 0.")
@click.option("--device", metavar="DEVICE", help="Where it is trained, such as cuda; the best there is.")
@_options.dry_run_option
@json_option
def command(specs: tuple[str, ...], data: str | None, device: str | None, dry_run: bool, **asked: Any) -> int:
    """Train networks by their SPECs, "Pretrained(...)", or one on --data, once; `fewshot run --backbone SPEC` uses it.

    A training that was stopped goes on where it was. A seed moves the images, their order and the network's start.
    """
    from fewshot.plugins.registry import BACKBONES
    from fewshot.pretraining.training import Trainer

    sources = [_parsed(spec) for spec in specs] + ([] if data is None else _asked(data, **asked))
    if not sources:
        raise click.UsageError("give a spec, Pretrained(...), or what to train on with --data")
    trainer = Trainer(device=device)
    if dry_run:
        return _dry_run(sources, trainer)
    done = []
    for source in sources:
        before = source.weights.is_file()
        trainer.ready(source)
        record = source.record
        if not before:
            remember_training(source, record)
        done.append(record)
        tell(f"{BACKBONES.canonical(source)}\n  {_outcome(record)}\n  {source.folder}")
    values = [asdict(r) | {"folder": str(s.folder)} for s, r in zip(sources, done, strict=True)]
    answer(f"{len(done)} trained: use their specs as --backbone", values)
    return 0


def _parsed(spec: str) -> Pretrained:
    from fewshot.backbones.pretrained import Pretrained
    from fewshot.plugins.registry import BACKBONES

    source = BACKBONES.make(spec)
    if not isinstance(source, Pretrained):
        raise ValueError(f"{spec} is nothing to train; write Pretrained(network=..., data=..., recipe=...)")
    return source


def _asked(
    data: str,
    split: str | None,
    network: str,
    recipe: str,
    n_images: Sequence[int | str],
    seeds: Sequence[int],
) -> list[Pretrained]:
    """What the options describe: every number of images with every seed."""
    from fewshot.pretraining.ladders import seeded

    fields = f"network={network}, data={_options.dataset_spec(data)}, recipe={recipe}"
    made = _parsed(f"Pretrained({fields}{'' if split is None else f', split={split}'})")
    numbers = [None if n == "all" else int(n) for n in n_images] or [None]
    return [seeded(made, n_images=n, seed=seed) for n, seed in product(numbers, seeds or (0,))]


def _dry_run(sources: Sequence[Pretrained], trainer: Any) -> int:
    from fewshot.pretraining.planning import planned_trainings

    planned = planned_trainings(sources, trainer)
    for key in {p.rate_key for p in planned} - set(rates()):
        first = next(_parsed(p.spec) for p in planned if p.rate_key == key)
        if not first.network.to_train():
            remember({key: trainer.pace(first)})
    seconds = training_seconds(planned)
    lines = [f"{training_line(p)}\n  into {p.folder}" for p in planned]
    total = f"{len(planned)} to train, {sum(p.n_passes for p in planned)} image passes, {duration(seconds)}"
    answer("\n".join([*lines, total]), {"trainings": [asdict(p) for p in planned], "seconds": seconds})
    return 0


def _outcome(record: TrainingRecord) -> str:
    held_out = (
        "" if record.seen_error is None else f", error on {record.n_held_out} images held out {record.seen_error:.3f}"
    )
    return (
        f"{record.unique_images} images of {len(record.classes)} classes, {record.steps} steps, loss "
        f"{record.first_loss:.3f} to {record.training_loss:.3f}{held_out}, {duration(record.seconds)}"
    )
