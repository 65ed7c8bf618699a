"""Training a network on seen classes: one file a recipe, each a frozen dataclass of hyperparameters.

    material.py   images to train on, and held out    batches.py   inputs of a step, by (seed, step)
    schedule.py   fields that recipes share           heads.py     classifiers, and errors on images held out
    training.py   the loop; what is missing           saving.py    what a kill cannot take away
    planning.py   what trainings would cost           ladders.py   more images, classes, parameters
    adaptation.py what MAML and ANIL share

A recipe makes an `Objective`: the modules that are trained, and the loss of a step. Everything drawn is a function of
(seed, step), so a training that was killed goes on as if it had not been.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from torch import Tensor, nn

from fewshot.plugins.fields import Member

if TYPE_CHECKING:
    from fewshot.backbones import Backbone
    from fewshot.pretraining._material import Material
    from fewshot.pretraining._schedule import Schedule


@dataclass(frozen=True, eq=False)
class Setting:
    """What an objective is made from."""

    backbone: Backbone  # its network is the one that is trained, in place
    material: Material
    seed: int


class Objective(nn.Module, ABC):
    """What is trained: `network`, and whatever else the loss needs."""

    network: nn.Module

    @abstractmethod
    def loss(self, step: int) -> Tensor:
        """The mean loss of the step's images, with a graph; a function of the weights and (seed, step)."""

    def classifier(self) -> nn.Linear | None:
        """The head over all trained classes, where there is one."""
        return None


class Recipe(Member, ABC):
    """How a network is trained. Fields are hyperparameters with literal defaults; `schedule` reads those of descent."""

    short_name: ClassVar[str] = ""  # the name for people, as a template (plugins/short_name.py); "": class and fields

    @classmethod
    @abstractmethod
    def examples(cls) -> Sequence[Self]:
        """Cheap instances for the common tests."""

    @abstractmethod
    def objective(self, setting: Setting) -> Objective:
        """What is trained. Wrong hyperparameters, and images that are too few, are a ValueError."""

    @abstractmethod
    def schedule(self) -> Schedule:
        """How long and how fast, checked."""

    @property
    def images_per_step(self) -> int:
        """How many images a step takes."""
        return self.schedule().batch_size

    @property
    def passes_per_image(self) -> int:
        """How often a step puts each of its images through the network."""
        return 1

    @property
    def stops_on_validation(self) -> bool:
        """Whether the weights kept are those with the least loss on validation images of the trained classes."""
        return False

    def trials(self) -> Sequence[Recipe]:
        """The recipes that are tried, of which the one with the least validation loss is kept."""
        return [self]
