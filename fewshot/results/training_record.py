"""What is kept of a training beside its weights: what it saw, what it cost, what came out."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fewshot.files.atomic import write_atomically


@dataclass(frozen=True)
class TrainingRecord:
    """A finished training. Errors are fractions in [0, 1]; losses are means of the recipe's loss, in nats. None where
    nothing was held out, or the recipe has no such thing."""

    spec: str  # of the Pretrained
    recipe: str
    chosen: str  # the recipe that was chosen, where `recipe` tries several; else the same
    rule: str  # "epochs", "steps" or "tuned": what a larger training set changes
    network: str  # where it started, without its seed
    seed: int
    data: str  # name of the data set
    images_digest: str
    classes: tuple[str, ...]  # trained on
    before: tuple[str, ...] | None  # classes that the start was trained on; None: not known
    n_params: int
    unique_images: int
    images_processed: int  # of the training that is kept: views that went through the network
    all_images_processed: int  # of all trainings that the recipe tried
    n_trials: int
    steps: int
    stopped_at: int  # the step whose weights are kept
    first_loss: float  # mean over the first tenth of the steps
    training_loss: float  # mean over the last tenth
    validation_loss: float | None
    seen_error: float | None  # over all trained classes, on images held out (partition=test)
    seen_loss: float | None  # cross-entropy there
    n_held_out: int
    seconds: float
    weights_digest: str
    versions: str
    device: str
    n_threads: int
    started_on: str = "nothing"  # what the start had been trained on
    labels_digest: str = ""  # of the class of every image of the data set; absent in older records

    @property
    def trained_on(self) -> str:
        """In words."""
        return f"{self.data}: {self.unique_images} images of {len(self.classes)} classes"

    def write(self, path: Path) -> None:
        """Keeps it as JSON."""
        write_atomically(path, (json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False) + "\n").encode())

    @staticmethod
    def read(path: Path) -> TrainingRecord:
        """The record of a file; a ValueError where it is none."""
        try:
            values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            before = values.pop("before")
            classes = tuple(values.pop("classes"))
            return TrainingRecord(classes=classes, before=None if before is None else tuple(before), **values)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{path} is not the record of a training ({type(error).__name__}: {error}); remove its folder, then it "
                "is trained again"
            ) from error
