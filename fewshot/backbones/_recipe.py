"""What a network that is trained here asks of its recipe. The recipes themselves stand above, in pretraining/."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Recipe(Protocol):
    """How a network is trained: see `fewshot.pretraining.Recipe`, which every recipe derives from."""

    @property
    def images_per_step(self) -> int: ...
    @property
    def passes_per_image(self) -> int: ...
    @property
    def stops_on_validation(self) -> bool: ...
    def objective(self, setting: Any, /) -> Any: ...
    def schedule(self) -> Any: ...
    def trials(self) -> Sequence[Any]: ...
