"""What a dry run says of networks that are to be trained first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fewshot.commands._rates import rates, remember

if TYPE_CHECKING:
    from fewshot.backbones.pretrained import Pretrained
    from fewshot.pretraining.planning import PlannedTraining
    from fewshot.results.training_record import TrainingRecord


def training_line(planned: PlannedTraining) -> str:
    """One line a training."""
    size = f"{planned.n_images} images of {planned.n_classes} classes"
    return f"to train on {size}, {planned.n_steps} steps, {planned.n_passes} image passes: {planned.spec}"


def training_seconds(planned: Sequence[PlannedTraining]) -> float | None:
    """How long they would take at the pace of earlier trainings of such networks; None where there were none."""
    paces = rates()
    if any(p.rate_key not in paces for p in planned):
        return None
    return round(sum(p.n_passes * paces[p.rate_key] for p in planned), 1)


def remember_training(source: Pretrained, record: TrainingRecord) -> None:
    """Keeps how fast a training went, where it took long enough to say something."""
    from fewshot.pretraining.planning import rate_key

    if record.n_trials == 1 and record.seconds > 1:
        remember({rate_key(source): record.seconds / record.all_images_processed})
