"""From a `Pretrained` spec to weights on disk: fewshot trains what is missing, once on a machine."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from fewshot.backbones import Backbone, BackboneSource
from fewshot.backbones.pretrained import Pretrained, check_images, trained_elsewhere
from fewshot.datasets import LabelledImages
from fewshot.datasets._loading import load_images
from fewshot.files.locks import locked
from fewshot.plugins.registry import BACKBONES, DATASETS, RECIPES, SPLITS
from fewshot.plugins.spec import Spec
from fewshot.pretraining._material import Material, material
from fewshot.pretraining._record import keep
from fewshot.pretraining.training import Training
from fewshot.results.training_record import TrainingRecord
from fewshot.splits import check_classes

_log = logging.getLogger("fewshot")
Load = Callable[[Spec], LabelledImages]


def load(backbone: str | BackboneSource) -> Backbone:
    """The network of a source; a missing `Pretrained` network is trained first."""
    backbone_source: BackboneSource = BACKBONES.make(backbone)
    return Trainer().ready(backbone_source).load()


@dataclass(frozen=True)
class Trainer:
    """Trains missing networks. Of these settings only the device can change the weights."""

    images: Load = load_images
    device: str | None = None
    progress: bool = True

    def ready(self, source: BackboneSource) -> BackboneSource:
        """The source, after training everything that is missing.

        A finished training on the same images in another folder counts too. Other images in the same folder raise a
        ValueError.
        """
        if not isinstance(source, Pretrained):
            return source
        if source.weights.is_file():
            check_images(source, source.record)
            return source
        with locked(source.folder / "lock", f"trains the network in {source.folder}"):  # others wait
            if not source.weights.is_file() and not self._adopted(source):
                self.train(source)
        return source

    def _adopted(self, source: Pretrained) -> bool:
        """Whether another folder had the same training on the same images; if so, its weights are copied."""
        elsewhere = trained_elsewhere(source, self.images(DATASETS.spec(source.data)))
        if elsewhere is not None:
            weights, record = elsewhere
            _log.info("%s: copied the weights of the same training from %s", source.folder, weights.parent)
            keep(source, weights.read_bytes(), record)
        return elsewhere is not None

    def material(self, source: Pretrained) -> Material:
        """The images of a training; a data set, split or number of images that does not fit raises a ValueError."""
        rule = source.split or source.data.default_split()
        if rule is not None:
            check_classes(SPLITS.make(rule), source.data)
        images = self.images(DATASETS.spec(source.data))
        if rule is None:
            raise ValueError(
                f"{images.name} has no default split, so its seen classes are not known; give Pretrained a split, such "
                "as split=BySeed()"
            )
        return material(images, SPLITS.make(rule).split(images), source.n_images, source.seed)

    def pace(self, source: Pretrained) -> float:
        """Seconds per image of a training, measured on a few discarded steps."""
        return self._training(source, self.material(source)).pace()

    def train(self, source: Pretrained) -> TrainingRecord:
        """The record of the training, after training and writing weights and record; of several trials, those with the
        least validation loss."""
        recipe, seen = source.recipe, self.material(source)
        trials = list(recipe.trials())
        if trials == [recipe]:
            return self._training(source, seen).run()
        for trial in trials:
            self.ready(replace(source, recipe=trial))
        return _keep_best([replace(source, recipe=trial) for trial in trials], source)

    def _training(self, source: Pretrained, seen: Material) -> Training:
        """The training of a source; a missing pre-trained start is trained first."""
        start = self.ready(source.network).load().to(self.device)
        if start.n_params == 0 or start.given:
            raise ValueError(
                f"{source.network!r} has no weights to train; choose a network, such as ConvNet() or RandomInit(...)"
            )
        return Training(source, seen, start, self.progress)


def _keep_best(trials: Sequence[Pretrained], source: Pretrained) -> TrainingRecord:
    """The record of the trial with the least validation loss, whose weights become those of the source."""
    records = [trial.record for trial in trials]
    losses = [math.inf if r.validation_loss is None else r.validation_loss for r in records]
    best = losses.index(min(losses))
    record = replace(
        records[best],
        spec=BACKBONES.canonical(source),
        recipe=RECIPES.canonical(source.recipe),
        rule="tuned",
        n_trials=sum(r.n_trials for r in records),
        all_images_processed=sum(r.all_images_processed for r in records),
        seconds=sum(r.seconds for r in records),
    )
    return keep(source, trials[best].weights.read_bytes(), record)
