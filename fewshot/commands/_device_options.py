"""The options that say how a device works, and in which dtype: they change features by rounding alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from fewshot.commands._options import Device
from fewshot.features.settings import DTYPES

if TYPE_CHECKING:
    from fewshot.features.settings import EmbeddingSettings
    from fewshot.runs.workbench import Workbench

Decorator = Callable[[Any], Any]


def _batch(context: click.Context, parameter: click.Parameter, given: str) -> int | None:
    """The images of a batch; None for "auto"."""
    try:
        return None if given == "auto" else _checked(int(given))
    except ValueError as error:
        reason = str(error) if given.isdecimal() else f"a number or 'auto' is needed; got {given!r}"
        raise click.BadParameter(reason) from error


def _checked(batch: int) -> int:
    from fewshot.features.settings import EmbeddingSettings

    return EmbeddingSettings(batch).batch or batch


dtype_option: Decorator = click.option(
    "--dtype",
    type=click.Choice(DTYPES),
    default="float32",
    help="Set the compute dtype of the backbone.",
)
budget_option: Decorator = click.option(
    "--budget-mb", type=click.IntRange(min=1), default=24, help="Limit the memory of a batch of episodes (MB)."
)
embedding_batch_option: Decorator = click.option(
    "--embedding-batch",
    metavar="N|auto",
    default="64",
    callback=_batch,
    help="Embed N images per forward pass, 64 or a multiple (default: 64); 'auto' fills half of the GPU's free memory.",
)
compile_option: Decorator = click.option(
    "--compile", "compiled", is_flag=True, help="Compile the network by torch.compile, which takes about a minute."
)
decoders_option: Decorator = click.option(
    "--decoders",
    type=click.IntRange(min=0),
    metavar="N",
    help="Decode images in N processes; 0: in threads (default: by the device and the cores).",
)
heads_device_option: Decorator = click.option(
    "--heads-device",
    type=Device(),
    metavar="DEVICE",
    help="Solve episodes of features on this device, such as cuda (default: the CPU; large ones on the network's GPU).",
)


def embedding_settings(batch: int | None, compiled: bool, decoders: int | None) -> EmbeddingSettings:
    """The settings of these options."""
    from fewshot.features.settings import EmbeddingSettings

    return EmbeddingSettings(batch, compiled, decoders)


def device_arguments(bench: Workbench) -> list[str]:
    """The options that give another process the settings of this workbench."""
    how = bench.embedding
    decoders = [] if how.decoders is None else ["--decoders", str(how.decoders)]
    heads = [] if bench.heads_device is None else ["--heads-device", bench.heads_device]
    batch = "auto" if how.batch is None else str(how.batch)
    return ["--embedding-batch", batch, *(["--compile"] if how.compiled else []), *decoders, *heads]
