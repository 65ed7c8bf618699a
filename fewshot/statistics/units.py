"""The units of episodes: the classes that they sample from, or groups of these classes.

E episodes, C units.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fewshot.statistics.interval import Integers, Ints

FEWEST_UNITS = 3  # for an interval for new ones
ENOUGH_CLASSES = 20  # to rank runs for new classes; below, half an interval for them is 6 to 30 points (coverage.py)
_AT_ONCE = 4096  # episodes whose units are sorted together


@dataclass(frozen=True, eq=False)
class Units:
    """The units of every episode: its classes, or the groups of its classes (superclasses, scripts)."""

    held: Integers  # flat, episode after episode, in [0, n_units)
    n_way: Integers  # [E]
    n_units: int  # C: all units that episodes sample from, sampled or not
    name: str = "classes"

    @property
    def too_few(self) -> str:
        """Why a ranking is not for new units, as rows store reasons; "" if there are enough. Groups in place of classes
        are the user's choice, so they are enough."""
        return few_units(self.n_units, self.name) if self.name == "classes" and self.n_units < ENOUGH_CLASSES else ""

    @property
    def are_enough(self) -> bool:
        """Whether there is an interval for new units at all, though a ranking may need more of them."""
        return self.n_units >= FEWEST_UNITS

    @property
    def counted(self) -> str:
        """Their number, such as "12 classes"."""
        return f"{self.n_units} {self.name}"

    def pairs(self) -> Iterator[tuple[Ints, Ints]]:
        """Blocks of (episode, unit) pairs, ascending, some episodes at a time; a unit counts once per episode."""
        reached = 0
        for first in range(0, len(self.n_way), _AT_ONCE):
            n_way = self.n_way[first : first + _AT_ONCE]
            episode = np.repeat(np.arange(first, first + len(n_way)), n_way)
            ordered = np.sort(episode * self.n_units + self.held[reached : reached + len(episode)])
            reached += len(episode)
            yield np.divmod(
                ordered[np.diff(ordered, prepend=-1) > 0], self.n_units
            )  # np.unique takes ten times as long

    def holders(self) -> Iterator[Ints]:
        """For each unit in turn, the episodes that hold it, ascending."""
        ends = np.cumsum(self.n_way)
        for unit in range(self.n_units):
            episode = np.searchsorted(ends, np.flatnonzero(self.held == unit), side="right")
            yield episode[np.diff(episode, prepend=-1) > 0]

    def grouped(self, codes: Ints, n_groups: int, name: str) -> Units:
        """The same episodes, with the group `codes[c]` in place of class c."""
        return Units(codes[self.held], self.n_way, n_groups, name)

    def at(self, episodes: NDArray[np.bool_]) -> Units:
        """The units of the episodes where the mask [E] is True."""
        return replace(self, held=self.held[np.repeat(episodes, self.n_way)], n_way=self.n_way[episodes])

    def first(self, count: int) -> Units:
        """The units of the first `count` episodes."""
        n_way = self.n_way[:count]
        return Units(self.held[: n_way.sum()], n_way, self.n_units, self.name)


def few_units(n_units: int, name: str) -> str:
    """That so many units are too few, as rows store it."""
    return f"{n_units} {name} are too few to speak of others"
