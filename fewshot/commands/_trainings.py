"""The trainings in a dry run: networks that fewshot trains before the runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fewshot.commands._rates import rates, remember
from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    from fewshot.backbones.pretrained import Pretrained
    from fewshot.pretraining.planning import PlannedTraining
    from fewshot.results.training_record import TrainingRecord


def training_line(planned: PlannedTraining) -> str:
    """One line about a training."""
    size = f"{counted(planned.n_images, 'image')} of {counted(planned.n_classes, 'class')}"
    steps = f"{counted(planned.n_steps, 'step')}, {counted(planned.n_passes, 'image pass')}"
    return f"to train on {size}, {steps}: {planned.spec}"


def training_seconds(planned: Sequence[PlannedTraining]) -> float | None:
    """The estimated time of trainings, from the speed of earlier ones; None if a speed is not known."""
    paces = rates()
    if any(p.rate_key not in paces for p in planned):
        return None
    return round(sum(p.n_passes * paces[p.rate_key] for p in planned), 1)


def remember_training(source: Pretrained, record: TrainingRecord) -> None:
    """Stores the speed of a training that took long enough to measure."""
    from fewshot.pretraining.planning import rate_key

    if record.n_trials == 1 and record.seconds > 1:
        remember({rate_key(source): record.seconds / record.all_images_processed})
