"""Rows of networks that fewshot trained, as typed objects that are checked once, when they are read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from fewshot.plugins.registry import BACKBONES, DATASETS, EVALUATORS, RECIPES, SAMPLERS, SPLITS, TRANSFORMS
from fewshot.plugins.spec import Spec
from fewshot.scaling.studies.columns import flag, fraction, number, optional, required, spec_in, text, value_of, whole
from fewshot.scaling.studies.protocols import Head, Protocol, Target

_SOURCE = re.compile(r"(.+?): \d+ images")


@dataclass(frozen=True, eq=False)
class TrainedRow:
    """A row of a network that fewshot trained. Accuracies and errors are fractions in [0, 1]."""

    run_id: str = field(metadata=optional(str, ""))
    # the scoring
    dataset: Spec = field(metadata=required(spec_in(DATASETS)))
    split: Spec = field(metadata=optional(spec_in(SPLITS), SPLITS.read("")))
    classes: str = field(metadata=required(text))  # "novel", "seen", ...
    transform: Spec = field(metadata=required(spec_in(TRANSFORMS)))
    evaluator: Spec = field(metadata=required(spec_in(EVALUATORS)))
    selection_rule: str = field(metadata=optional(text, ""))
    sampler: Spec = field(metadata=required(spec_in(SAMPLERS)))
    seed: int = field(metadata=optional(whole(0), 0))  # of the episodes
    n_way: int | None = field(metadata=optional(whole(1)))
    k_shot: int | None = field(metadata=optional(whole(0)))
    k_shot_at_most: bool = field(metadata=optional(flag, False))
    n_query: int | None = field(metadata=optional(whole(0)))
    dtype: str = field(metadata=optional(text, ""))
    n_classes: int | None = field(metadata=optional(whole(0)))  # that episodes sample from
    n_seen_classes: int | None = field(metadata=optional(whole(0)))  # of these; None: unknown
    accuracy: float | None = field(metadata=optional(fraction))
    accuracy_low: float | None = field(metadata=optional(number))
    # the training
    network: Spec = field(metadata=required(spec_in(BACKBONES)))  # the start of the training, without its seed
    n_params: int = field(metadata=required(whole(1)))
    pretrained_on: str = field(metadata=required(text))  # "icons mono: 400 images of 257 classes"
    started_on: str = field(metadata=optional(text, ""))  # "nothing" from scratch; "" in older rows
    recipe: Spec = field(metadata=required(spec_in(RECIPES)))
    training_rule: str = field(metadata=required(text))  # how training grows with images: "epochs", "steps" or "tuned"
    training_seed: int = field(metadata=required(whole(0)))
    training_classes: int = field(metadata=required(whole(2)))
    unique_images: int = field(metadata=required(whole(1)))
    first_loss: float | None = field(metadata=optional(number))
    training_loss: float | None = field(metadata=optional(number))
    seen_error: float | None = field(metadata=optional(fraction))  # over all seen classes at once
    seen_loss: float | None = field(metadata=optional(number))
    n_held_out: int | None = field(metadata=optional(whole(0)))  # images behind seen_error and seen_loss

    @property
    def source(self) -> str:
        """The name of the data set of the first training."""
        return _set_name(self.pretrained_on)

    @property
    def final_source(self) -> str:
        """The name of the data set of the last training."""
        return _set_name(self.pretrained_on.rpartition("; ")[2])

    @cached_property
    def head(self) -> Head:
        """The part that learns an episode from features."""
        return Head(self.transform, self.evaluator, self.selection_rule)

    @cached_property
    def target(self) -> Target:
        """The classes and episodes that the network was scored on."""
        return Target(
            self.dataset,
            self.classes,
            self.sampler,
            self.n_way,
            self.n_query,
            self.split,
            self.seed,
            self.k_shot_at_most,
            self.dtype,
        )

    @cached_property
    def protocol(self) -> Protocol | None:
        """The protocol of the score; None if episodes have no fixed ways and shots."""
        if self.n_way is None or self.k_shot is None:
            return None
        return Protocol(self.target, self.k_shot, self.head)


COLUMNS = ("status", *(each.name for each in fields(TrainedRow)))  # all columns that studies read


def trained(rows: Iterable[Mapping[str, Any]]) -> list[TrainedRow]:
    """The rows of networks that fewshot trained, without failed ones. A ValueError names the first column that cannot
    be read."""
    return [
        TrainedRow(**{each.name: value_of(row, each) for each in fields(TrainedRow)})
        for row in rows
        if row.get("unique_images") and row.get("status", "ok") == "ok"
    ]


def two_rows(first: TrainedRow, second: TrainedRow) -> ValueError:
    """The error about two different rows of one training and protocol."""
    return ValueError(
        f"the rows {first.run_id!r} and {second.run_id!r} have the same training (seed {first.training_seed}, "
        f"{first.unique_images} images, {first.training_classes} classes) and protocol, but differ; keep one"
    )


def _set_name(trained_on: str) -> str:
    """The name in "icons mono: 400 images of 257 classes": "icons mono"."""
    match = _SOURCE.match(trained_on)
    return match[1] if match else trained_on
