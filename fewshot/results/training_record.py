"""The record of a training beside its weights: its data, its cost and its losses."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fewshot.files.atomic import write_atomically
from fewshot.files.checksums import checksum
from fewshot.files.quoting import message
from fewshot.files.regular import parsed_json, read_text

_CHECKSUM = "checksum"  # in the file: over everything else


@dataclass(frozen=True)
class TrainingRecord:
    """A finished training. Errors are fractions in [0, 1]; losses are means of the recipe's loss, in nats. None if no
    images were held out, or if the recipe has no such number."""

    spec: str  # of the `Pretrained`
    recipe: str
    chosen: str  # the recipe that `recipe` chose, if it tries several; else the same
    rule: str  # "epochs", "steps" or "tuned": what grows with the training set
    network: str  # the start, without its seed
    seed: int
    data: str  # name of the data set
    images_digest: str
    classes: tuple[str, ...]  # trained on
    before: tuple[str, ...] | None  # training classes of the start; None: unknown
    n_params: int
    unique_images: int
    images_processed: int  # views through the network in the training that was kept
    all_images_processed: int  # in all trainings that the recipe tried
    n_trials: int
    steps: int
    stopped_at: int  # the weights are those after this step
    first_loss: float  # mean over the first tenth of the steps
    training_loss: float  # mean over the last tenth
    validation_loss: float | None
    seen_error: float | None  # over all trained classes, on held-out images (partition=test)
    seen_loss: float | None  # cross-entropy there
    n_held_out: int
    seconds: float
    weights_digest: str
    versions: str
    device: str
    n_threads: int
    started_on: str = "nothing"  # training data of the start
    labels_digest: str = ""  # of the classes of all images; absent in older records

    @property
    def trained_on(self) -> str:
        """The training data in words."""
        return f"{self.data}: {self.unique_images} images of {len(self.classes)} classes"

    def write(self, path: Path) -> None:
        """Writes the record as JSON."""
        values = dataclasses.asdict(self)
        checked = values | {_CHECKSUM: checksum({}, json.dumps(values))}
        write_atomically(path, (json.dumps(checked, indent=1, ensure_ascii=False) + "\n").encode())

    @staticmethod
    def read(path: Path) -> TrainingRecord:
        """The record in a file; a ValueError if the file holds none, or if it changed. Older records have no
        checksum."""
        try:
            values: dict[str, Any] = parsed_json(read_text(path))
            if values.pop(_CHECKSUM, None) not in (None, checksum({}, json.dumps(values))):
                raise ValueError("it was changed after it was written")
            before = values.pop("before")
            classes = tuple(values.pop("classes"))
            return TrainingRecord(classes=classes, before=None if before is None else tuple(before), **values)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            reason = f"{type(error).__name__}: {message(error)}"
            raise ValueError(
                f"{path} is not the record of a training ({reason}); remove its folder to train again"
            ) from error
