"""The design of episodes, as far as the intervals of their accuracy depend on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fewshot.episodes.flat import Ints
from fewshot.statistics.interval import Integers


@dataclass(frozen=True, eq=False)
class Design:
    """The parts of the design of episodes that the intervals depend on."""

    class_names: Sequence[str]  # of every label
    classes: Ints  # labels of the classes that episodes are drawn from
    pools_of: Callable[[Ints], Ints] = np.zeros_like  # the disjoint pool of images of each episode, by its index
    groups: tuple[str, Ints] | None = None  # where episodes draw groups of classes: their name, the group of each label
    draws_depend: bool = False  # whether one episode fixes the next, so that their spread is no error

    @cached_property
    def unit_name(self) -> str:
        """What an interval for new classes deletes: classes, or the groups that episodes draw."""
        return "classes" if self.groups is None else self.groups[0]

    @cached_property
    def n_units(self) -> int:
        """How many of them episodes are drawn from."""
        return len(self._drawn)

    def place(self, labels: Integers) -> Integers:
        """The unit of each of these labels, in [0, n_units), in as few bytes as that takes."""
        return np.searchsorted(self._drawn, self._codes[labels]).astype(np.min_scalar_type(self.n_units))

    @cached_property
    def _codes(self) -> Ints:
        return np.arange(len(self.class_names)) if self.groups is None else self.groups[1]

    @cached_property
    def _drawn(self) -> Ints:
        return np.unique(self._codes[self.classes])
