"""The shape of an episode: N ways, K shots, Q queries per class."""

from __future__ import annotations

from dataclasses import dataclass

from fewshot.episodes.flat import MOST_ROWS


@dataclass(frozen=True)
class EpisodeShape:
    """N-way K-shot with n_query queries per class. None means all: all classes, all support images, all other
    images. A class with fewer than `k_shot` support images is an error unless `k_shot_at_most`. With k_shot 0 there is
    no support: only evaluators that need none, such as ZeroShot, solve such episodes."""

    n_way: int | None = 5
    k_shot: int | None = 1
    n_query: int | None = 15
    k_shot_at_most: bool = False

    def __post_init__(self) -> None:
        for name, least in (("n_way", 2), ("k_shot", 0), ("n_query", 1)):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or value < least):
                raise ValueError(f"{name} must be None (all) or an integer of at least {least}, got {value!r}")
            if value is not None and value >= MOST_ROWS:
                raise ValueError(f"{name} must be below 2^31, the most images of a data set, got {value:,}")
        if not isinstance(self.k_shot_at_most, bool):
            raise ValueError(f"k_shot_at_most must be True or False, got {self.k_shot_at_most!r}")

    @property
    def fewest_shots(self) -> int:
        """The fewest support images that a class needs: `k_shot`, or 1 if k_shot is open or at most that many."""
        return 1 if self.k_shot is None or (self.k_shot_at_most and self.k_shot) else self.k_shot
