"""Rows of networks that were trained here, as studies read them: typed, and checked once, where they come in."""

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
    """A row of a network that was trained here. Accuracies and errors are fractions in [0, 1]."""

    run_id: str = field(metadata=optional(str, ""))
    # how it was scored
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
    n_classes: int | None = field(metadata=optional(whole(0)))  # that episodes are drawn from
    n_seen_classes: int | None = field(metadata=optional(whole(0)))  # of them; None: not looked at
    accuracy: float | None = field(metadata=optional(fraction))
    accuracy_low: float | None = field(metadata=optional(number))
    # the training
    network: Spec = field(metadata=required(spec_in(BACKBONES)))  # where it started, without its seed
    n_params: int = field(metadata=required(whole(1)))
    pretrained_on: str = field(metadata=required(text))  # "icons mono: 400 images of 257 classes"
    started_on: str = field(metadata=optional(text, ""))  # "nothing" from scratch; "" in older rows
    recipe: Spec = field(metadata=required(spec_in(RECIPES)))
    training_rule: str = field(metadata=required(text))  # what more images change: "epochs", "steps" or "tuned"
    training_seed: int = field(metadata=required(whole(0)))
    training_classes: int = field(metadata=required(whole(2)))
    unique_images: int = field(metadata=required(whole(1)))
    first_loss: float | None = field(metadata=optional(number))
    training_loss: float | None = field(metadata=optional(number))
    seen_error: float | None = field(metadata=optional(fraction))  # over all seen classes at once
    seen_loss: float | None = field(metadata=optional(number))
    n_held_out: int | None = field(metadata=optional(whole(0)))  # images that both are of

    @property
    def source(self) -> str:
        """The name of the set that the network was trained on first."""
        return _set_name(self.pretrained_on)

    @property
    def final_source(self) -> str:
        """The name of the set that the network was trained on last."""
        return _set_name(self.pretrained_on.rpartition("; ")[2])

    @cached_property
    def head(self) -> Head:
        """What learns an episode from features."""
        return Head(self.transform, self.evaluator, self.selection_rule)

    @cached_property
    def target(self) -> Target:
        """What the network was scored on."""
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
        """How it was scored; None where episodes have no fixed ways and shots."""
        if self.n_way is None or self.k_shot is None:
            return None
        return Protocol(self.target, self.k_shot, self.head)


COLUMNS = ("status", *(each.name for each in fields(TrainedRow)))  # all that studies read of a row


def trained(rows: Iterable[Mapping[str, Any]]) -> list[TrainedRow]:
    """The rows that a training here stands behind and that did not fail; a ValueError names the first column that
    studies cannot read."""
    return [
        TrainedRow(**{each.name: value_of(row, each) for each in fields(TrainedRow)})
        for row in rows
        if row.get("unique_images") and row.get("status", "ok") == "ok"
    ]


def two_rows(first: TrainedRow, second: TrainedRow) -> ValueError:
    """What is wrong where a study finds two rows in the place of one."""
    return ValueError(
        f"the rows {first.run_id!r} and {second.run_id!r} are of equal trainings (seed {first.training_seed}, "
        f"{first.unique_images} images, {first.training_classes} classes) and score them alike, but differ; keep one"
    )


def _set_name(trained_on: str) -> str:
    """ "icons mono" of "icons mono: 400 images of 257 classes"."""
    found = _SOURCE.match(trained_on)
    return found[1] if found else trained_on
