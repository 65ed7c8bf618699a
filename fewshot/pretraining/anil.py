"""ANIL: MAML that keeps the network fixed within a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from fewshot.pretraining import Objective, Recipe, Setting
from fewshot.pretraining._adaptation import ADAPTATION, Adaptation, adapting_schedule
from fewshot.pretraining._schedule import Schedule


@dataclass(frozen=True)
class ANIL(Recipe):
    """Almost no inner loop (Raghu et al. 2020, arXiv 1909.09157), with learn2learn: MAML in which each task adapts only
    its linear head, and the network learns from the query loss. `ProtoMAML(body=False)` adapts in the same way.
    """

    short_name: ClassVar[str] = "ANIL[ {steps} steps| {epochs} epochs]"

    epochs: float = 20.0
    steps: int | None = None
    n_way: int = 5
    k_shot: int = 1
    n_query: int = 3
    tasks_per_step: int = 4
    inner_steps: int = 5
    inner_lr: float = 0.01
    first_order: bool = False
    lr: float = 0.001
    optimizer: str = "adamw"
    weight_decay: float = 0.0005
    decay: str = "cosine"
    warmup: float = 0.05
    augment: str = "crop+flip"

    rules = ADAPTATION

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls(steps=3, n_way=3, k_shot=2, n_query=2, tasks_per_step=2, inner_steps=2, first_order=True)]

    def schedule(self) -> Schedule:
        return adapting_schedule(self)

    @property
    def images_per_step(self) -> int:
        return self.tasks_per_step * self.n_way * (self.k_shot + self.n_query)

    @property
    def passes_per_image(self) -> int:
        return 2  # one updates the running statistics

    def objective(self, setting: Setting) -> Objective:
        return Adaptation(self, setting, whole=False)
