"""The request that says where and how to compute; every field is an option, and none changes a number but by
rounding."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated

import click

from fewshot.commands._device_options import (
    budget_option,
    compile_option,
    decoders_option,
    embedding_batch_option,
    embedding_settings,
    heads_device_option,
)
from fewshot.commands._options import device_option, shard
from fewshot.plugins.wording import agreeing, counted

if TYPE_CHECKING:
    from fewshot.runs.workbench import Workbench


@dataclass(frozen=True)
class ComputeRequest:
    """Where and how to compute. None of these options changes a number but by rounding."""

    shard: Annotated[
        tuple[int, int],
        click.option(
            "--shard", type=shard, metavar="I/N", default="1/1", help="Solve only shard I of N of the episodes."
        ),
    ]
    budget_mb: Annotated[int, budget_option]
    device: Annotated[
        str | None,
        device_option("Run networks"),
    ]
    embedding_batch: Annotated[int | None, embedding_batch_option]
    compiled: Annotated[bool, compile_option]
    decoders: Annotated[int | None, decoders_option]
    heads_device: Annotated[str | None, heads_device_option]

    def workbench(self, checks_counts: bool = False) -> Workbench:
        """The workbench with this memory and these devices. `checks_counts`: a benchmark compares the counts of its
        sets with the published ones, so loading them does not."""
        from fewshot.datasets._loading import load_images, read_images
        from fewshot.runs.workbench import Workbench

        load = read_images if checks_counts else load_images
        return Workbench(
            self.budget_mb << 20,
            self.device,
            embedding=embedding_settings(self.embedding_batch, self.compiled, self.decoders),
            heads_device=self.heads_device,
            images=cache(load),
        )

    def waiting(self, number: int) -> str:
        """What a command reports when runs are unfinished because other shards have not solved their episodes."""
        runs = f"{counted(number, 'run')} {agreeing(number, 'is', 'are')}"
        return f"shard {self.shard[0]} of {self.shard[1]} is finished; {runs} waiting for other shards"
