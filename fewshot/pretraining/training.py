"""Training: from a `Pretrained` spec to weights on disk. An interrupted training resumes at its last saved state."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from tqdm import tqdm

from fewshot.backbones import Backbone, BackboneSource, weights_digest
from fewshot.backbones.pretrained import Pretrained, check_images, network_state, scaffold, trained_elsewhere
from fewshot.datasets import LabelledImages
from fewshot.datasets._loading import load_images
from fewshot.features.embedding import keep_freed_memory
from fewshot.files.atomic import write_atomically
from fewshot.files.locks import locked
from fewshot.files.progress import progress_bar
from fewshot.plugins.registry import BACKBONES, RECIPES
from fewshot.plugins.spec import Spec
from fewshot.plugins.wording import counted
from fewshot.pretraining import Objective, Setting
from fewshot.pretraining._heads import HeldOutScore, class_means
from fewshot.pretraining._material import Material, material
from fewshot.pretraining._saving import Progress, saved
from fewshot.results import provenance
from fewshot.results.training_record import TrainingRecord

_SAVED_EVERY = 30.0  # seconds: roughly the most work that an interruption loses
_CHECKS = 20  # validation scores of a training that stops on validation images
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
        from fewshot.plugins.registry import DATASETS

        elsewhere = trained_elsewhere(source, self.images(DATASETS.spec(source.data)))
        if elsewhere is not None:
            weights, record = elsewhere
            _log.info("%s: copied the weights of the same training from %s", source.folder, weights.parent)
            keep(source, weights.read_bytes(), record)
        return elsewhere is not None

    def material(self, source: Pretrained) -> Material:
        """The images of a training; a data set, split or number of images that does not fit raises a ValueError."""
        from fewshot.plugins.registry import DATASETS, SPLITS
        from fewshot.splits import check_classes

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
        return Training.of(source, self.material(source), self).pace()

    def train(self, source: Pretrained) -> TrainingRecord:
        """The record of the training, after training and writing weights and record; of several trials, those with the
        least validation loss."""
        recipe, seen = source.recipe, self.material(source)
        trials = list(recipe.trials())
        if trials == [recipe]:
            return Training.of(source, seen, self).run()
        for trial in trials:
            self.ready(replace(source, recipe=trial))
        records = [replace(source, recipe=trial).record for trial in trials]
        losses = [torch.inf if r.validation_loss is None else r.validation_loss for r in records]
        best = losses.index(min(losses))
        record = replace(
            records[best],
            spec=BACKBONES.canonical(source),
            recipe=RECIPES.canonical(recipe),
            rule="tuned",
            n_trials=sum(r.n_trials for r in records),
            all_images_processed=sum(r.all_images_processed for r in records),
            seconds=sum(r.seconds for r in records),
        )
        return keep(source, replace(source, recipe=trials[best]).weights.read_bytes(), record)


def keep(source: Pretrained, weights: bytes, record: TrainingRecord) -> TrainingRecord:
    """Writes the record, then the weights: a folder with weights is a finished training."""
    record.write(source.folder / "record.json")
    write_atomically(source.weights, weights)
    (source.folder / "progress.safetensors").unlink(missing_ok=True)
    return record


class Training:
    """One training of one recipe."""

    def __init__(self, source: Pretrained, seen: Material, backbone: Backbone, progress: bool) -> None:
        self._source, self._seen, self._backbone, self._shown = source, seen, backbone, progress
        self._n = len(seen.train)
        self._descent = source.recipe.schedule().descent(self._n)
        backbone.network.train().requires_grad_(True)
        if backbone.device.type == "cpu":
            keep_freed_memory()
            backbone.network.to(memory_format=torch.channels_last)
        self._objective: Objective = source.recipe.objective(Setting(backbone, seen, source.seed)).to(backbone.device)
        parameters = [p for p in self._objective.parameters() if p.requires_grad]
        self._state = Progress(self._objective, self._descent.optimizer_of(parameters))
        self._validation = self._validation_score()

    @staticmethod
    def of(source: Pretrained, seen: Material, trainer: Trainer) -> Training:
        """The training of a source; a missing pre-trained start is trained first."""
        start = trainer.ready(source.network).load().to(trainer.device)
        if start.n_params == 0 or start.given:
            raise ValueError(
                f"{source.network!r} has no weights to train; choose a network, such as ConvNet() or RandomInit(...)"
            )
        return Training(source, seen, start, trainer.progress)

    def run(self) -> TrainingRecord:
        """The record of the finished training, after writing it and the weights."""
        path, identity = self._source.folder / "progress.safetensors", self._identity
        if self._state.resume(path, identity):
            _log.info("training resumes at step %d of %d", self._state.step, len(self._descent.rates))
        start, written = time.monotonic() - self._state.seconds, time.monotonic()
        with self._bar() as bar:
            while self._state.step < len(self._descent.rates):
                self._advance()
                self._state.seconds = time.monotonic() - start
                bar.set_postfix_str(f"loss {self._recent_loss():.3f}", refresh=False)
                bar.update()
                if time.monotonic() - written > _SAVED_EVERY:
                    self._state.save(path, identity)
                    written = time.monotonic()
        if self._state.best is not None:
            self._objective.load_state_dict(self._state.best)
        return keep(self._source, self._weights(), self._record())

    def pace(self, steps: int = 3) -> float:
        """Seconds per image over a few steps after a first one. The network is useless afterwards."""
        self._advance()
        start = time.monotonic()
        for _ in range(min(steps, len(self._descent.rates) - 1)):
            self._advance()
        return (time.monotonic() - start) / max(1, self._state.step - 1) / self._images_per_step

    @property
    def _images_per_step(self) -> int:
        recipe = self._source.recipe
        return min(recipe.images_per_step, self._n) * recipe.passes_per_image

    @property
    def _identity(self) -> str:
        """A digest of the training and its images."""
        text = f"{BACKBONES.canonical(self._source)} {self._seen.train.images_digest} {self._backbone.weights_digest}"
        return hashlib.sha256(text.encode()).hexdigest()

    def _bar(self) -> tqdm[Any]:
        recipe = type(self._source.recipe).__name__
        what = f"{recipe}, {counted(self._n, 'image')}"
        return progress_bar(len(self._descent.rates), what, "step", self._shown, self._state.step)

    def _advance(self) -> None:
        """Runs one step; random numbers of the network in it (dropout) are a function of (seed, step)."""
        step, state = self._state.step, self._state
        for group in state.optimizer.param_groups:
            group["lr"] = self._descent.rates[step]
        state.optimizer.zero_grad()
        with self._generators(step):
            loss = self._objective.loss(step)
        if not bool(torch.isfinite(loss)):
            raise ValueError(
                f"training diverged: the loss is not finite at step {step + 1:,} of {len(self._descent.rates):,}, at a "
                f"learning rate of {self._descent.rates[step]:g}; lower lr or raise warmup"
            )
        loss.backward()  # type: ignore[no-untyped-call]
        state.optimizer.step()
        state.losses.append(float(loss.detach()))
        if self._validation is not None and self._is_check(step + 1):
            state.keep_best(self._validation(self._objective)[1] or 0.0)

    @contextmanager
    def _generators(self, step: int) -> Iterator[None]:
        """Seeds the generators of the CPU and of the network's device by (seed, step), and restores them afterwards."""
        on_cuda = [self._backbone.device] if self._backbone.device.type == "cuda" else []
        with torch.random.fork_rng(devices=on_cuda):
            step_seed = (self._source.seed * 1_000_003 + step) % (1 << 63)
            torch.default_generator.manual_seed(step_seed)
            for device in on_cuda:
                with torch.cuda.device(device):
                    torch.cuda.manual_seed(step_seed)
            yield

    def _is_check(self, done: int) -> bool:
        total = len(self._descent.rates)
        return done == total or done * _CHECKS // total > (done - 1) * _CHECKS // total

    def _validation_score(self) -> HeldOutScore | None:
        if not self._source.recipe.stops_on_validation:
            return None
        if self._seen.validation is None:
            raise ValueError(
                f"stop='validation' needs images of partition=validation, but {self._seen.train.name} has none; wrap "
                "the data set in Partitioned"
            )
        return HeldOutScore(self._seen.validation, self._backbone)

    def _recent_loss(self) -> float:
        """The mean loss over the last tenth of the steps so far."""
        return _mean(self._state.losses[-_tenth_of(self._state.losses) :])

    def _weights(self) -> bytes:
        state = self._objective.state_dict()
        losses = torch.tensor(self._state.losses, dtype=torch.float32)
        return saved({**state, "losses": losses}, {"spec": BACKBONES.canonical(self._source)})

    def _held_out(self) -> tuple[float | None, float | None, int]:
        """Error, loss and number of the held-out images of the trained classes."""
        if self._seen.test is None:
            return None, None, 0
        score = HeldOutScore(self._seen.test, self._backbone)
        headless = self._objective.classifier() is None
        centres = class_means(self._objective, self._seen.train, self._backbone) if headless else None
        return *score(self._objective, centres), len(score)

    def _record(self) -> TrainingRecord:
        recipe, state, train = self._source.recipe, self._state, self._seen.train
        error, loss, n_held_out = self._held_out()
        stopped = state.step if state.best is None else state.best_step
        per_step = self._images_per_step
        made = provenance.current(self._backbone.device.type)
        return TrainingRecord(
            spec=BACKBONES.canonical(self._source),
            recipe=RECIPES.canonical(recipe),
            chosen=RECIPES.canonical(recipe),
            rule=recipe.schedule().rule,
            network=without_seed(self._source.network),
            seed=self._source.seed,
            data=train.name,
            images_digest=train.images_digest,
            classes=train.class_names,
            before=_classes_before(self._source.network),
            n_params=self._backbone.n_params,
            unique_images=self._n,
            images_processed=stopped * per_step,
            all_images_processed=state.step * per_step,
            n_trials=1,
            steps=state.step,
            stopped_at=stopped,
            first_loss=_mean(state.losses[: _tenth_of(state.losses)]),
            training_loss=self._recent_loss(),
            validation_loss=state.best_loss,
            seen_error=error,
            seen_loss=loss,
            n_held_out=n_held_out,
            seconds=round(state.seconds, 1),
            weights_digest=weights_digest(network_state(self._objective.state_dict())),
            versions=made.versions,
            device=made.device,
            n_threads=made.n_threads,
            started_on=self._backbone.pretrained_on,
            labels_digest=self._seen.labels_digest,
        )


def without_seed(source: BackboneSource) -> str:
    """The spec of a training's start, without its seed: one name for all seeds. Rows store it."""
    start = BACKBONES.spec(scaffold(source))
    spec = (BACKBONES.varied(start, {"seed": 0}) if "seed" in start.fields else start).text
    return spec if not isinstance(source, Pretrained) else f"{spec}, pre-trained on {source.record.trained_on}"


def _classes_before(start: BackboneSource) -> tuple[str, ...] | None:
    if not isinstance(start, Pretrained):
        return () if start.load().pretrained_on == "nothing" else None
    record = start.record
    return None if record.before is None else record.before + record.classes


def _tenth_of(losses: list[float]) -> int:
    return max(1, round(0.1 * len(losses)))


def _mean(losses: list[float]) -> float:
    return sum(losses) / max(1, len(losses))
