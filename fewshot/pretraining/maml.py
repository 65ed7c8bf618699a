"""MAML: initial weights that a few steps on a support adapt well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from fewshot.pretraining import Objective, Recipe, Setting
from fewshot.pretraining._adaptation import ADAPTATION, Adaptation, adapting_schedule
from fewshot.pretraining._schedule import Schedule


@dataclass(frozen=True)
class MAML(Recipe):
    """Model-agnostic meta-learning (Finn, Abbeel, Levine 2017, arXiv 1703.03400), with learn2learn: each task of a step
    adapts the whole network and a linear head to its support, with `inner_steps` plain steps of learning rate
    `inner_lr`; the loss is then that of its queries. `first_order` ignores second derivatives. `ProtoMAML` adapts in
    the same way.

    The head starts at the prototypes of the support, and gradients flow through them (Proto-MAML, Triantafillou et al.
    2020, arXiv 1903.03096), so later episodes may have any number of ways. Deviation: BatchNorm normalises by its
    running statistics, not by the support or the queries, so each query is scored independently of the others. Every
    trained class needs k_shot + n_query images; `epochs` counts images. The other fields are those of CrossEntropy.
    """

    short_name: ClassVar[str] = "MAML[ {steps} steps| {epochs} epochs]"

    epochs: float = 20.0
    steps: int | None = None
    n_way: int = 5
    k_shot: int = 1
    n_query: int = 3
    tasks_per_step: int = 4
    inner_steps: int = 3
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
        return [cls(steps=3, n_way=3, k_shot=2, n_query=2, tasks_per_step=2, inner_steps=2)]

    def schedule(self) -> Schedule:
        return adapting_schedule(self)

    @property
    def images_per_step(self) -> int:
        return self.tasks_per_step * self.n_way * (self.k_shot + self.n_query)

    @property
    def passes_per_image(self) -> int:
        each = self.k_shot * (self.inner_steps + 2) + self.n_query  # plus one pass that updates running statistics
        return 1 + round(each / (self.k_shot + self.n_query))

    def objective(self, setting: Setting) -> Objective:
        return Adaptation(self, setting, whole=True)
