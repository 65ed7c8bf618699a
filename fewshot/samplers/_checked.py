"""Episodes of a sampler, checked where the sampler comes from outside."""

from __future__ import annotations

from typing import Any

import numpy as np

from fewshot.datasets import LabelledImages
from fewshot.episodes.arrays import ARRAY_TYPES
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import Ints
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.foreign import home_of
from fewshot.plugins.wording import counted
from fewshot.samplers import Sampler


def sample(
    sampler: Sampler, images: LabelledImages, classes: Ints, shape: EpisodeShape, seed: int, start: int, count: int
) -> Episodes:
    """Episodes start..start+count-1 of a sampler. One from outside that gives anything else, such as other numbers or
    queries in their support, is a ValueError; the samplers of fewshot pass the laws."""
    episodes = sampler.sample(images, classes, shape, seed, start, count)
    if not type(sampler).__module__.startswith("fewshot.samplers."):
        _check(episodes, sampler, start, count, images)
    return episodes


def _check(episodes: Any, sampler: Sampler, start: int, count: int, images: LabelledImages) -> None:
    if not isinstance(episodes, Episodes):
        raise ValueError(
            f"{sampler!r} must give Episodes from its method sample, but it gave {type(episodes).__name__}"
            f"{home_of(sampler)}"
        )
    found = {name: getattr(episodes, name) for name in ARRAY_TYPES}
    odd = next((n for n, a in found.items() if not isinstance(a, np.ndarray) or a.ndim != 1 or a.dtype.kind != "i"), "")
    if odd:
        what = f"{np.asarray(found[odd]).dtype} of shape {list(np.shape(found[odd]))}"
        raise ValueError(
            f"{sampler!r} sampled episodes that are not well-formed: {odd} must be a flat array of integers, found "
            f"{what}{home_of(sampler)}"
        )
    if not np.array_equal(episodes.index, np.arange(start, start + count)):
        raise ValueError(
            f"{sampler!r} must give {counted(count, 'episode')} with the numbers {start} to {start + count - 1}, but "
            f"it gave {counted(len(episodes), 'episode')} with the numbers {_short(episodes.index)}{home_of(sampler)}"
        )
    try:
        episodes.check(images)
    except ValueError as error:
        raise ValueError(f"{sampler!r} sampled episodes that are not well-formed: {error}{home_of(sampler)}") from error


def _short(numbers: Ints) -> str:
    texts = [str(number) for number in numbers[:3].tolist()]
    return f"{', '.join(texts) or 'none'}{', ...' if len(numbers) > 3 else ''}"
