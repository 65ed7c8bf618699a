"""The summary of the logits of every query that a run stores: see `Predictions` in results/predictions.py."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fewshot.solvers import compiled
from fewshot.solvers.rounding import shortened

_LOWEST = -65504.0  # of float16


class Summary(NamedTuple):
    """The summary of B episodes with m queries each. Numbers beyond the range of a type are clipped to it."""

    predicted: NDArray[np.uint16]  # [B, m] the first of equal logits wins
    confidence: NDArray[np.float16]  # [B, m] probability of the predicted way
    log_probability: NDArray[np.float16]  # [B, m] natural logarithm of the true way's probability
    logits: NDArray[np.float32] | None  # [B, m, N]: float16 would tie queries that differ


def summarise(logits: Tensor, truth: NDArray[np.int32], keep_logits: bool) -> Summary:
    """The summary of logits [B, m, N], where `truth` [B, m] in [0, N) is the true way."""
    predicted, confidence, log_p = (_by_loops if compiled.serves(logits) else _by_torch)(logits, truth)
    return Summary(predicted, _half(confidence), _half(log_p), _single(logits) if keep_logits else None)


def _half(numbers: Tensor) -> NDArray[np.float16]:
    held: NDArray[np.float16] = numbers.clamp(_LOWEST, -_LOWEST).half().numpy()
    return held


def _single(logits: Tensor) -> NDArray[np.float32]:
    largest = torch.finfo(torch.float32).max
    held: NDArray[np.float32] = shortened(logits.clamp(-largest, largest), torch.float32).numpy()
    return held


def _by_torch(logits: Tensor, truth: NDArray[np.int32]) -> tuple[NDArray[np.uint16], Tensor, Tensor]:
    log_p = torch.log_softmax(logits.double(), dim=2)
    of_truth = log_p.gather(2, torch.from_numpy(truth.astype(np.int64))[:, :, None])[:, :, 0]
    return logits.argmax(2).numpy().astype(np.uint16), log_p.amax(2).exp(), of_truth


def _by_loops(logits: Tensor, truth: NDArray[np.int32]) -> tuple[NDArray[np.uint16], Tensor, Tensor]:
    from fewshot.solvers.compiled import summaries

    size = logits.shape[:2]
    predicted = np.empty(size, np.uint16)
    confidence, log_p = torch.empty(size), torch.empty(size)
    arrays = (logits.contiguous().numpy(), np.ascontiguousarray(truth), predicted, confidence.numpy(), log_p.numpy())
    compiled.over_episodes(summaries.summarise, len(logits), *arrays)
    return predicted, confidence, log_p
