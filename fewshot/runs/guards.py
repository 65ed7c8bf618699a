"""Guards of a run in progress: if a number would leak, the run fails with an error and gives no number.

Each guard raises a ValueError of one sentence. The laws (conformance/) look for the same faults in single members
before any run; docs/guards.md lists all guards.
"""

from __future__ import annotations

import logging
import re
from functools import cache
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import numpy as np

from fewshot.datasets import LabelledImages
from fewshot.datasets._class_names import in_latin
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import Ints
from fewshot.files.memory import free_bytes, in_units
from fewshot.files.quoting import quoted
from fewshot.plugins.registry import EVALUATORS, SAMPLERS
from fewshot.plugins.short_name import without_defaults
from fewshot.plugins.spec import Spec
from fewshot.plugins.wording import agreeing, counted
from fewshot.samplers._group_evidence import Evidence, group_evidence
from fewshot.samplers._image_groups import share_groups
from fewshot.splits import PARTS, ClassSplit

if TYPE_CHECKING:
    from torch import Tensor

    from fewshot.evaluators import Head
    from fewshot.samplers import Sampler

_WARNED: WeakSet[LabelledImages] = WeakSet()  # of groups on both sides
_log = logging.getLogger("fewshot")
MOST_IMAGES_OF_A_RUN = 1 << 28  # an image counts in each of its episodes
MOST_IMAGES_OF_A_LIST = 1 << 26  # a list is in memory as a whole
_SHARE = 0.01  # of the largest logit: more than rounding changes, less than statistics of other queries change


def check_alone(head: Head[Any], first: Any, logits: Tensor, evaluator: str) -> None:
    """Refuses a head that gives the first query of an episode other logits alone than among other queries.

    `first` is that query of every episode, `logits` [B, m, N] are those of the first chunk.
    """
    if logits.shape[1] < 2:
        return
    together, alone = logits[:, :1], head(first)
    off, scale = float((alone - together).abs().max()), float(together.abs().max())
    if off <= _SHARE * scale + 1e-6 or not np.isfinite(off):  # logits that are not finite have an error of their own
        return
    raise ValueError(
        f"{evaluator} gave a query other logits alone than among other queries (off by {off:.2g} of {scale:.2g}): its "
        "head uses the other queries, through their statistics or a layer in training mode; score in eval mode, or "
        "derive it from TransductiveEvaluator, so that its rows are marked"
    )


def check_memory(needed: int, n_support: int, n_way: int, evaluator: str) -> None:
    """Refuses an episode that needs more memory than is free, before anything is solved."""
    free = free_bytes()
    if free is not None and needed > free:
        raise ValueError(
            f"one episode of {counted(n_way, 'way')} and {counted(n_support, 'support image')} needs about "
            f"{in_units(needed)} with {evaluator}, but {in_units(free)} are free; use fewer ways or shots, an "
            "evaluator that needs less, such as Prototype(), or a machine with more memory"
        )


def check_support(evaluator: Spec, shots: int | None, episodes: Episodes | None) -> None:
    """Refuses episodes without support for an evaluator that needs one: `shots` of sampled episodes, or a list."""
    without = shots == 0 or (episodes is not None and bool((np.diff(episodes.support_start) == 0).any()))
    if without and evaluator.declares("needs_support") is not False:
        known = ", ".join(name for name in EVALUATORS.names() if _is_zero_shot(name))
        raise ValueError(
            f"0-shot episodes have no support, but {evaluator} learns from it; use at least 1 shot, or one of {known}"
        )


def check_seen(transform: Spec, split: ClassSplit, name: str, protocol: str = "") -> None:
    """Refuses a transform that is fitted on seen classes for a split without any. `protocol`: the benchmark that fixes
    the split; "" if the user may choose another."""
    if split.seen or not transform.declares("needs_seen"):
        return
    fixed, other = (
        (f", which {protocol} fixes,", "") if protocol else ("", ", or a split with seen classes, such as BySeed()")
    )
    raise ValueError(
        f"{transform} is fitted on images of seen classes, but this split of {name}{fixed} has none; use L2(){other}"
    )


def _is_zero_shot(name: str) -> bool:
    return EVALUATORS.signature(name).declared.get("needs_support") is False


def check_size(n_episodes: int, first: Episodes, most: int, what: str) -> None:
    """Refuses more images in all episodes than `most`, an image counted in each of its episodes; `first` is the first
    episode. The bound is on memory and disk: episodes and predictions of 2^28 images take about 2 GB."""
    of_one = len(first.support) + len(first.query)
    if n_episodes * of_one > most:
        total = n_episodes * of_one
        raise ValueError(
            f"{counted(n_episodes, 'episode')} of {of_one:,} images each are {total:,} images, but {what} holds at "
            f"most {most:,}; lower the number of episodes to at most {most // of_one:,}"
        )


@cache
def warn_similar_names(split: ClassSplit, part: str) -> None:
    """Warns, once per process, of classes of a part that differ from classes of other parts only in their spelling."""
    spelled = {_plain(name): name for name in (getattr(split, part) if part != "all" else ())}
    others = [(other, name) for other in PARTS if other != part for name in getattr(split, other)]
    pairs = [(spelled[_plain(name)], other, name) for other, name in others if _plain(name) in spelled]
    if pairs:
        own, other, name = pairs[0]
        _log.warning(
            "%s %s like classes of another part, such as %r and, %s, %r; if they are the same class, make a split "
            "that keeps them together, because otherwise the class was seen",
            counted(len(pairs), f"{part} class"),
            agreeing(len(pairs), "is spelled", "are spelled"),
            own,
            other,
            name,
        )


def warn_unseparated_groups(images: LabelledImages, sampler: Sampler) -> None:
    """Warns, once per data set, of images that seem to come in groups, such as frames of videos, if episodes may have
    images of one group on both sides."""
    if images in _WARNED or getattr(sampler, "apart", "") is not None:  # kept apart, or a sampler without such a field
        return
    evidence = group_evidence(images)
    support, query = (images.pool(getattr(sampler, side, None)) for side in ("support_from", "query_from"))
    if evidence is not None and share_groups(images, support, query, evidence.apart):
        _WARNED.add(images)
        _log.warning(
            "%s, so %s", evidence.words, _one_group(images) if evidence.one_per_class else _mixed(sampler, evidence)
        )


def _one_group(images: LabelledImages) -> str:
    return (
        f"support and queries of a class come from one group, which raises accuracy: most classes of {images.name} "
        "have no other; no sampler can keep groups apart, so add images of other groups to each class"
    )


def _mixed(sampler: Sampler, evidence: Evidence) -> str:
    """What episodes of this sampler do with the groups, and the sampler that keeps them apart."""
    spec = SAMPLERS.varied(SAMPLERS.spec(sampler), {"apart": evidence.apart})
    return (
        "episodes may have images of one group on both sides, which raises accuracy; keep groups apart with "
        f'--sampler "{without_defaults(spec)}"'
    )


def _plain(name: str) -> str:
    return re.sub(r"[\s_./-]+", " ", in_latin(name).casefold()).strip()


def check_classes(episodes: Episodes, classes: Ints, part: str, images: LabelledImages) -> None:
    """Refuses episodes of classes outside the part of the split that a run names, such as seen classes among novel
    ones."""
    others = np.setdiff1d(episodes.classes, classes)
    if len(others):
        that = f"{counted(len(others), 'class')} that {agreeing(len(others), 'is', 'are')}"
        raise ValueError(
            f"these episodes hold {that} not {part} in this split, such as {quoted(images.class_names[others[0]])}; "
            "use the split that they were sampled with, or classes='all'"
        )
