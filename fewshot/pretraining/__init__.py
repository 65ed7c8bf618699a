"""Pre-training: recipes that train a network on seen classes, one file per recipe.

May import: backbones, features, transforms, evaluators and everything below them; runs import this folder.
A new recipe: one file with a frozen dataclass derived from `Recipe`; the common tests find it.

    trainer.py       trains what is missing           training.py   one training, which resumes
    planning.py      the cost of missing trainings    _record.py    the record of a finished training
    ladders.py       trainings with more images, classes or parameters
    _material.py     images for training, validation and test       _batches.py   network inputs of a step
    _schedule.py     hyperparameters that recipes share             _heads.py     classifiers, error on held-out images
    _adaptation.py   what MAML and ANIL share                       _saving.py    the state of an interrupted training

A recipe creates an `Objective`: the modules to train, and the loss of a step. All randomness is a function of
(seed, step), so an interrupted training resumes with the same result.
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
    """The network, the images and the seed of a training."""

    backbone: Backbone  # training changes its network in place
    material: Material
    seed: int


class Objective(nn.Module, ABC):
    """The modules to train: `network`, and whatever else the loss needs."""

    network: nn.Module

    @abstractmethod
    def loss(self, step: int) -> Tensor:
        """The mean loss of the step's images, with its graph; a function of the weights and (seed, step)."""

    def classifier(self) -> nn.Linear | None:
        """The head over all trained classes; None if the objective has none."""
        return None


class Recipe(Member, ABC):
    """A way to train a network. Fields are hyperparameters with literal defaults; `schedule` reads those of descent."""

    short_name: ClassVar[str] = ""  # template of the name for people (plugins/short_name.py); "": class and fields

    @classmethod
    @abstractmethod
    def examples(cls) -> Sequence[Self]:
        """Cheap instances for the common tests."""

    @abstractmethod
    def objective(self, setting: Setting) -> Objective:
        """The objective to train. Wrong hyperparameters or too few images raise a ValueError."""

    @abstractmethod
    def schedule(self) -> Schedule:
        """The number of steps, the learning rates and the optimizer."""

    @property
    def images_per_step(self) -> int:
        """The number of images per step."""
        return self.schedule().batch_size

    @property
    def passes_per_image(self) -> int:
        """How often a step passes each of its images through the network."""
        return 1

    @property
    def stops_on_validation(self) -> bool:
        """Whether training keeps the weights with the least loss on validation images of the trained classes."""
        return False

    def trials(self) -> Sequence[Recipe]:
        """The recipes to try; training keeps the network with the least validation loss."""
        return [self]
