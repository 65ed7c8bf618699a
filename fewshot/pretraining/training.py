"""One training of one recipe. An interrupted training resumes at its last saved state, and ends in the same bits."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from tqdm import tqdm

from fewshot.backbones import Backbone
from fewshot.backbones.pretrained import Pretrained
from fewshot.features.embedding import keep_freed_memory
from fewshot.files.progress import progress_bar
from fewshot.plugins.registry import BACKBONES
from fewshot.plugins.wording import counted
from fewshot.pretraining import Objective, Setting
from fewshot.pretraining._heads import HeldOutScore
from fewshot.pretraining._material import Material
from fewshot.pretraining._record import keep, record_of
from fewshot.pretraining._saving import Progress, saved
from fewshot.results.training_record import TrainingRecord

_SAVED_EVERY = 30.0  # seconds: roughly the most work that an interruption loses
_CHECKS = 20  # validation scores of a training that stops on validation images
_log = logging.getLogger("fewshot")


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
                bar.set_postfix_str(f"loss {self._state.recent_loss:.3f}", refresh=False)
                bar.update()
                if time.monotonic() - written > _SAVED_EVERY:
                    self._state.save(path, identity)
                    written = time.monotonic()
        if self._state.best is not None:
            self._objective.load_state_dict(self._state.best)
        trained = self._source, self._seen, self._backbone, self._objective
        return keep(self._source, self._weights(), record_of(*trained, self._state, self._images_per_step))

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

    def _weights(self) -> bytes:
        state = self._objective.state_dict()
        losses = torch.tensor(self._state.losses, dtype=torch.float32)
        return saved({**state, "losses": losses}, {"spec": BACKBONES.canonical(self._source)})
