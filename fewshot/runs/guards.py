"""What a run watches while it is under way, so that a number that leaks is an error and no number.

Each guard is a ValueError of one sentence. The laws (laws/) look for the same faults in a member alone, before any run;
docs/guards.md lists all of them.
"""

from __future__ import annotations

import logging
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fewshot.datasets import LabelledImages
from fewshot.episodes.episodes import Episodes, Ints
from fewshot.splits import PARTS, ClassSplit

if TYPE_CHECKING:
    from torch import Tensor

    from fewshot.evaluators import Head
    from fewshot.samplers import Sampler

_log = logging.getLogger("fewshot")
_SHARE = 0.01  # of the largest logit: more than rounding, less than what statistics of other queries change


def check_alone(head: Head[Any], first: Any, logits: Tensor, asked: str) -> None:
    """Refuses a head that answers the first query of an episode otherwise when it is asked alone: `first` is that query
    of every episode, `logits` [B, m, N] are those of the first chunk."""
    if logits.shape[1] < 2:
        return
    together, alone = logits[:, :1], head(first)
    off, scale = float((alone - together).abs().max()), float(together.abs().max())
    if off <= _SHARE * scale + 1e-6 or not np.isfinite(off):  # what is not finite has an error of its own
        return
    raise ValueError(
        f"{asked} gave a query other logits when it was asked alone (off by {off:.2g} of {scale:.2g}): its head uses "
        "the other queries, by statistics of them or by a layer in training mode; score in eval mode, or make it a "
        "TransductiveEvaluator, whose rows say so"
    )


def check_drawn(episodes: Episodes, sampler: Sampler, classes: Ints, part: str, images: LabelledImages) -> None:
    """Refuses episodes of other classes than they were to be drawn from, and of a sampler from outside also ones that
    are not well-formed, such as one whose queries are among its support: those of the package pass the laws."""
    check_classes(episodes, classes, part, images)
    if not type(sampler).__module__.startswith("fewshot.samplers."):
        try:
            episodes.check(images)
        except ValueError as error:
            raise ValueError(f"{sampler!r} drew episodes that are not well-formed: {error}") from error


@cache
def tell_alike(split: ClassSplit, part: str) -> None:
    """Warns, once a process, of classes of a part and of another part that differ only in how they are written."""
    written = {_plain(name): name for name in (getattr(split, part) if part != "all" else ())}
    others = [(other, name) for other in PARTS if other != part for name in getattr(split, other)]
    twice = [(written[_plain(name)], other, name) for other, name in others if _plain(name) in written]
    if twice:
        own, other, name = twice[0]
        _log.warning(
            "%d %s classes are written like classes of another part, such as %r and, %s, %r; where they are the same "
            "class, it was seen: make a split that keeps them together",
            *(len(twice), part, own, other, name),
        )


def _plain(name: str) -> str:
    return re.sub(r"[\s_./-]+", " ", name.casefold()).strip()


def check_classes(episodes: Episodes, classes: Ints, part: str, images: LabelledImages) -> None:
    """Refuses episodes of classes that are not of the part of the split that a run names, such as seen ones among
    novel ones."""
    others = np.setdiff1d(episodes.classes, classes)
    if len(others):
        raise ValueError(
            f"these episodes hold {len(others)} classes that are not {part} in this split, such as "
            f"{images.class_names[others[0]]!r}; use the split that they were drawn under, or classes='all'"
        )
