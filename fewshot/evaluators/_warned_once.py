"""Warnings that an evaluator gives once for each number of shots."""

from __future__ import annotations

import functools
import logging

from torch import Tensor

from fewshot.plugins.wording import counted

_log = logging.getLogger("fewshot")


def warn_once(evaluator: object, mask: Tensor, n_way: int, sentence: str) -> None:
    """Warns "EVALUATOR at K shots SENTENCE", the first time for this evaluator and number of shots; `mask` [B, S] marks
    the support rows."""
    shots = int(mask.sum(1).min()) // n_way
    begun = f"{evaluator!r} at {counted(shots, 'shot')} {sentence.split(':')[0]}"
    if not _warned(begun):
        _warned(begun).append(True)
        _log.warning("%r at %s %s", evaluator, counted(shots, "shot"), sentence)


@functools.lru_cache(maxsize=256)
def _warned(begun: str) -> list[bool]:
    """An empty list on the first call with this text, the same list on later calls."""
    return []
