"""Rules for the hyperparameters that all gradient-trained evaluators share."""

from __future__ import annotations

from fewshot.evaluators.tuning.descent import OPTIMIZERS
from fewshot.evaluators.tuning.heads import STARTS
from fewshot.evaluators.tuning.schedules import SCHEDULES
from fewshot.plugins.fields import NOT_NEGATIVE, POSITIVE, declare, integer, one_of

DESCENT = declare(
    steps=integer(1),
    lr=POSITIVE,
    optimizer=one_of(OPTIMIZERS),
    weight_decay=NOT_NEGATIVE,
    batch_size=integer(1),
    schedule=one_of(SCHEDULES),
    start=one_of(STARTS),
    probe_C=POSITIVE,
)
