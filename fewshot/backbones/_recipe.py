"""The interface of a recipe, as `Pretrained` needs it. The recipes are in pretraining/."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Recipe(Protocol):
    """How to train a network: see `fewshot.pretraining.Recipe`, which every recipe derives from."""

    @property
    def images_per_step(self) -> int: ...
    @property
    def passes_per_image(self) -> int: ...
    @property
    def stops_on_validation(self) -> bool: ...
    def objective(self, setting: Any, /) -> Any: ...
    def schedule(self) -> Any: ...
    def trials(self) -> Sequence[Any]: ...
